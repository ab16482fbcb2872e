internal import Glibc
internal import Synchronization

/// Runs one body on a thread made for it, so that it may block and may change the thread's signal mask.
enum OwnThread {
    /// Runs `body` there and waits for it on this thread.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result {
        let outcome = Outcome<Result>()
        var thread = pthread_t()
        let work = Unmanaged.passRetained(Work { outcome.value.withLock { $0 = body() } })
        let error = pthread_create(&thread, nil, entry, work.toOpaque())
        precondition(error == 0, "no thread could be made: error \(error)")
        pthread_join(thread, nil)
        return outcome.value.withLock { $0! }
    }

    /// Runs `body` there without holding a thread of the cooperative pool.
    static func runAsync<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            var thread = pthread_t()
            let work = Unmanaged.passRetained(Work { continuation.resume(returning: body()) })
            let error = pthread_create(&thread, nil, entry, work.toOpaque())
            precondition(error == 0, "no thread could be made: error \(error)")
            pthread_detach(thread)
        }
    }

    private final class Outcome<Result: Sendable>: Sendable {
        let value = Mutex<Result?>(nil)
    }

    private final class Work: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { work in
        Unmanaged<Work>.fromOpaque(work!).takeRetainedValue().body()
        return nil
    }
}
