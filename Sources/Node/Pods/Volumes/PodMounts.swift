import Engine
import Linux
import Synchronization

/// File systems that containers of a pod share and that have to be mounted: memory, and what subPath picks out of a
/// volume.
///
/// They are mounted where the keeper sees them, whose mounts nobody else does; they go with it, and are made anew for
/// the next one.
///
/// Invariants
/// 1. A path that a container may have written is resolved once, inside its volume, and used by descriptor
///    (CVE-2017-1002101, CVE-2021-25741). (test: `a subPath through a link stays inside its volume`)
/// 2. Everything mounted for a pod is unmounted before its directory is removed.
///    (test: `volumes go with the pod, and what they lead to stays`)
final class PodMounts: Sendable {
    private struct State {
        /// The keeper in whose namespace `targets` are.
        var generation: UInt64 = 0
        /// In the order in which they were mounted.
        var targets: [String] = []
    }

    private let engine: ContainerEngine
    private let state = Mutex(State())

    init(_ engine: ContainerEngine) { self.engine = engine }

    /// Mounts memory at a directory, unless that is done.
    func mountMemory(_ bytes: Int, mode: UInt32, group: UInt32?, at target: String) async throws(ConfigProblem) {
        try await mount(at: target) { () throws(SystemError) in
            let memory = try Mounts.memoryFileSystem(bytes: bytes, mode: String(mode, radix: 8))
            try Files.makeDirectories(target, mode: 0o755)
            try Mounts.attach(memory, at: target)
            if let group {
                let root = try Files.open(target, 0)
                try FileEntries.setOwner(0, group, of: root.raw, name: target)
                try FileEntries.setMode(mode, of: root.raw, name: target)
            }
        }
    }

    /// Mounts what is at a path inside a volume at a place of our own; a directory is made where nothing is.
    func mount(_ path: String, of volume: String, at target: String) async throws(ConfigProblem) {
        try await mount(at: target) { () throws(SystemError) in
            let root = try Files.place(volume)
            let found = try Self.open(path, inRoot: root.raw)
            let kind = try Files.status(of: found.raw).kind
            if kind == .directory {
                try Files.makeDirectories(target, mode: 0o755)
            } else if !Files.exists(target) {
                if let slash = target.lastIndex(of: "/") {
                    try Files.makeDirectories(String(target[..<slash]), mode: 0o755)
                }
                // O_WRONLY | O_CREAT
                _ = try Files.open(target, 0o1 | 0o100, mode: 0o644)
            }
            try Mounts.attach(try Mounts.copy(of: found.raw, name: path), at: target)
        }
    }

    private static func open(_ path: String, inRoot root: CInt) throws(SystemError) -> OwnedFD {
        let pathOnly: CInt = 0o10_000_000
        do { return try PathResolution.open("/" + path, inRoot: root, flags: pathOnly) } catch {
            guard error.code == .noEntry else { throw error }
            return try PathResolution.makeDirectories(path, inRoot: root)
        }
    }

    private func mount(at target: String, _ body: @escaping @Sendable () throws(SystemError) -> Void)
        async throws(ConfigProblem)
    {
        // Between two keepers the next is waited for, as a start waits for it.
        do { try await engine.untilUp() } catch { throw ConfigProblem("mount on \(target): \(error)") }
        guard let keeper = await engine.keeper() else {
            throw ConfigProblem("mount on \(target): the keeper has gone again")
        }
        let isDone = state.withLock { state in
            if state.generation != keeper.generation { state = State(generation: keeper.generation) }
            if state.targets.contains(target) { return true }
            state.targets.append(target)
            return false
        }
        if isDone { return }
        do throws(SystemError) {
            try await MountNamespace.visit(of: keeper.pid) { () throws(SystemError) in
                // Of an earlier node: what is mounted there stays, with what is in it.
                let mounts = (try? Files.readText("/proc/thread-self/mountinfo")) ?? ""
                if mounts.split(separator: "\n").contains(where: {
                    $0.split(separator: " ").dropFirst(4).first.map(String.init) == target
                }) {
                    return
                }
                try body()
            }
        } catch {
            state.withLock { $0.targets.removeAll { $0 == target } }
            throw ConfigProblem("mount on \(target): \(error)")
        }
    }

    /// Unmounts everything below a directory, also what an earlier node has mounted.
    func unmountAll(below directory: String) async throws(ConfigProblem) {
        state.withLock { $0.targets.removeAll { $0.hasPrefix(directory + "/") } }
        guard let keeper = await engine.keeper() else { return }
        do throws(SystemError) {
            try await MountNamespace.visit(of: keeper.pid) { () throws(SystemError) in
                let lines = try Files.readText("/proc/thread-self/mountinfo").split(separator: "\n")
                let points = lines.compactMap { $0.split(separator: " ").dropFirst(4).first.map(String.init) }
                for point in points.reversed() where point.hasPrefix(directory + "/") { try Mounts.detach(point) }
            }
        } catch { throw ConfigProblem("unmount below \(directory): \(error)") }
    }
}
