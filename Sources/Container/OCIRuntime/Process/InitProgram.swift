import Linux
import OCI
import Spawn

/// The program of a container's first process, from its birth to its exec. Pure.
///
///     born in its namespaces -> file systems made, cgroups joined -> [stop: the parent builds the tree] -> new root -> the process that
///     the configuration describes -> [stop, for hooks] -> [created: waits for the start] -> exec
///
/// Invariants
/// 1. Cgroups are joined before the cgroup namespace is made, so that its root is the container's own, and both before a
///    file system that shows them. (tests: `a program sees its own namespaces, name, root and cgroup`,
///    `cgroups are joined before what shows them is mounted`)
/// 2. A child that waits where it shares our descriptors ends with us: nothing but a signal would tell it.
///    (test: `a create that is killed at any instant leaves nothing behind after delete --force`)
/// 3. In a user namespace everything is made by its root, so that it belongs to it.
///    (test: `a user namespace maps ids, and its root owns what is made`)
struct InitProgram {
    private(set) var steps = StepProgram()
    let socket: Slot
    let root: Slot
    let proc: Slot
    /// By the index of the mount.
    private(set) var fileSystems: [Int: Slot] = [:]
    private(set) var legacyHierarchies: [Slot] = []
    private(set) var joins: [Slot] = []
    private(set) var terminal: Slot?
    private(set) var startDoor: Slot?
    private(set) var reportDoor: Slot?

    /// What the child has to do beside the process itself.
    struct Plan {
        var spec: RuntimeSpec
        var mounts: [MountPlan]
        /// Controllers of each cgroup v1 hierarchy to be shown.
        var legacyHierarchies: [[String]]
        var joinCount: Int
        /// Whether it waits for its start after everything is done.
        var awaitsStart: Bool
        /// Whether hooks run in it before the exec.
        var stopsForHooks: Bool
        var isRootChanged: Bool
        /// Namespaces that the child makes itself, while its parent does something else; then it waits for its go.
        var ownNamespaces: Namespaces = []
    }

    init(_ plan: Plan, _ process: ProcessSteps) {
        socket = steps.slot()
        root = steps.slot()
        proc = steps.slot()
        joins = (0..<plan.joinCount).map { _ in steps.slot() }
        if process.process.hasTerminal { terminal = steps.slot() }
        if plan.awaitsStart {
            startDoor = steps.slot()
            reportDoor = steps.slot()
        }
        if plan.ownNamespaces.isEmpty {
            if plan.spec.linux.hasNew(.user) { steps.add(.awaitGo) }
            enterCgroups(plan)
            settle(plan)
            makeFileSystems(plan) { _ in true }
        } else {
            // Meanwhile the parent makes the cgroups. Nothing else would tell it here that the parent is gone.
            steps.add(.deathSignal(Signal.kill, parent: 0))
            steps.add(.unshare(flags: Self.bits(plan.ownNamespaces)))
            settle(plan)
            makeFileSystems(plan) { !$0.showsCgroups }
            steps.add(.awaitGo)
            steps.add(.deathSignal(0, parent: 0))
            enterCgroups(plan)
            makeFileSystems(plan, where: \.showsCgroups)
        }
        steps.add(.unshareFiles(lowest: 3 + CInt(process.preserved)))
        steps.add(
            .park(socket, first: terminal ?? socket, count: terminal == nil ? 0 : 1),
            as: "wait for the root file system")
        enterRoot(plan)
        name(plan.spec)
        process.add(to: &steps, ProcessSteps.Slots(socket: socket, proc: proc, terminal: terminal))
        if plan.stopsForHooks { steps.add(.park(socket, first: socket, count: 0), as: "wait for the hooks") }
        if let startDoor, let reportDoor {
            steps.add(.tell(socket, with: nil))
            steps.add(.reportTo(reportDoor))
            steps.add(.awaitWord(startDoor))
        }
        steps.add(.execute(nil))
    }

    private mutating func enterCgroups(_ plan: Plan) {
        let linux = plan.spec.linux
        for join in joins { steps.add(.write([UInt8(ascii: "0")], to: join, meaning: "itself into its cgroup")) }
        if linux.namespace(.user) != nil {
            steps.add(.gid(0))
            steps.add(.uid(0))
        }
        if linux.hasNew(.cgroup) { steps.add(.unshare(flags: Self.bits(.cgroup))) }
    }

    private mutating func settle(_ plan: Plan) {
        let linux = plan.spec.linux
        if linux.hasNew(.time) { steps.add(.unshare(flags: Self.bits(.time))) }
        steps.add(.setSession)
        if linux.hasNew(.network) { steps.add(.loopbackUp) }
        if let personality = linux.personality { steps.add(.personality(UInt32(personality.domain.number))) }
        // Modes in mount options are meant as they stand.
        steps.add(.umask(0))
        // A detached mount costs the kernel some time when it goes: only who writes to it has one.
        if needsProc(plan) { make("proc", [], proc, "a proc file system") }
    }

    // File systems.

    private mutating func makeFileSystems(_ plan: Plan, where isWanted: (MountPlan) -> Bool) {
        for (index, mount) in plan.mounts.enumerated() where isWanted(mount) {
            switch mount.kind {
            case .made(let fileSystem) where !fileSystem.needsOldCall:
                let slot = steps.slot()
                fileSystems[index] = slot
                let options =
                    [(key: "source", value: Optional(fileSystem.source))]
                    + fileSystem.options.map { (key: $0.key, value: $0.value) }
                make(fileSystem.type, options, slot, "\(fileSystem.type) on \(mount.destination)")
            case .legacyCgroups:
                let slot = steps.slot()
                fileSystems[index] = slot
                make("tmpfs", [("source", "cgroup"), ("mode", "755")], slot, "tmpfs on \(mount.destination)")
                for controllers in plan.legacyHierarchies {
                    let slot = steps.slot()
                    legacyHierarchies.append(slot)
                    make(
                        "cgroup", [("source", "cgroup")] + Self.options(controllers), slot,
                        "cgroup \(controllers.joined(separator: ",")) on \(mount.destination)")
                }
            default: continue
            }
        }
    }

    /// Whether something is set through a proc file system that is ours alone.
    private func needsProc(_ plan: Plan) -> Bool {
        let process = plan.spec.process
        return !plan.spec.linux.sysctl.isEmpty || process?.apparmorProfile != nil || process?.selinuxLabel != nil
    }

    /// A hierarchy without controllers has a name instead.
    private static func options(_ controllers: [String]) -> [(key: String, value: String?)] {
        controllers.flatMap { controller -> [(key: String, value: String?)] in
            guard controller.hasPrefix("name=") else { return [(controller, nil)] }
            return [("none", nil), ("name", String(controller.dropFirst(5)))]
        }
    }

    private mutating func make(
        _ type: String, _ options: [(key: String, value: String?)], _ slot: Slot, _ name: String
    ) {
        let configuration = steps.slot()
        steps.add(.newFileSystem(type, into: configuration), as: "mount \(name)")
        for (key, value) in options {
            steps.add(
                .fileSystemOption(configuration, key, value),
                as: "mount \(name): option \(key)\(value.map { "=\($0)" } ?? "")")
        }
        steps.add(.fileSystemMount(configuration, into: slot, attributes: 0), as: "mount \(name)")
    }

    // After the tree is there.

    private mutating func enterRoot(_ plan: Plan) {
        steps.add(plan.isRootChanged ? .changeRoot(root) : .pivotRoot(root))
        if let propagation = plan.spec.linux.rootPropagation {
            steps.add(
                .mountAttributes(
                    nil, "/", set: 0, clear: 0, flags: propagation.reach == .all ? Mounts.recursive : 0,
                    propagation: UInt32(propagation.flags & ~(1 << 14))), as: "set the propagation of the root")
        }
    }

    private mutating func name(_ spec: RuntimeSpec) {
        if let hostname = spec.hostname { steps.add(.hostname(hostname)) }
        if let domain = spec.domainname { steps.add(.domainName(domain)) }
        for (key, value) in spec.linux.sysctl.sorted(by: { $0.key < $1.key }) {
            guard let name = SysctlName(key) else { continue }
            let file = steps.slot()
            steps.add(
                .openAt(proc, "sys/\(name.path)", flags: 1, resolve: PathResolution.beneath, into: file),
                as: "set the sysctl \(key)")
            steps.add(
                .write(Array(value.utf8), to: file, meaning: "the sysctl \(key)"),
                as: "set the sysctl \(key) to \"\(value)\"")
            steps.add(.close(file))
        }
    }

    static func bits(_ namespaces: Namespaces) -> Int32 { Int32(truncatingIfNeeded: namespaces.rawValue) }
}
