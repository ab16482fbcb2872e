/// What becomes of asynchronous invocations of a function: its event invoke config, and its dead-letter queue.
package struct EventInvokeSettings: Hashable, Sendable {
    /// 0 to 2.
    package var maximumRetries = 2
    /// 60 to 21,600.
    package var maximumAgeSeconds = 21_600
    package var onSuccess: Destination?
    package var onFailure: Destination?
    /// `DeadLetterConfig.TargetArn`: gets the event itself.
    package var deadLetter: Destination?

    package init() {}
}
