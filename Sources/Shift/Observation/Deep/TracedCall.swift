import Glibc

/// A system call that has returned, with what it was about already looked up: where it comes from, a tracer or the text of
/// strace, does not show any more.
struct TracedCall: Hashable, Sendable {
    enum Argument: Hashable, Sendable {
        case number(Int)
        /// A path, absolute where that could be told.
        case path(String)
        /// A descriptor, and what is behind it where that is known.
        case descriptor(Int, String?)
        /// Flags by name.
        case words([String])
        case address(SocketAddress)
        /// Anything else, as it was written.
        case text(String)
    }

    var name: String
    var arguments: [Argument]
    /// The value, or the negated errno.
    var result: Int
    /// Whether the file of the call's last path was there before; nil: not known.
    var existed: Bool?

    init(_ name: String, _ arguments: [Argument], result: Int, existed: Bool? = nil) {
        self.name = name
        self.arguments = arguments
        self.result = result
        self.existed = existed
    }

    var succeeded: Bool { result >= 0 }
    /// Nothing is there under the name.
    var isMissing: Bool { result == Int(-ENOENT) || result == Int(-ENOTDIR) }

    func path(_ index: Int) -> String? {
        guard arguments.indices.contains(index), case .path(let path) = arguments[index], !path.isEmpty else {
            return nil
        }
        return path
    }

    func number(_ index: Int) -> Int? {
        guard arguments.indices.contains(index) else { return nil }
        switch arguments[index] {
        case .number(let number), .descriptor(let number, _): return number
        default: return nil
        }
    }

    /// The file behind a descriptor.
    func file(_ index: Int) -> String? {
        guard arguments.indices.contains(index), case .descriptor(_, let path?) = arguments[index], path.hasPrefix("/")
        else {
            return nil
        }
        return path
    }

    func address(_ index: Int) -> SocketAddress? {
        guard arguments.indices.contains(index), case .address(let address) = arguments[index] else { return nil }
        return address
    }

    /// Whether flags hold all of a mask.
    func has(_ index: Int, _ flag: CallFlag) -> Bool {
        guard arguments.indices.contains(index) else { return false }
        switch arguments[index] {
        case .number(let number): return number & flag.bits == flag.bits
        case .words(let words): return words.contains(flag.name)
        default: return false
        }
    }
}

/// A flag by its number, which a tracer sees, and by its name, which strace writes.
struct CallFlag: Sendable {
    var name: String
    var bits: Int

    init(_ name: String, _ bits: some BinaryInteger) {
        self.name = name
        self.bits = Int(bits)
    }

    static let writeOnly = CallFlag("O_WRONLY", O_WRONLY)
    static let readWrite = CallFlag("O_RDWR", O_RDWR)
    static let create = CallFlag("O_CREAT", O_CREAT)
    static let exclusive = CallFlag("O_EXCL", O_EXCL)
    static let truncate = CallFlag("O_TRUNC", O_TRUNC)
    static let append = CallFlag("O_APPEND", O_APPEND)
    static let directory = CallFlag("O_DIRECTORY", O_DIRECTORY)
    static let place = CallFlag("O_PATH", 0o10000000)
    /// O_TMPFILE without the O_DIRECTORY in it.
    static let nameless = CallFlag("O_TMPFILE", 0o20000000)
    static let shared = CallFlag("MAP_SHARED", 1)
    static let anonymous = CallFlag("MAP_ANONYMOUS", 0x20)
    static let removeDirectory = CallFlag("AT_REMOVEDIR", 0x200)
    static let thread = CallFlag("CLONE_THREAD", 0x10000)
    static let writable = CallFlag("PROT_WRITE", 2)
}

/// Where a socket leads.
struct SocketAddress: Hashable, Sendable {
    /// "unix", "inet", "inet6", "netlink", or a number.
    var family: String
    var text: String
}

/// What a system call did, as far as it matters to where a program can run.
enum Deed: Hashable, Sendable {
    case file(String, [FileUse.Action])
    /// A socket was made; later calls name its descriptor only.
    case socket(descriptor: Int, family: String, type: String)
    case useOfSocket(descriptor: Int, SocketUse.Action, SocketAddress?)
    case identity(String)
    case shared(String)
    case terminal(String)
    /// A signal to a process or, negated, to a group.
    case signal(name: String, to: Int)
    case notable(String)
}
