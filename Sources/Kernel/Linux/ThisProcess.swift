import CKernel

/// What a process knows of itself.
package enum ThisProcess {
    package static var pid: Int32 { Int32(ck_getpid()) }

    /// The environment, every variable as "NAME=VALUE" ended by NUL, environ(7).
    ///
    /// Not to be called while another thread changes the environment: setenv(3) has no lock to take.
    package static func environment() -> [UInt8] {
        var block: [UInt8] = []
        guard var at = ck_environment() else { return block }
        while let entry = at.pointee {
            block += UnsafeBufferPointer(start: UnsafePointer<UInt8>(OpaquePointer(entry)), count: strlen(entry) + 1)
            at += 1
        }
        return block
    }

    /// A limit in force, which children inherit, getrlimit(2). All bits set is no limit.
    ///
    /// - Parameter resource: the kernel's number (RLIMIT_*).
    package static func limit(_ resource: Int32) throws(SystemError) -> (soft: UInt64, hard: UInt64) {
        var soft: UInt64 = 0
        var hard: UInt64 = 0
        try call("read a limit") { ck_getrlimit(resource, &soft, &hard) }
        return (soft, hard)
    }

    /// Whether others of the same user may look into this process's memory, PR_GET_DUMPABLE.
    package static var isDumpable: Bool { ck_prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 1 }

    /// Allows or forbids that, PR_SET_DUMPABLE.
    package static func setDumpable(_ dumpable: Bool) throws(SystemError) {
        try call("set the dumpable flag") { ck_prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0) }
    }
}
