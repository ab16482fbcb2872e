internal import Lambda
internal import Synchronization

/// Finds the order key of calls for those who keep them before they are run, as the invoker will find it.
package final class CallOrder: Sendable {
    private let keys = Mutex(CallKeys())

    package init() {}

    /// nil when the call has no order, or lacks what its function's settings name: the invoker refuses it then.
    package func key(of call: FunctionCall) -> String? {
        if let key = call.orderKey { return key }
        guard let source = call.function.settings.order else { return nil }
        return keys.withLock { keys in try? keys.find(source, "order", in: call) }
    }
}
