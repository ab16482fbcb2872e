import CKernel

/// Signals read from a descriptor instead of interrupting a thread, signalfd(2).
///
/// The signals must be blocked in every thread of the process, or the kernel delivers them to one where they
/// are not: `block` belongs before the first thread is made, on the thread that makes the others.
package struct SignalFD: ~Copyable, Sendable {
    package let fd: OwnedFD

    /// A descriptor from which `signals` can be read; it never blocks.
    package init(_ signals: [Int32]) throws(SystemError) {
        fd = OwnedFD(
            adopting: CInt(try call("watch for signals", "\(signals.count)") { ck_signalfd(Signal.mask(signals)) }))
    }

    /// Blocks signals in this thread and in those that it makes from now on.
    package static func block(_ signals: [Int32]) throws(SystemError) {
        try call("block signals") { ck_sigprocmask(SIG_BLOCK, Signal.mask(signals), nil) }
    }

    /// The next signal that has arrived; nil when none waits.
    package borrowing func next() throws(SystemError) -> Int32? { try nextWithSource()?.number }

    /// The same, and whether the kernel sent it by itself, as it does for the keys of a terminal to all of its group.
    package borrowing func nextWithSource() throws(SystemError) -> (number: Int32, isFromKernel: Bool)? {
        let raw = fd.raw
        // struct signalfd_siginfo is 128 bytes long and begins with the number.
        var record = [UInt8](repeating: 0, count: 128)
        do {
            let count = try call("read signals") { record.withUnsafeMutableBytes { ck_read(raw, $0.baseAddress!, $0.count) } }
            guard count == record.count else { return nil }
        } catch where error.code == .again { return nil }
        // struct signalfd_siginfo: ssi_signo, ssi_errno, ssi_code. Codes above 0 are the kernel's, sigaction(2).
        return record.withUnsafeBytes { record in
            let code = record.loadUnaligned(fromByteOffset: 8, as: Int32.self)
            return (record.loadUnaligned(as: Int32.self), code > 0)
        }
    }
}
