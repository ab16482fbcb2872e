import CKernel

/// Namespaces of System V IPC and POSIX message queues, ipc_namespaces(7).
package enum IPCNamespace {
    /// That of another process.
    package static func of(pid: Int32) throws(SystemError) -> SharedFD {
        SharedFD(try Files.open("/proc/\(pid)/ns/ipc", O_RDONLY))
    }

    /// A new one with nothing in it. It lives as long as something holds it.
    package static func make() throws(SystemError) -> SharedFD {
        let own = try current()
        try call("make an IPC namespace") { ck_unshare(CInt(truncatingIfNeeded: Namespaces.ipc.rawValue)) }
        defer {
            do { try CurrentProcess.join(own.raw, .ipc) } catch { preconditionFailure("\(error)") }
            withExtendedLifetime(own) {}
        }
        return try current()
    }

    /// Does something on this thread inside another namespace.
    package static func visit<Value>(
        _ namespace: SharedFD, _ body: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        let own = try current()
        try withExtendedLifetime(namespace) { () throws(SystemError) in try CurrentProcess.join(namespace.raw, .ipc) }
        defer {
            do { try CurrentProcess.join(own.raw, .ipc) } catch { preconditionFailure("\(error)") }
            withExtendedLifetime(own) {}
        }
        return try body()
    }

    private static func current() throws(SystemError) -> SharedFD {
        SharedFD(try Files.open("/proc/thread-self/ns/ipc", O_RDONLY))
    }
}
