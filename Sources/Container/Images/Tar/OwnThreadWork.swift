internal import Glibc
package import Linux
internal import Synchronization

/// A request to stop soon, asked for between entries.
package final class Cancellation: Sendable {
    private let flag = Atomic(false)
    package init() {}
    package var isRequested: Bool { flag.load(ordering: .relaxed) }
    package func request() { flag.store(true, ordering: .relaxed) }

    /// Waits until a descriptor can be read or written (POLLIN, POLLOUT), or has ended.
    ///
    /// - Throws: `.cancelled`, within half a second of the request.
    func waitUntilReady(_ fd: CInt, _ events: CInt, _ sentence: String) throws(ArchiveFailure) {
        while true {
            guard !isRequested else { throw ArchiveFailure(.cancelled, sentence) }
            var wait = pollfd(fd: fd, events: Int16(events), revents: 0)
            if poll(&wait, 1, 500) > 0 { return }
        }
    }
}

/// Work on a thread that lasts as long as the work: what takes seconds would keep the few threads of BlockingPool from
/// everybody else. Cancelling the task requests the cancellation that the work gets.
package enum OwnThreadWork {
    /// - Parameters:
    ///   - name: of the thread.
    ///   - refused: what it means that no thread can be started.
    package static func run<Value: Sendable, Failure: Error>(
        _ name: String, refused: (SystemError) -> Failure,
        _ body: @escaping @Sendable (Cancellation) throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        let cancellation = Cancellation()
        let work = ThreadWork { () throws(Failure) in try body(cancellation) }
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Value, Failure>, Never>) in
                do throws(SystemError) {
                    try HelperThread.start(name) { continuation.resume(returning: work.perform()) }
                } catch { continuation.resume(returning: .failure(refused(error))) }
            }
        } onCancel: {
            cancellation.request()
        }
        return try result.get()
    }

    /// The same for archives.
    static func run<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable (Cancellation) throws(ArchiveFailure) -> Value
    ) async throws(ArchiveFailure) -> Value {
        try await run(name, refused: { ArchiveFailure($0) }, body)
    }
}
