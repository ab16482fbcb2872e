internal import Glibc
internal import Linux
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

/// Archive work on a thread that lasts as long as the work: layers take seconds, which would keep the few threads
/// of BlockingPool from everybody else.
enum OwnThreadWork {
    /// - Throws: what `body` throws; a failure when no thread can be started.
    static func run<Value: Sendable>(
        _ name: String, _ body: @escaping @Sendable (Cancellation) throws(ArchiveFailure) -> Value
    ) async throws(ArchiveFailure) -> Value {
        let cancellation = Cancellation()
        let result = await withTaskCancellationHandler {
            await withUnsafeContinuation { (continuation: UnsafeContinuation<Result<Value, ArchiveFailure>, Never>) in
                do throws(SystemError) {
                    try HelperThread.start(name) {
                        let result: Result<Value, ArchiveFailure>
                        do throws(ArchiveFailure) {
                            result = .success(try body(cancellation))
                        } catch { result = .failure(error) }
                        continuation.resume(returning: result)
                    }
                } catch { continuation.resume(returning: .failure(ArchiveFailure(error))) }
            }
        } onCancel: {
            cancellation.request()
        }
        return try result.get()
    }
}
