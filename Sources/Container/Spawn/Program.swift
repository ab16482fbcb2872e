import Linux

/// Which file a template executes.
public enum Program: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The file at this path. A relative path is resolved by the child, in the directory in which it starts.
    case path(String)
    /// A name without a slash, looked up once, when the template is made, in the `PATH` of the template's own
    /// environment. Entries of `PATH` that are empty or relative are passed over: they would let the contents of
    /// a working directory decide which program runs.
    case name(String)
    /// An open file, whatever has become of its path; the name is for `argv[0]` and for messages.
    ///
    /// The file is an executable of this machine. A script cannot be started this way: its interpreter is told
    /// to open a descriptor that is closed by then (execveat(2), BUGS).
    case descriptor(SharedFD, name: String)

    /// "/bin/ls" is a path, "ls" a name.
    public init(stringLiteral text: String) { self = text.utf8.contains(UInt8(ascii: "/")) ? .path(text) : .name(text) }

    /// What the program is called in messages.
    public var name: String {
        switch self {
        case .path(let text), .name(let text), .descriptor(_, let text): text
        }
    }

    public static func == (a: Program, b: Program) -> Bool {
        switch (a, b) {
        case (.path(let a), .path(let b)), (.name(let a), .name(let b)): a == b
        case (.descriptor(let a, let first), .descriptor(let b, let second)): a === b && first == second
        default: false
        }
    }

    public func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// Where execvp(3) looks when there is no PATH.
    static let standardPath = "/bin:/usr/bin"

    /// The path to execute, given the value of `PATH`.
    func resolved(searching path: String?) throws(SpawnError) -> String {
        try SpawnError.check(name, as: "program")
        guard case .name(let name) = self else { return self.name }
        guard !name.utf8.contains(UInt8(ascii: "/")) else {
            throw SpawnError(
                step: "find the program \(name)", code: .invalid, advice: "A name has no slash; this is a path.")
        }
        let path = path ?? Self.standardPath
        for directory in path.split(separator: ":") where directory.hasPrefix("/") {
            let candidate = "\(directory)/\(name)"
            if Files.isExecutableFile(candidate) { return candidate }
        }
        throw SpawnError(
            step: "find the program \(name)", code: .noEntry,
            advice: "No executable file of that name is in the directories of PATH, which is \"\(path)\".")
    }
}
