package import Linux
package import Sandbox
package import Spawn

/// What of this machine bears on every plan; read once, when the node starts.
package struct MachineFacts: Hashable, Sendable {
    package var capacity: MachineCapacity
    /// What the keeper may hand on.
    package var capabilities: Capabilities
    package var uid: UInt32
    package var gid: UInt32
    /// The cgroup controllers by which programs can be held here.
    package var controllers: CgroupControllers
    /// Where the machine shows its cgroups; nil: nowhere that programs would look.
    package var cgroups: String?

    package init(
        capacity: MachineCapacity, capabilities: Capabilities, uid: UInt32, gid: UInt32, controllers: CgroupControllers,
        cgroups: String? = nil
    ) {
        self.capacity = capacity
        self.capabilities = capabilities
        self.uid = uid
        self.gid = gid
        self.controllers = controllers
        self.cgroups = cgroups
    }
}

/// A spec made concrete: what is compiled once, and what differs from call to call.
package struct PlannedLaunch: Hashable, Sendable {
    package var plan: SandboxPlan
    package var call: ProgramCall

    package init(plan: SandboxPlan, call: ProgramCall) {
        self.plan = plan
        self.call = call
    }
}

/// Turns a valid spec into a plan. Pure: what has to be looked up is in the facts and findings.
///
/// Invariants
/// 1. Containers that ask for the same place get equal plans, whatever they run in it: a template is shared.
///    (test: `two programs in the same place share a plan`)
/// 2. Nothing is isolated less than asked: what this machine cannot do is an error that names the flag.
///    (test: `a limit above what the machine has is refused by its flag`)
package struct PlanBuilder: Sendable {
    package let machine: MachineFacts
    /// The compiled system-call filter for programs with these capabilities.
    package let filter: @Sendable (Capabilities) -> [UInt8]

    package init(machine: MachineFacts, filter: @escaping @Sendable (Capabilities) -> [UInt8]) {
        self.machine = machine
        self.filter = filter
    }

    /// - Parameters:
    ///   - image: what a container of an image has as its root.
    ///   - hostname: the host name of this container; nil: one for all.
    package func build(
        _ spec: ContainerSpec, _ findings: LaunchFindings, image: ImageRoot? = nil, hostname: String? = nil
    ) throws(SpecError) -> PlannedLaunch {
        var plan = SandboxPlan()
        plan.identity = findings.identity
        plan.identity.groups += spec.supplementalGroups.filter { !findings.identity.groups.contains($0) }
        plan.limits = try limits(of: spec)
        plan.resourceLimits = spec.limits.compactMap { limit in
            limit.resource.map { ResourceLimit($0, soft: limit.soft, hard: limit.hard) }
        }
        switch spec.rung {
        case .process: try applyProcessRung(spec, to: &plan)
        case .container, .function: try applyContainerRung(spec, findings.program, to: &plan)
        }
        if let image { try applyImage(image, spec, findings, to: &plan) }
        if spec.isPrivileged { try applyPrivileges(spec, to: &plan) }
        let call = ProgramCall(
            path: findings.program.path, arguments: StringBlock(spec.words),
            environment: DefaultEnvironment.of(spec, identity: findings.identity, hostname: hostname),
            directory: spec.directory, hostname: image == nil ? nil : hostname)
        return PlannedLaunch(plan: plan, call: call)
    }

    /// A program on the process rung has what a child of a root shell has: the step up from fork and exec changes
    /// nothing until somebody asks for it.
    private func applyProcessRung(_ spec: ContainerSpec, to plan: inout SandboxPlan) throws(SpecError) {
        plan.namespaces = []
        plan.root = .unchanged
        plan.maskedPaths = []
        plan.readOnlyPaths = []
        plan.temporaryBytes = nil
        plan.capabilities = plan.identity.uid == 0 ? machine.capabilities : []
        plan.capabilities = plan.capabilities.union(try capabilities(spec)).subtracting(try dropped(spec))
        plan.noNewPrivileges = false
    }

    private func applyContainerRung(
        _ spec: ContainerSpec, _ program: FoundProgram, to plan: inout SandboxPlan
    ) throws(SpecError) {
        if spec.network == .host { plan.namespaces.remove(.network) }
        try applyProcesses(spec, to: &plan)
        if machine.uid != 0 { try applyUserNamespace(spec, to: &plan) }
        plan.root = root(of: spec)
        plan.mounts = spec.mounts.map(Self.mount)
        plan.mounts += spec.devices.map { Mount(.device($0.source), at: $0.target) }
        plan.usesInit = spec.usesInit
        if let bytes = spec.sharedMemoryBytes { plan.sharedMemoryBytes = bytes }
        plan.hostname = spec.hostname ?? ContainerSpec.defaultHostname
        if spec.root == .host, spec.image == nil {
            plan.maskedPaths += KernelPaths.machineSecrets
            plan.mounts += mountsOfProgram(program, declared: spec.mounts)
        }
        // A root of somebody's making has its own /tmp; a declared one takes the private one's place.
        if spec.root != .host || spec.image != nil || spec.mounts.contains(where: { Self.parts($0.target) == ["tmp"] }) {
            plan.temporaryBytes = nil
        }
        plan.capabilities = try held(over: [], spec)
        plan.noNewPrivileges = spec.noNewPrivileges
        plan.systemCallFilter = spec.hasSystemCallFilter ? filter(plan.capabilities) : []
    }

    /// What differs for a container of an image: its root, and Docker's conventions, which images expect.
    private func applyImage(
        _ image: ImageRoot, _ spec: ContainerSpec, _ findings: LaunchFindings, to plan: inout SandboxPlan
    ) throws(SpecError) {
        guard machine.uid == 0 else {
            throw SpecError("the image", spec.image?.name ?? "", "needs a node that runs as root: start it with sudo")
        }
        plan.root = .overlay(lower: image.layers, upper: .room(image.rooms, readOnly: spec.isReadOnly))
        plan.temporaryBytes = nil
        plan.maskedPaths = KernelPaths.masked
        plan.madeDirectories = findings.missingDirectory.map { [$0] } ?? []
        plan.roomPlaces = findings.roomPlaces
        plan.showsSysfs = true
        // The call brings the name: all containers of the image share the template.
        plan.hostname = nil
        let base = Capabilities.dockerDefault.intersection(machine.capabilities)
        let held = try held(over: base, spec)
        plan.gainableCapabilities = held
        // Who is not root holds what was asked for by name; the rest can be gained by a program that has the right.
        plan.capabilities = plan.identity.uid == 0 ? held : try self.held(over: [], spec)
        plan.systemCallFilter = spec.hasSystemCallFilter ? filter(held) : []
        // A declared /sys takes the place of the sandbox's own.
        if spec.mounts.contains(where: { Self.parts($0.target) == ["sys"] }) { plan.showsSysfs = false }
    }

    private func applyProcesses(_ spec: ContainerSpec, to plan: inout SandboxPlan) throws(SpecError) {
        guard spec.processes != .own else { return }
        guard machine.uid == 0 else {
            throw SpecError("--pid", "", "the processes of others need a node that runs as root: start it with sudo")
        }
        plan.namespaces.remove(.pid)
        if case .container = spec.processes { plan.isProcessesGiven = true }
    }

    /// As containerd has it for privileged containers: what the node itself may do, and the machine's cgroups.
    private func applyPrivileges(_ spec: ContainerSpec, to plan: inout SandboxPlan) throws(SpecError) {
        guard machine.uid == 0 else {
            throw SpecError("--privileged", "", "needs a node that runs as root: start it with sudo")
        }
        plan.isPrivileged = true
        plan.gainableCapabilities = machine.capabilities.subtracting(try dropped(spec))
        plan.capabilities = plan.identity.uid == 0 ? plan.gainableCapabilities : []
        plan.noNewPrivileges = false
        plan.systemCallFilter = []
        plan.maskedPaths = []
        plan.readOnlyPaths = []
        plan.namespaces.remove(.cgroup)
        let declared = plan.mounts.map { Self.parts($0.target) }
        guard plan.showsSysfs, let cgroups = machine.cgroups,
            !declared.contains(where: { Self.parts(cgroups).starts(with: $0) })
        else { return }
        plan.mounts.append(Mount(.bind(cgroups), at: cgroups))
    }

    /// Rootless: the user who started the node is root inside, and the only one there.
    private func applyUserNamespace(_ spec: ContainerSpec, to plan: inout SandboxPlan) throws(SpecError) {
        plan.namespaces.insert(.user)
        plan.identityMap = IdentityMap(firstUserOutside: machine.uid, firstGroupOutside: machine.gid, count: 1)
        guard plan.identity.uid == 0, plan.identity.gid == 0 else {
            throw SpecError(
                "-u", spec.user ?? "", "without root there is one user inside: start the node as root for others")
        }
        plan.identity.groups = []
    }

    // Parts.

    private func root(of spec: ContainerSpec) -> RootFilesystem {
        switch spec.root {
        case .host: .host
        case .directory(let path): .directory(path, readOnly: spec.isReadOnly)
        case .overlay(let lower, let upper?, let work?): .overlay(lower: lower, upper: .directory(upper, work: work))
        case .overlay(let lower, _, _):
            .overlay(lower: lower, upper: spec.isReadOnly ? .readOnly : .temporary(bytes: Self.overlayBytes))
        }
    }

    /// What a container may write over an overlay without a directory for it.
    static let overlayBytes = 1 << 30

    private static func mount(_ mount: ContainerMount) -> Mount {
        switch mount {
        case .bind(let source, let target, let isReadOnly): Mount(.bind(source), at: target, readOnly: isReadOnly)
        case .temporary(let target, let bytes):
            Mount(.temporary(bytes: bytes ?? ContainerMount.defaultTemporaryBytes), at: target)
        case .volume: preconditionFailure("a volume is made a directory before it is mounted")
        }
    }

    /// A host root hides most of the machine; the program's own file is shown at its own path, read-only, where it
    /// would not be seen otherwise.
    private func mountsOfProgram(_ program: FoundProgram, declared: [ContainerMount]) -> [Mount] {
        func isShown(_ path: String) -> Bool {
            let parts = Self.parts(path)
            let shown = HostRoot.directories.map(Self.parts) + declared.map { Self.parts($0.target) }
            return shown.contains { parts.starts(with: $0) }
        }
        if !isShown(program.path) { return [Mount(.bind(program.realPath), at: program.path, readOnly: true)] }
        if !isShown(program.realPath) { return [Mount(.bind(program.realPath), at: program.realPath, readOnly: true)] }
        return []
    }

    private static func parts(_ path: String) -> [Substring] { path.split(separator: "/") }

    private func capabilities(_ spec: ContainerSpec) throws(SpecError) -> Capabilities {
        var added: Capabilities = []
        for name in spec.addedCapabilities {
            guard let capability = Capabilities(name: name) else { throw SpecError("--cap-add", name, "no such capability") }
            if capability == .all {
                added.formUnion(machine.capabilities)
            } else if machine.capabilities.isSuperset(of: capability) || machine.uid != 0 {
                // Inside a user namespace its root has every capability over what is in it.
                added.formUnion(capability)
            } else {
                throw SpecError("--cap-add", name, "the node does not have this capability itself, so it cannot give it")
            }
        }
        return added
    }

    /// As Docker has it: where everything is dropped, what is added by name is held all the same.
    private func held(over base: Capabilities, _ spec: ContainerSpec) throws(SpecError) -> Capabilities {
        let (added, dropped) = (try capabilities(spec), try dropped(spec))
        return dropped.isSuperset(of: .all) ? added : base.union(added).subtracting(dropped)
    }

    private func dropped(_ spec: ContainerSpec) throws(SpecError) -> Capabilities {
        guard let dropped = Capabilities(names: spec.droppedCapabilities) else {
            throw SpecError("--cap-drop", spec.droppedCapabilities.joined(separator: ","), "no such capability")
        }
        return dropped
    }

    // Limits.

    func limits(of spec: ContainerSpec) throws(SpecError) -> CgroupLimits {
        try check("--memory", spec.memoryBytes, CgroupLimits(memoryBytes: spec.memoryBytes))
        try check("--cpus", spec.milliCPUs.map { "\($0)m" }, CgroupLimits(cpuMillis: spec.milliCPUs))
        try check("--cpu-shares", spec.cpuShares, CgroupLimits(cpuShares: spec.cpuShares))
        try check("--cpuset-cpus", spec.cpus, CgroupLimits(cpus: spec.cpus))
        var pids = spec.pidsLimit
        if pids == 0 { pids = nil }
        try check("--pids-limit", pids, CgroupLimits(pids: pids))
        // The default holds where it can be had; asked for, a limit that cannot be had is an error.
        if spec.pidsLimit == nil, machine.controllers.contains(.pids) {
            pids = min(ContainerSpec.defaultPidsLimit, machine.capacity.processes)
        }
        return CgroupLimits(memoryBytes: spec.memoryBytes, pids: pids, cpuMillis: spec.milliCPUs, cpuShares: spec.cpuShares,
            cpus: spec.cpus)
    }

    private func check(
        _ flag: String, _ value: (some CustomStringConvertible)?, _ limits: CgroupLimits
    ) throws(SpecError) {
        guard let value else { return }
        do { try limits.validate(machine: machine.capacity) } catch {
            throw SpecError(flag, "\(value)", error.advice)
        }
        guard machine.controllers.isSuperset(of: limits.controllers) else {
            throw SpecError(
                flag, "\(value)",
                "this machine offers no cgroup controller for it (\(limits.controllers)); \"forkless doctor\" says why")
        }
    }
}
