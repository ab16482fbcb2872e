/// Runs one job after the other, in the order in which they came.
package final class SerialWorker: Sendable {
    private let jobs: AsyncStream<@Sendable () async -> Void>.Continuation
    private let task: Task<Void, Never>

    package init() {
        let (stream, continuation) = AsyncStream.makeStream(of: (@Sendable () async -> Void).self)
        jobs = continuation
        task = Task { for await job in stream { await job() } }
    }

    /// Has a job done when its turn comes.
    ///
    /// - Returns: false after `stop`: it will never be done.
    @discardableResult
    package func submit(_ job: @escaping @Sendable () async -> Void) -> Bool {
        if case .terminated = jobs.yield(job) { false } else { true }
    }

    /// The same, and returns what it returns. After `stop` there is nothing to wait for, and it is done at once.
    ///
    /// - Precondition: not from within a job.
    package func run<Value: Sendable, Failure>(
        _ job: @escaping @Sendable () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<Value, Failure>, Never>) in
            let whole: @Sendable () async -> Void = {
                do throws(Failure) { continuation.resume(returning: .success(try await job())) } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !submit(whole) { Task { await whole() } }
        }
        return try result.get()
    }

    /// Takes no more jobs, and returns when those that wait are done.
    package func stop() async {
        jobs.finish()
        await task.value
    }
}
