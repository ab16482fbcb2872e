internal import Glibc

/// A thread of its own for tests that block, by isolation: `@TestThread @Suite struct ...`.
///
/// Swift's cooperative pool has as many threads as the machine has processors. A test that waits there for a process
/// or a socket takes one away from everybody, and two of them stop every other test on a small machine.
@globalActor package actor TestThread {
    package static let shared = TestThread()
    private static let executor = ThreadExecutor()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { Self.executor.asUnownedSerialExecutor() }
}

/// Runs jobs one after the other on one thread that lives as long as the process.
private final class ThreadExecutor: SerialExecutor, @unchecked Sendable {
    // Sendable by the lock: `jobs` is touched only while it is held.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var jobs: [UnownedJob] = []

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(arrived, nil)
        var thread = pthread_t()
        let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { executor in
            Unmanaged<ThreadExecutor>.fromOpaque(executor!).takeUnretainedValue().work()
        }
        // Never freed: the thread runs until the process ends.
        let error = pthread_create(&thread, nil, entry, Unmanaged.passRetained(self).toOpaque())
        precondition(error == 0, "no thread could be made: error \(error)")
        pthread_detach(thread)
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        pthread_mutex_lock(lock)
        jobs.append(job)
        pthread_cond_signal(arrived)
        pthread_mutex_unlock(lock)
    }

    func asUnownedSerialExecutor() -> UnownedSerialExecutor { UnownedSerialExecutor(ordinary: self) }

    private func work() -> Never {
        while true {
            pthread_mutex_lock(lock)
            while jobs.isEmpty { pthread_cond_wait(arrived, lock) }
            let job = jobs.removeFirst()
            pthread_mutex_unlock(lock)
            job.runSynchronously(on: asUnownedSerialExecutor())
        }
    }
}
