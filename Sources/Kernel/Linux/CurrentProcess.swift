import CKernel

/// What this process knows of itself.
package enum CurrentProcess {
    package static var pid: Int32 { getpid() }
    /// The effective user's id.
    package static var user: UInt32 { geteuid() }

    /// Resident memory in bytes, /proc/self/statm; 0 where /proc cannot be read.
    package static func residentBytes() -> Int {
        guard let text = try? Files.readText("/proc/self/statm") else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
    }

    /// Keeps other processes of the same user from reading our memory or tracing us, prctl(2), PR_SET_DUMPABLE.
    package static func forbidTracing() throws(SystemError) {
        try call("forbid tracing") { ck_prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) }
    }

    /// Blocks signals for this thread and returns a descriptor that is readable when one of them waits, signalfd(2).
    ///
    /// - Parameter mask: bit n-1 stands for signal n.
    package static func takeSignals(_ mask: UInt64) throws(SystemError) -> OwnedFD {
        try call("block signals") { ck_sigprocmask(SIG_BLOCK, mask, nil) }
        return OwnedFD(adopting: CInt(try call("watch signals") { ck_signalfd(mask) }))
    }

    /// Every signal to its default action, whatever our starter ignored.
    package static func resetSignalActions() {
        for number in Int32(1)...31 where number != SIGKILL && number != SIGSTOP { _ = ck_default_signal(number) }
    }

    /// SIGPIPE is an error of a write and nothing more.
    package static func ignoreBrokenPipes() { _ = ck_ignore_signal(SIGPIPE) }

    /// Joins a namespace by descriptor, setns(2).
    package static func join(_ namespace: CInt, _ kind: Namespaces) throws(SystemError) {
        let flags = CInt(truncatingIfNeeded: kind.rawValue)
        try call("join the \(kind.names) namespace") { ck_setns(namespace, flags) }
    }
}
