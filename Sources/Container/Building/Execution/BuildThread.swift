internal import Images
internal import Linux

/// Work on files that may take seconds, on a thread that lasts as long as the work.
enum BuildThread {
    /// - Throws: what `body` throws; a failure when no thread can be started.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable (Cancellation) throws(BuildFailure) -> Value
    ) async throws(BuildFailure) -> Value {
        let cancellation = Cancellation()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Value, BuildFailure>, Never>) in
                do throws(SystemError) {
                    try HelperThread.start("forkless-build") {
                        let result: Result<Value, BuildFailure>
                        do throws(BuildFailure) {
                            result = .success(try body(cancellation))
                        } catch { result = .failure(error) }
                        continuation.resume(returning: result)
                    }
                } catch { continuation.resume(returning: .failure(BuildFailure(error))) }
            }
        } onCancel: {
            cancellation.request()
        }
        return try result.get()
    }
}
