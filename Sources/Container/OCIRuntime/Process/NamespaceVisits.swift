import Linux
import OCI
import Spawn

/// This process in the mount namespace of its child, until it comes back. Its own root and working directory are put
/// back, too.
struct MountNamespaceVisit {
    private let own: SharedFD
    private let root: SharedFD
    private let directory: SharedFD

    private static let place: CInt = 0o10_000_000 | 0o200_000

    /// - Parameter process: whose namespace, by pidfd.
    private init(_ process: SharedFD) throws(RuntimeFailure) {
        let held = try attempt { () throws(SystemError) in
            (
                SharedFD(try Files.open("/proc/self/ns/mnt", 0)), SharedFD(try Files.open("/", Self.place)),
                SharedFD(try Files.open(".", Self.place))
            )
        }
        (own, root, directory) = held
        try attempt { () throws(SystemError) in try CurrentProcess.join(process.raw, .mount) }
    }

    /// Does something there, and comes back.
    static func within<Value>(
        _ process: SharedFD, _ body: () throws(RuntimeFailure) -> Value
    ) throws(RuntimeFailure) -> Value {
        let visit = try MountNamespaceVisit(process)
        defer { visit.comeBack() }
        return try body()
    }

    /// To go on elsewhere would be worse than to end.
    private func comeBack() {
        do {
            try CurrentProcess.join(own.raw, .mount)
            try CurrentProcess.changeRoot(to: root.raw)
            try CurrentProcess.changeDirectory(to: directory.raw, name: "where it was")
        } catch { preconditionFailure("\(error)") }
    }
}

/// Namespaces that a configuration names by path.
///
/// All but that of time are joined by a process in between (`SteeredLaunch`): the user namespace last, since before it
/// all others are open to us. The time namespace cannot be joined by who shares memory with us, time_namespaces(7), so
/// we go there ourselves for the moment of the birth.
struct JoinedNamespaces {
    private(set) var entries: [SteeredLaunch.Entry] = []
    private(set) var hasUser = false
    private var held: [SharedFD] = []
    private var time: SharedFD?

    init(_ linux: LinuxSpec) throws(RuntimeFailure) {
        for namespace in linux.namespaces.sorted(by: { $0.kind != .user && $1.kind == .user }) {
            guard let path = namespace.path else { continue }
            let kind = Namespaces(rawValue: namespace.kind.cloneFlag)
            let opened = try attempt("join the \(namespace.kind.rawValue) namespace") { () throws(SystemError) in
                SharedFD(try Files.open(path, 0o4000))
            }
            try Self.check(linux.sysctl, namespace.kind, opened, path)
            held.append(opened)
            if namespace.kind == .time {
                time = opened
            } else {
                entries.append(
                    SteeredLaunch.Entry(opened.raw, kind, name: "the \(namespace.kind.rawValue) namespace \(path)"))
            }
            if namespace.kind == .user { hasUser = true }
        }
    }

    /// A kernel parameter of a namespace that is the runtime's own would be set for all who are in it: the machine.
    private static func check(
        _ sysctl: [String: String], _ kind: NamespaceSpec.Kind, _ opened: SharedFD, _ path: String
    ) throws(RuntimeFailure) {
        guard let name = sysctl.keys.sorted().first(where: { SysctlName($0)?.namespace == kind }) else { return }
        let (own, joined) = try attempt { () throws(SystemError) in
            (try Files.status("/proc/self/ns/\(kind.fileName)"), try Files.status(of: opened.raw, name: path))
        }
        guard own.device != joined.device || own.inode != joined.inode else {
            let namespace = "the \(kind.rawValue) namespace \(path)"
            throw RuntimeFailure(
                "linux.sysctl.\(name): \(namespace) is the runtime's own: setting it would change the machine")
        }
    }

    /// That of time alone.
    init(time: SharedFD?) { self.time = time }

    /// Runs the birth of the child.
    func around<Value>(_ birth: () throws(RuntimeFailure) -> Value) throws(RuntimeFailure) -> Value {
        guard let time else { return try birth() }
        let own = try attempt { () throws(SystemError) in SharedFD(try Files.open("/proc/self/ns/time", 0)) }
        try attempt { () throws(SystemError) in try CurrentProcess.join(time.raw, .time) }
        defer { try? CurrentProcess.join(own.raw, .time) }
        return try birth()
    }
}
