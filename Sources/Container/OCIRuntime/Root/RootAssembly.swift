import Linux
import OCI
import Spawn

/// Puts a container's root together while its child waits: mounts, devices, the terminal, what is covered and what is
/// read-only. Runs in the child's mount namespace (`MountNamespaceVisit`).
struct RootAssembly {
    let bundle: Bundle
    let mounts: [MountPlan]
    let sources: MountSources
    let ids: OutsideIDs
    let hierarchies: LegacyHierarchies
    let report: Report

    private var spec: RuntimeSpec { bundle.spec }
    private var process: ProcessSpec { spec.process! }

    /// What the root's files decide about the process.
    struct Outcome {
        /// Where the program is.
        var program: String
        /// The process's environment with its home.
        var environment: [String]
        var terminal: (master: SharedFD, program: SharedFD)?
    }

    func build(_ program: InitProgram, _ launch: SteeredLaunch) throws(RuntimeFailure) -> Outcome {
        let owner = ids.owner(0, 0)
        let umask = CurrentProcess.setUmask(0)
        defer { CurrentProcess.setUmask(umask) }
        let root = ContainerRoot(descriptor: sources.root)
        var tree = RootTree(root, report: report)
        try attempt("prepare the root file system") { () throws(SystemError) in
            try cutOff()
            if owner != (0, 0) { try CurrentProcess.becomeForFiles(user: owner.0, group: owner.1) }
        }
        defer { if owner != (0, 0) { try? CurrentProcess.becomeForFiles(user: 0, group: 0) } }
        try attachMounts(to: &tree, program, launch)
        var outcome = Outcome(program: "", environment: [])
        try attempt("prepare the root file system") { () throws(SystemError) in
            if tree.makesDevices {
                let devices = DeviceNodes(root: root, areBound: ids.isMapped)
                try devices.make(DeviceNodes.all(spec.linux.devices), map: ids.owner)
            }
            if process.hasTerminal { outcome.terminal = try makeTerminal(tree, root) }
            for path in spec.linux.maskedPaths { try tree.mask(path) }
            for path in spec.linux.readOnlyPaths { try tree.makeReadOnly(path) }
            _ = try root.directory(process.workingDirectory)
            try tree.seal(isRootReadOnly: spec.root!.isReadOnly)
        }
        outcome.program = try ProgramSearch.find(
            process.arguments[0], environment: process.environment, directory: process.workingDirectory,
            inRoot: sources.root.raw)
        outcome.environment = HomeDirectory.environment(
            process.environment, uid: process.user.uid, inRoot: sources.root.raw)
        return outcome
    }

    /// Takes the namespace out of the machine's propagation and puts the root where it can be pivoted to.
    private func cutOff() throws(SystemError) {
        let above = try Files.open("/", 0o10_000_000)
        let kind = spec.linux.rootPropagation?.kind
        try Mounts.change(
            above.raw, propagation: kind == .private || kind == .unbindable ? Propagation.private : Propagation.slave,
            recursive: true, name: "/")
        let place = try Files.place(bundle.rootPath)
        try Mounts.attach(sources.root.raw, to: place.raw, name: bundle.rootPath)
    }

    private func attachMounts(
        to tree: inout RootTree, _ program: InitProgram, _ launch: SteeredLaunch
    ) throws(RuntimeFailure) {
        for (index, mount) in mounts.enumerated() {
            let source =
                sources.binds[index] ?? program.fileSystems[index].map { SharedFD(launch.takeDescriptor(in: $0)) }
            do {
                try tree.attach(mount, source)
                guard mount.kind == .legacyCgroups else { continue }
                try hierarchies.attach(mount, to: source!, program.legacyHierarchies, launch)
            } catch { throw RuntimeFailure(error).during("mount \(mount.destination)") }
        }
    }

    private func makeTerminal(
        _ tree: RootTree, _ root: ContainerRoot
    ) throws(SystemError) -> (master: SharedFD, program: SharedFD) {
        guard let devpts = tree.terminals else {
            throw SystemError("make a terminal", "", code: .noSuchDevice, advice: "No devpts is mounted on /dev/pts.")
        }
        let pair = try Console.make(
            in: devpts.raw, size: process.consoleSize, owner: ids.user(process.user.uid))
        try Console.show(pair.program, in: root)
        return pair
    }
}
