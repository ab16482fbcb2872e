internal import Linux

/// Runs what blocks on the disk away from the cooperative pool.
package enum Blocking {
    /// For what takes an fsync or two.
    package static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ImageFailure) -> Value
    ) async throws(ImageFailure) -> Value {
        let result: Result<Value, ImageFailure>
        do throws(SystemError) {
            result = try await BlockingPool.shared.run { () throws(SystemError) in Result(catching: body) }
        } catch { throw .system(error) }
        return try result.get()
    }

    /// For what may take seconds: on a thread that lasts as long as the work, so that the pool's few stay free.
    /// Cancelling the task requests the cancellation that `body` gets.
    package static func runLong<Value: Sendable>(
        _ body: @escaping @Sendable (Cancellation) throws(ImageFailure) -> Value
    ) async throws(ImageFailure) -> Value {
        try await OwnThreadWork.run("forkless-images", refused: { .system($0) }, body)
    }

    /// The same for what cannot be cancelled.
    package static func runLong<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ImageFailure) -> Value
    ) async throws(ImageFailure) -> Value {
        try await runLong { (_: Cancellation) throws(ImageFailure) in try body() }
    }

    /// The same for what cannot fail; where no thread can be had, it is not done.
    static func runToItsEnd(_ body: @escaping @Sendable () -> Void) async {
        let work = ThreadWork<Void, Never>(body)
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            do throws(SystemError) {
                try HelperThread.start("forkless-images") {
                    _ = work.perform()
                    continuation.resume()
                }
            } catch { continuation.resume() }
        }
    }
}
