internal import Synchronization

/// Work for another thread, done once and let go of, with everything that it holds, before its result is told: whoever has
/// the result finds closed what the work had open.
package final class ThreadWork<Value: Sendable, Failure: Error>: Sendable {
    private let body: Mutex<(@Sendable () throws(Failure) -> Value)?>

    package init(_ body: @escaping @Sendable () throws(Failure) -> Value) { self.body = Mutex(body) }

    package func perform() -> Result<Value, Failure> {
        guard let body = body.withLock({ $0.take() }) else { preconditionFailure("work is done once") }
        return Result(catching: body)
    }
}
