internal import Engine
internal import Keeper
package import Linux
package import Sandbox
import Spawn

/// Runs each call in a sandbox of its own, with the caller's own streams, words, environment, directory, user, umask, nice
/// value and limits.
///
/// There is no pid namespace: the first process of one is not killed by signals as others are, and callers see how a
/// program ends. The sandbox's cgroup holds what the program starts, and it is killed as a whole.
package struct SandboxTarget: CallTarget {
    /// Where programs run.
    package enum Ground: Sendable {
        /// As the caller's child would: no isolation but a cgroup. For comparing a program with itself.
        case process
        /// With the machine's files, and with the machine's processes and devices out of reach by capabilities, a
        /// system-call filter, and namespaces for mounts, IPC, names and cgroups.
        case machine(capabilities: Capabilities, filter: [UInt8])
        /// The same with an image's files, over which the working directory is bound.
        case image(layers: [String], capabilities: Capabilities, filter: [UInt8], holds: any Sendable)
    }

    let ground: Ground
    /// Where the original can be executed: not below its shim.
    let program: String
    /// The path by which callers know it, which is the original's where mounts are not shown.
    let name: String
    let sandboxes: CallSandboxes
    /// Whether calls run here that inherit descriptors beyond the standard streams; they are then without them.
    let dropsDescriptors: Bool
    let limits: CgroupLimits
    /// Where shadows write whose files somebody wants to see; nil: nowhere, and such calls are not shadowed.
    let layers: ShadowLayers?

    package init(
        _ ground: Ground, program: String, name: String, sandboxes: CallSandboxes, dropsDescriptors: Bool = false,
        limits: CgroupLimits = CgroupLimits(), layers: ShadowLayers? = nil
    ) {
        self.ground = ground
        self.program = program
        self.name = name
        self.sandboxes = sandboxes
        self.dropsDescriptors = dropsDescriptors
        self.limits = limits
        self.layers = layers
    }

    package func obstacles(to call: ShimCall) -> [String] {
        let surroundings = call.surroundings
        return surroundings.obstacles.filter { obstacle in
            if case .inherits = obstacle { !dropsDescriptors } else { true }
        }.map(\.description) + filesObstacle(call, surroundings)
    }

    /// Why what a shadow writes cannot be seen.
    private func filesObstacle(_ call: ShimCall, _ surroundings: CallSurroundings) -> [String] {
        guard !call.outputs.isEmpty, let directory = surroundings.directory else { return [] }
        guard layers != nil else { return ["the files that it writes cannot be seen there"] }
        return isOnOneFileSystem([directory] + call.outputs.directories)
            ? [] : ["its files lie on several file systems, so what it writes cannot be kept apart"]
    }

    package func run(_ call: ShimCall, _ streams: CallStreams, _ control: CallControl) async -> CallEnd {
        guard var launch = launch(call, call.surroundings) else { return .refused("its working directory is gone") }
        guard !call.outputs.isEmpty, let layers else { return await run(launch, streams, control) }
        let layer: ShadowLayer
        do { layer = try await layers.make() } catch { return .refused("\(error)") }
        launch.plan.root = .overlay(lower: ["/"], upper: layer.root)
        let end = await run(launch, streams, control)
        control.leave(await layer.left(of: call.outputs))
        await layer.remove()
        // Its layer made it a plan that no other call has.
        await sandboxes.forget(launch.plan)
        return end
    }

    private func run(_ launch: PlannedLaunch, _ streams: CallStreams, _ control: CallControl) async -> CallEnd {
        let token = CallToken()
        control.commit(token)
        if let problem = await start(token, launch.plan, launch.call, streams) { return problem }
        control.listen { sandboxes.signal(token, Self.passed($0)) }
        control.started()
        let report = await withTaskCancellationHandler {
            await sandboxes.report(of: token)
        } onCancel: {
            sandboxes.signal(token, Signal.kill)
        }
        guard let report else { return .lost("the keeper that ran it is gone") }
        return .ended(report.status, report.total)
    }

    private func start(
        _ token: CallToken, _ plan: SandboxPlan, _ call: ProgramCall, _ streams: CallStreams
    ) async -> CallEnd? {
        let taken = streams.take()
        guard let input = taken.input, let output = taken.output, let errors = taken.errors else {
            return .refused("a standard stream is closed")
        }
        do {
            _ = try await sandboxes.start(token, plan, call, [input.raw, output.raw, errors.raw])
            withExtendedLifetime(taken) {}
            return nil
        } catch {
            switch error {
            case .failed(let failure): return .refused(failure.message)
            case .unanswered(let failure): return .lost(failure.message)
            }
        }
    }

    /// A session of its own is no foreground of a terminal, where the signals of a terminal's keys would be ignored
    /// (orphaned process groups, setpgid(2)): the stop itself is passed on.
    private static func passed(_ number: Int32) -> Int32 { (20...22).contains(number) ? Signal.stop : number }

    // The plan.

    /// Everything that a program's birth consists of; nil without a working directory.
    ///
    /// - Parameter isTraced: its environment names the call and its hop; false for copies that are born before their calls.
    func launch(_ call: ShimCall, _ surroundings: CallSurroundings, isTraced: Bool = true) -> PlannedLaunch? {
        guard let directory = surroundings.directory else { return nil }
        let plan = plan(call, surroundings, directory)
        // A shadow is compared with an original that has its caller's environment and nothing else.
        let environment = isTraced && !call.isShadow ? call.head.tracedEnvironment : call.head.environment
        let words = ProgramCall(
            path: showsMounts(plan) ? program : name, arguments: call.head.arguments,
            environment: environment, directory: directory)
        return PlannedLaunch(plan: plan, call: words)
    }

    private func plan(_ call: ShimCall, _ surroundings: CallSurroundings, _ directory: String) -> SandboxPlan {
        var plan = SandboxPlan()
        let traits = surroundings.traits
        plan.identity = Users.Identity(uid: call.head.uid, gid: call.head.gid, groups: traits.supplementary)
        plan.umask = traits.umask
        plan.niceValue = traits.nice
        plan.ignoredSignals = surroundings.ignoredSignals
        plan.blockedSignals = call.head.signalMask
        plan.limits = limits
        plan.resourceLimits = surroundings.limits.compactMap { limit in
            ResourceLimit.Resource(rawValue: limit.resource).map {
                ResourceLimit(
                    $0, soft: limit.soft == .max ? nil : limit.soft, hard: limit.hard == .max ? nil : limit.hard)
            }
        }
        plan.network = .machine
        plan.temporaryBytes = nil
        switch ground {
        case .process: complete(process: &plan)
        case .machine(let capabilities, let filter):
            isolate(&plan, capabilities, filter)
            plan.root = .directory("/", readOnly: false)
        case .image(let layers, let capabilities, let filter, _):
            isolate(&plan, capabilities, filter)
            plan.root = .overlay(lower: layers, upper: .temporary(bytes: Self.writtenBytes))
            plan.mounts = [Mount(.bind(directory), at: directory, readOnly: call.isShadow)]
        }
        if traits.noNewPrivileges { plan.noNewPrivileges = true }
        if call.isShadow {
            plan.namespaces.insert(.mount)
            plan.root = shadowRoot(plan.root, directory)
        }
        return plan
    }

    private func showsMounts(_ plan: SandboxPlan) -> Bool { if case .overlay = plan.root { false } else { true } }

    /// What a call may write over files that are not its own to change.
    private static let writtenBytes = 1 << 30

    private func complete(process plan: inout SandboxPlan) {
        plan.namespaces = []
        plan.root = .unchanged
        plan.maskedPaths = []
        plan.readOnlyPaths = []
        plan.noNewPrivileges = false
        plan.capabilities = (plan.identity.uid == 0 ? try? Capabilities.permitted() : nil) ?? []
    }

    private func isolate(_ plan: inout SandboxPlan, _ capabilities: Capabilities, _ filter: [UInt8]) {
        plan.namespaces = [.mount, .ipc, .uts, .cgroup]
        plan.capabilities = plan.identity.uid == 0 ? capabilities : []
        plan.gainableCapabilities = capabilities
        plan.systemCallFilter = filter
    }

    /// What a shadow writes goes to memory and is gone with it; where the files lie on several file systems, which one
    /// overlay cannot show, it can write nothing.
    private func shadowRoot(_ root: RootFilesystem, _ directory: String) -> RootFilesystem {
        switch root {
        case .directory, .unchanged:
            return isOnOneFileSystem([directory])
                ? .overlay(lower: ["/"], upper: .temporary(bytes: Self.writtenBytes)) : .directory("/", readOnly: true)
        case .host, .overlay: return root
        }
    }

    private func isOnOneFileSystem(_ directories: [String]) -> Bool {
        let device = try? Files.status("/").device
        return (directories + [program, "/tmp"]).allSatisfy { (try? Files.status($0).device) == device }
    }
}
