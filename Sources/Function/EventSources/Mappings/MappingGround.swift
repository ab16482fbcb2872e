internal import Functions
internal import Lambda
internal import Store

/// What the runners of all mappings share.
struct MappingGround: Sendable {
    var store: StateDatabase
    var events: AsyncEvents
    var queues: DurableQueues
    var invoker: any Invoker
    var functions: any FunctionLookup
    var clock: any EventClock
    var account: LambdaAccount
    /// Tells `LastProcessingResult`.
    var report: @Sendable (EventSourceMapping, String) -> Void
}

/// Takes the events of one mapping while it is enabled.
protocol MappingRunner: AnyObject, Sendable {
    func start()
    /// Takes nothing more. What is under way ends.
    func stop()
}
