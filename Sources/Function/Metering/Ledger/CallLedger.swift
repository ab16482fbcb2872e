package import Store

/// Where calls are recorded when they have ended.
package protocol CallLedger: Sendable {
    /// Records a call soon: in a group, on disk within about 100 ms. Never waits; may be called on any thread.
    func append(_ call: MeteredCall)

    /// Records a call in one transaction with a change of the caller's (an event that is done, say), and tells when both
    /// are on disk. `then` is called once, on any thread, and must be short.
    func commit(
        _ call: MeteredCall, with change: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Void,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void)

    /// Why no further call should be run: calls that have ended cannot be recorded, and only so many may wait.
    /// nil while all is well. Cheap enough for every call.
    var refusal: StoreFailure? { get }
}

/// Where capacity is recorded that was kept ready: whoever provisions tells of each span that has passed.
package protocol CapacityLedger: Sendable {
    /// Records a span soon, like a call.
    func append(_ capacity: ProvisionedCapacity)
}
