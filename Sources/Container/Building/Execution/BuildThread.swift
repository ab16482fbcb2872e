internal import Images

/// Work on files that may take seconds, on a thread that lasts as long as the work.
enum BuildThread {
    /// - Throws: what `body` throws; a failure when no thread can be started.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable (Cancellation) throws(BuildFailure) -> Value
    ) async throws(BuildFailure) -> Value {
        try await OwnThreadWork.run("forkless-build", refused: { BuildFailure($0) }, body)
    }
}
