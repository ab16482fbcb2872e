/// An event source mapping: a source whose events invoke a function.
package struct EventSourceMapping: Hashable, Sendable {
    package var id: String
    /// `EventSourceArn` as it was given.
    package var sourceARN: String
    package var source: EventSource
    /// With the qualifier that was given.
    package var function: FunctionReference
    /// `FunctionArn`
    package var functionARN: String
    package var isEnabled: Bool
    /// 1 to 10,000; 10 for a queue, 1 for schedules and directories when not given.
    package var batchSize: Int
    /// `MaximumBatchingWindowInSeconds`
    package var windowSeconds: Int
    /// `ScalingConfig.MaximumConcurrency`
    package var maximumConcurrency: Int?
    /// `FunctionResponseTypes` has ReportBatchItemFailures.
    package var reportsItemFailures: Bool
    /// `FilterCriteria`: patterns as they were given, each a JSON object.
    package var filters: [String]
    /// `MaximumRetryAttempts` of a schedule or directory; nil: as the function's event invoke config says.
    package var maximumRetries: Int?
    /// `MaximumRecordAgeInSeconds` of a schedule or directory; nil: as the function's event invoke config says.
    package var maximumAgeSeconds: Int?
    /// `DestinationConfig.OnFailure` of a schedule or directory.
    package var onFailure: Destination?

    package init(
        id: String, sourceARN: String, source: EventSource, function: FunctionReference, functionARN: String,
        isEnabled: Bool = true, batchSize: Int = 10, windowSeconds: Int = 0, maximumConcurrency: Int? = nil,
        reportsItemFailures: Bool = false, filters: [String] = [], maximumRetries: Int? = nil,
        maximumAgeSeconds: Int? = nil, onFailure: Destination? = nil
    ) {
        self.id = id
        self.sourceARN = sourceARN
        self.source = source
        self.function = function
        self.functionARN = functionARN
        self.isEnabled = isEnabled
        self.batchSize = batchSize
        self.windowSeconds = windowSeconds
        self.maximumConcurrency = maximumConcurrency
        self.reportsItemFailures = reportsItemFailures
        self.filters = filters
        self.maximumRetries = maximumRetries
        self.maximumAgeSeconds = maximumAgeSeconds
        self.onFailure = onFailure
    }
}
