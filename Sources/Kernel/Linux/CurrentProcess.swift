import CKernel

/// What only the keeper does to its own process; the rest is `OwnProcess` and `ThisProcess`.
package enum CurrentProcess {
    /// Resident memory in bytes, /proc/self/statm; 0 where /proc cannot be read.
    package static func residentBytes() -> Int {
        guard let text = try? Files.readText("/proc/self/statm") else { return 0 }
        let fields = text.split(separator: " ")
        return fields.count > 1 ? (Int(fields[1]) ?? 0) * Int(getpagesize()) : 0
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

    /// Joins a namespace by descriptor, setns(2).
    package static func join(_ namespace: CInt, _ kind: Namespaces) throws(SystemError) {
        let flags = CInt(truncatingIfNeeded: kind.rawValue)
        try call("join the \(kind.names) namespace") { ck_setns(namespace, flags) }
    }
}
