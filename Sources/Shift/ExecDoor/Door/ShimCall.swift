package import Linux
internal import Synchronization

/// A call under way: its head, and its process, from which the rest is read when it is wanted.
///
/// The shim waits while the node reads, so what is read is what the program would have been born with. The process is
/// held by descriptor (SO_PEERPIDFD): whatever is read by pid counts only if that process is there afterwards.
package final class ShimCall: Sendable {
    package let head: CallHead
    /// The caller's child.
    package let process: SharedFD
    /// The original answers, and what the target does must have no effect that lasts; nil: the target answers.
    package let shadow: ShadowRules?
    private let read = Mutex<CallSurroundings?>(nil)
    private let outputsRead = Mutex<OutputFiles?>(nil)

    package init(head: CallHead, process: SharedFD, shadow: ShadowRules? = nil) {
        self.head = head
        self.process = process
        self.shadow = shadow
    }

    package var isShadow: Bool { shadow != nil }

    /// All that its birth consists of, read once: while the shim waits, so before the original runs.
    package var surroundings: CallSurroundings {
        if let known = read.withLock({ $0 }) { return known }
        let surroundings = CallSurroundings(reading: self)
        read.withLock { $0 = surroundings }
        return surroundings
    }

    /// The declared output files of a shadowed call, looked at once: while the shim waits, so before the original runs.
    package var outputs: OutputFiles {
        if let known = outputsRead.withLock({ $0 }) { return known }
        let outputs = OutputFiles(
            shadow?.outputFiles ?? [], directory: surroundings.directory, keptBytes: shadow?.keptBytes ?? 0)
        outputsRead.withLock { $0 = outputs }
        return outputs
    }

    /// What it is born with beside what the head says.
    package func traits() throws(SystemError) -> CallTraits {
        let traits = try CallTraits(pid: head.pid)
        try checkPresence()
        return traits
    }

    package func limits() throws(SystemError) -> [CallLimit] {
        let limits = try CallLimit.all(of: head.pid)
        try checkPresence()
        return limits
    }

    /// Its working directory by descriptor (O_PATH), also when that was deleted or is out of our reach by name.
    package func directory() throws(SystemError) -> SharedFD {
        let directory = SharedFD(try Files.open("/proc/\(head.pid)/cwd", Self.directoryFlags))
        try checkPresence()
        return directory
    }

    /// The name of its working directory, as the machine's root shows it; nil when it has none there.
    package func directoryPath() throws(SystemError) -> String? {
        let path = try Files.link("/proc/\(head.pid)/cwd")
        try checkPresence()
        return path.hasPrefix("/") && !path.hasSuffix(" (deleted)") ? path : nil
    }

    /// Its own descriptor of this number, the very same open file; nil when that is closed.
    package func descriptor(_ number: Int32) throws(SystemError) -> SharedFD? {
        do { return SharedFD(try OtherProcess.descriptor(number, of: process.raw)) } catch
            where error.code == .badDescriptor
        {
            return nil
        }
    }

    /// The standard streams, of which each may be closed.
    package func streams() throws(SystemError) -> CallStreams {
        CallStreams(input: try descriptor(0), output: try descriptor(1), errors: try descriptor(2))
    }

    /// The numbers of descriptors above the standard streams that the program would inherit.
    package func inheritedDescriptors() throws(SystemError) -> [Int32] {
        var numbers: [Int32] = []
        for name in try Files.list("/proc/\(head.pid)/fd") {
            guard let number = Int32(name), number > 2, number != head.socketNumber else { continue }
            // The shim's own are close-on-exec; what it was given is not, or it would not be here.
            let flags = (try? Files.readText("/proc/\(head.pid)/fdinfo/\(number)")) ?? ""
            if !Self.isCloseOnExec(flags) { numbers.append(number) }
        }
        try checkPresence()
        return numbers.sorted()
    }

    /// Whether "flags:" of proc_pid_fdinfo(5) has O_CLOEXEC.
    static func isCloseOnExec(_ text: String) -> Bool {
        for line in text.split(separator: "\n") where line.hasPrefix("flags:") {
            let digits = line.dropFirst(6).drop { $0 == "\t" || $0 == " " }
            return (UInt64(digits, radix: 8) ?? 0) & 0o2000000 != 0
        }
        return false
    }

    /// Whether it has O_WRONLY.
    static func isWriteOnly(_ text: String) -> Bool { accessMode(text) == UInt8(ascii: "1") }

    /// Whether it has O_RDONLY.
    static func isReadOnly(_ text: String) -> Bool { accessMode(text) == UInt8(ascii: "0") }

    /// The last digit of "flags:".
    private static func accessMode(_ text: String) -> UInt8? {
        text.split(separator: "\n").first { $0.hasPrefix("flags:") }?.utf8.last
    }

    private func checkPresence() throws(SystemError) {
        if OtherProcess.hasEnded(process.raw) {
            throw SystemError("read the process of a call", "\(head.pid)", code: .noProcess)
        }
    }

    private static let directoryFlags: Int32 = 0o10000000 | 0o200000  // O_PATH | O_DIRECTORY
}
