import CKernel
import Glibc

/// A thread of Forkless' own, for loops that block in the kernel: never on Swift's cooperative pool.
///
/// It runs with every signal blocked, so that the program's handlers keep running where they did.
package enum HelperThread {
    /// What a helper needs of stack, which is more than its loop uses: Swift's runtime calls included.
    private static let stackBytes = 256 << 10

    /// Starts a thread that runs `body` and ends with it.
    ///
    /// - Throws: `SystemError`; EAGAIN when a limit on threads is reached.
    package static func start(_ name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, stackBytes)
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))

        // A new thread inherits the mask of its maker (pthread_create(3)); there is no window without it.
        var before: UInt64 = 0
        _ = ck_sigprocmask(SIG_SETMASK, .max, &before)
        defer { _ = ck_sigprocmask(SIG_SETMASK, before, nil) }

        let box = Unmanaged.passRetained(Body(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, &attributes,
            { pointer in
                Unmanaged<Body>.fromOpaque(pointer!).takeRetainedValue().run()
                return nil
            }, box.toOpaque())
        guard result == 0 else {
            box.release()
            throw SystemError(
                "start the thread", name, code: Errno(result),
                advice: "A limit on processes was reached (ulimit -u, pids.max).")
        }
    }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
