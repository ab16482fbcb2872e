import Engine
import Linux
import Networking
import Sandbox
import Spawn

extension DoctorFacts {
    /// Looks at this machine. Everything is read or tried without leaving a trace.
    static func gather(_ directories: NodeDirectories) async throws(SystemError) -> DoctorFacts {
        let limits = ProcessLimits(try Files.readText("/proc/self/limits"))
        let capacity = try MachineCapacity.ofThisMachine()
        let places = KeeperExecutable.places()
        return DoctorFacts(
            kernelRelease: try Files.readText("/proc/sys/kernel/osrelease"), processors: OwnProcess.processors(),
            memoryBytes: capacity.memoryBytes, isRoot: OwnProcess.effectiveUser == 0,
            calls: Dictionary(uniqueKeysWithValues: KernelCall.allCases.map { ($0, $0.presence()) }),
            cgroups: Result { () throws(SystemError) in try cgroups() }, namespaces: namespaces(),
            fileSystems: fileSystems(try Files.readText("/proc/filesystems")),
            capabilities: try Capabilities.permitted(), openFiles: limits.limit("Max open files"),
            processes: limits.limit("Max processes"), largestPid: capacity.processes,
            keeper: places.first { Files.isExecutableFile($0) }, keeperPlaces: places,
            directories: [
                directory("state", directories.state), directory("run", directories.run),
            ],
            node: await node(directories.nodeSocket), networks: await NetworkTrial.run())
    }

    private static func cgroups() throws(SystemError) -> CgroupFacts {
        let layout = try CgroupLayout.ofThisProcess()
        let mounts = layout.legacy + (layout.unified.map { [$0] } ?? [])
        return CgroupFacts(layout: layout, writable: Set(mounts.map(\.path).filter { Files.isWritable($0) }))
    }

    /// Clones a child into each kind of namespace. It executes "/", which fails: no program needs to be there.
    private static func namespaces() -> [NamespaceFact] {
        let isRoot = OwnProcess.effectiveUser == 0
        return Namespaces.kinds.filter { $0.kind != .time }.map { entry in
            var program = StepProgram()
            // Without root, every other kind needs a user namespace around it.
            program.cloneFlags = (isRoot ? entry.kind : entry.kind.union(.user)).rawValue
            program.add(.execute(nil))
            let call = ProgramCall(path: "/", arguments: StringBlock(["/"]), environment: StringBlock([]))
            do throws(SpawnError) {
                var launched = try CompiledProgram(program).start(call)
                _ = try? ProcessFD(adopting: launched.takePidfd()).reapBlocking()
                return NamespaceFact(name: entry.name)
            } catch {
                return NamespaceFact(name: entry.name, refusal: error.step.hasPrefix("execute") ? nil : error.code)
            }
        }
    }

    private static func fileSystems(_ text: String) -> Set<String> {
        Set(text.split(separator: "\n").compactMap { $0.split(separator: "\t").last.map(String.init) })
    }

    private static func directory(_ purpose: String, _ path: String) -> DirectoryFact {
        func state() -> DirectoryFact.State {
            guard Files.exists(path) else {
                var above = path
                while !Files.exists(above), let slash = above.lastIndex(of: "/") { above = String(above[..<slash]) }
                if above.isEmpty { above = "/" }
                return Files.isWritable(above) ? .absent : .blocked("\(above) cannot be written")
            }
            guard (try? Files.status(path))?.kind == .directory else { return .blocked("it is no directory") }
            return Files.isWritable(path) ? .writable : .blocked("it cannot be written")
        }
        return DirectoryFact(purpose: purpose, path: path, state: state())
    }

    private static func node(_ socket: String) async -> Result<String, Unanswered> {
        do throws(NodeFailure) {
            return .success(try await NodeClient.connect(to: socket).call(GetVersion()).version)
        } catch { return .failure(Unanswered(reason: error.message)) }
    }
}

/// /proc/self/limits as proc_pid_limits(5) describes it: columns of fixed width.
struct ProcessLimits {
    private let lines: [Substring]

    init(_ text: String) { lines = text.split(separator: "\n") }

    /// The limit of this name ("Max open files"); unlimited where the file has none.
    func limit(_ name: String) -> DoctorFacts.SoftAndHard {
        guard let line = lines.first(where: { $0.hasPrefix(name + " ") }) else { return .init() }
        let values = line.dropFirst(name.count).split(separator: " ").prefix(2).map { UInt64($0) }
        return .init(soft: values.first ?? nil, hard: values.count > 1 ? values[1] : nil)
    }
}

/// Where the keeper's executable is: it is installed beside this one, or FORKLESS_KEEPER names it. Nothing is searched,
/// so that no directory that somebody else can write decides what runs as root.
enum KeeperExecutable {
    static func places() -> [String] {
        if let named = OwnProcess.variable("FORKLESS_KEEPER"), !named.isEmpty { return [named] }
        guard let own = try? OwnProcess.executable(), let slash = own.lastIndex(of: "/") else { return [] }
        return [own[...slash] + "forkless-keeper"]
    }
}
