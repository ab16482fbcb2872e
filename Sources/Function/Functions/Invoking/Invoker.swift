/// Where calls of functions go in, whatever door or event source they come from: keys, order, deadlines, limits, pools,
/// metering and the ledger lie behind it.
package protocol Invoker: Sendable {
    /// Runs a call and tells its outcome, on any thread. What a key or an order demands is kept.
    func invoke(_ call: FunctionCall, _ done: @escaping @Sendable (InvocationOutcome) -> Void)
}

extension Invoker {
    package func invoke(_ call: FunctionCall) async -> InvocationOutcome {
        await withCheckedContinuation { continuation in invoke(call) { continuation.resume(returning: $0) } }
    }
}
