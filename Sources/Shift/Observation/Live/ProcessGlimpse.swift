import Glibc
package import Linux

/// What /proc told of a process at one moment.
package struct ProcessGlimpse: Hashable, Sendable {
    /// CLOCK_MONOTONIC before it was read: what happened later cannot be in it.
    package var began: Int
    /// The same after.
    package var ended: Int
    /// The file that it runs; without " (deleted)".
    package var executable: String?
    package var arguments: [String]?
    package var directory: String?
    package var name: String?
    /// The unit of systemd whose control group it is in.
    package var unit: String?

    package init(
        began: Int, ended: Int, executable: String? = nil, arguments: [String]? = nil, directory: String? = nil,
        name: String? = nil, unit: String? = nil
    ) {
        self.began = began
        self.ended = ended
        self.executable = executable
        self.arguments = arguments
        self.directory = directory
        self.name = name
        self.unit = unit
    }

    /// The script that it runs and its interpreter, or the program itself.
    ///
    /// Of a script the kernel makes `argv` the interpreter as the "#!" line names it, that line's argument, the script's
    /// path and the rest (execve(2)), and names the process after the script. Who runs `sh script` by hand has the same
    /// `argv` and another name.
    package var program: (path: String, interpreter: String?)? {
        guard let executable else { return nil }
        guard let arguments, let name, arguments.count > 1, arguments[0].hasPrefix("/") else {
            return (executable, nil)
        }
        guard !Self.isNamed(executable, name), !Self.isNamed(arguments[0], name) else { return (executable, nil) }
        for candidate in arguments[1...].prefix(2) where Self.isNamed(candidate, name) {
            return (Paths.absolute(candidate, in: directory ?? "/"), executable)
        }
        return (executable, nil)
    }

    /// Whether a process that executes the file gets this name: the last part of the path, cut to 15 bytes.
    private static func isNamed(_ path: String, _ name: String) -> Bool {
        Array(RecordedText.bytes(Paths.last(path)).prefix(15)) == RecordedText.bytes(name)
    }
}

/// Paths as text.
enum Paths {
    static func last(_ path: String) -> String {
        path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[path.index(after: $0)...]) } ?? path
    }

    /// An absolute path, "." and ".." taken out as text: what a link in it would make of ".." is not looked at.
    static func absolute(_ path: String, in directory: String) -> String {
        var parts: [Substring] = []
        let whole = path.hasPrefix("/") ? path : directory + "/" + path
        for part in whole.split(separator: "/") {
            switch part {
            case ".": break
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }
}

/// Reads /proc of processes that may be gone at any moment. nil and empty mean that they were.
package enum ProcessFiles {
    /// What execve(2) takes at most (a quarter of the stack's limit, and never more than 6 MiB), with room to spare.
    package static let argumentsLimit = 8 << 20

    package static func glimpse(_ pid: Int32, withUnit: Bool = false) -> ProcessGlimpse {
        let began = Clock.monotonicNanoseconds()
        var glimpse = ProcessGlimpse(began: began, ended: began)
        let place = "/proc/\(pid)"
        // The arguments first: they are what is gone first.
        glimpse.arguments = arguments(place + "/cmdline")
        glimpse.executable = executable(pid)
        glimpse.directory = link(place + "/cwd")
        if let arguments = glimpse.arguments, arguments.count > 1, arguments[0].hasPrefix("/") {
            glimpse.name = name(pid)
        }
        if withUnit { glimpse.unit = unit(pid) }
        glimpse.ended = Clock.monotonicNanoseconds()
        return glimpse
    }

    /// The file that a process runs.
    package static func executable(_ pid: Int32) -> String? {
        guard let path = link("/proc/\(pid)/exe") else { return nil }
        let deleted = " (deleted)"
        return path.hasSuffix(deleted) ? String(path.dropLast(deleted.count)) : path
    }

    package static func name(_ pid: Int32) -> String? {
        guard let bytes = read("/proc/\(pid)/comm") else { return nil }
        return RecordedText.text(bytes.last == UInt8(ascii: "\n") ? bytes.dropLast() : bytes[...])
    }

    /// Resident memory, bytes.
    package static func residentBytes(_ pid: Int32) -> Int? {
        guard let bytes = read("/proc/\(pid)/statm") else { return nil }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? Int(fields[1]).map { $0 * Int(getpagesize()) } : nil
    }

    /// Time on a processor of a process's first thread, nanoseconds: also of one that has ended and is not reaped yet.
    package static func processorTime(_ pid: Int32) -> Int? { processorTime(at: "/proc/\(pid)") }

    /// The first number of schedstat, Documentation/scheduler/sched-stats.rst.
    static func processorTime(at place: String) -> Int? {
        guard let bytes = read(place + "/schedstat") else { return nil }
        return Int(String(decoding: bytes.prefix { $0 != UInt8(ascii: " ") }, as: UTF8.self))
    }

    /// A file of /proc: most are short, and one that may be long is read on.
    private static func read(_ path: String) -> [UInt8]? {
        guard let fd = try? Files.open(path, O_RDONLY), let first = try? Files.readSome(fd.raw, count: 2048) else {
            return nil
        }
        guard first.count == 2048 else { return first }
        return (try? Files.readAll(fd.raw, limit: argumentsLimit, name: path)).map { first + $0 }
    }

    /// The parent's pid.
    package static func parent(_ pid: Int32) -> Int32? {
        guard let bytes = try? Files.read("/proc/\(pid)/stat", limit: 4096) else { return nil }
        // The name may hold anything, a closing parenthesis too: what follows the last one has no name in it.
        guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = String(decoding: bytes[(end + 1)...], as: UTF8.self).split(separator: " ")
        return fields.count > 1 ? Int32(fields[1]) : nil
    }

    /// All that run.
    package static func all() throws(SystemError) -> [Int32] { try Files.list("/proc").compactMap { Int32($0) } }

    private static func arguments(_ path: String) -> [String]? {
        guard let bytes = read(path), !bytes.isEmpty else { return nil }
        return split(bytes)
    }

    /// "a\0b\0" as two texts. A process may write over its arguments: what has no NUL at the end is taken as it is.
    static func split(_ bytes: [UInt8]) -> [String] {
        var parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
        if bytes.last == 0 { parts.removeLast() }
        return parts.map { RecordedText.text($0) }
    }

    private static func link(_ path: String) -> String? {
        guard let text = try? Files.linkBytes(path) else { return nil }
        return RecordedText.text(text)
    }

    /// The last part of its control group that is a service's.
    private static func unit(_ pid: Int32) -> String? {
        guard let text = try? Files.readText("/proc/\(pid)/cgroup") else { return nil }
        for line in text.split(separator: "\n") {
            if let unit = line.split(separator: "/").last(where: { $0.hasSuffix(".service") }) { return String(unit) }
        }
        return nil
    }
}
