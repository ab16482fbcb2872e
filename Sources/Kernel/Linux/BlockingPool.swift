import Glibc
import Synchronization

/// A few threads for calls that block in the kernel and that epoll cannot wait for: opening a FIFO, fsync(2),
/// an exec from a slow network file system. Swift's cooperative pool, which has as many threads as the machine
/// has processors, never runs them.
///
/// Invariants
/// 1. At most `threadLimit` calls run and `queueLimit` wait; one more is refused, not piled up.
///    (test: `a full queue refuses work and says so`)
/// 2. Work starts in the order in which it came.
///    (test: `blocking work runs on a few threads and returns its value or its error`)
/// 3. What work holds is let go of before its caller goes on. (test: `work lets go of what it holds before it is over`)
package final class BlockingPool: Sendable {
    /// Blocking calls are few and short here; more threads than this would only wait for the same disk.
    package static let threadLimit = 4
    /// Four times what a burst of 256 starts needs; a caller beyond it hears so while it can still act.
    package static let queueLimit = 1024

    /// The one of this process; a thread starts when work finds none idle, and stays.
    package static let shared = BlockingPool()

    /// Runs `body` on a thread that may block, and returns what it returns.
    ///
    /// Cancelling the task does not interrupt the call.
    /// - Throws: what `body` throws; EAGAIN when too much is queued already.
    package func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(SystemError) -> Value
    ) async throws(SystemError) -> Value {
        let work = ThreadWork(body)
        let result = await withUnsafeContinuation {
            (continuation: UnsafeContinuation<Result<Value, SystemError>, Never>) in
            do throws(SystemError) {
                try submit { continuation.resume(returning: work.perform()) }
            } catch { continuation.resume(returning: .failure(error)) }
        }
        return try result.get()
    }

    private struct State {
        var queue: [@Sendable () -> Void] = []
        var threads = 0
        var idle = 0
    }

    private let state = Mutex(State())
    private let wakeUps = WakeUps()

    package init() {}

    private func submit(_ work: @escaping @Sendable () -> Void) throws(SystemError) {
        try state.withLock { state throws(SystemError) in
            guard state.queue.count < Self.queueLimit else {
                throw SystemError(
                    "run in the background", code: .again,
                    advice: "\(Self.queueLimit) blocking calls are waiting already; start fewer at a time.")
            }
            if state.idle <= state.queue.count, state.threads < Self.threadLimit {
                do throws(SystemError) {
                    try HelperThread.start("forkless-blocking") { self.loop() }
                    state.threads += 1
                } catch {
                    // With a thread there the work gets done, later; with none it never would.
                    if state.threads == 0 { throw error }
                }
            }
            state.queue.append(work)
        }
        wakeUps.post()
    }

    private func loop() -> Never {
        while true {
            state.withLock { $0.idle += 1 }
            wakeUps.wait()
            let work = state.withLock { state in
                state.idle -= 1
                return state.queue.removeFirst()
            }
            work()
        }
    }
}

/// A counting semaphore, sem_overview(7): one post for every piece of work.
private final class WakeUps: @unchecked Sendable {
    // Sendable by nature: sem_post and sem_wait may be called from any thread at once.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, 0)
    }

    func post() { sem_post(semaphore) }

    func wait() { while sem_wait(semaphore) != 0 {} }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }
}
