internal import Engine
package import HTTPServing
package import Lambda
package import Linux
internal import Keeper
internal import Sandbox
internal import Spawn
internal import Synchronization

/// Starts instances in sandboxes of this machine.
///
/// Invariants (with their tests in SandboxLauncherTests)
/// 1. Instances of one version have equal plans, planned once. (`instances of a version share a template`)
/// 2. Whatever becomes of a start, its events end with `.ended`. (`a function that cannot be started says so and ends`)
package final class SandboxLauncher: InstanceLauncher, Sendable {
    /// Takes part in the adoption of what runs: give it to the node's link.
    package let sandboxes: FunctionSandboxes
    package let logs: LogThread
    package let plans: FunctionPlans
    /// Processes that were initialised ahead, from which instances are forked.
    package let zygotes: ZygoteShelf
    let networks: InstanceNetworks
    private let ground: InstanceGround
    private let cgroups: CgroupLayout
    private let plannings: Mutex<[RuntimeKind: any RuntimePlanning]>
    private let recipes = Mutex<[DeployedFunction: Task<Result<InstanceRecipe, InstanceStartFailure>, Never>]>([:])
    /// How many recipes have this plan: a function that was changed in its description has the plan that it had.
    private let uses = Mutex(PlanUses())
    private let clock: @Sendable () -> Instant

    /// Which planning is whose.
    package enum RuntimeKind: Hashable, Sendable { case bootstrap, python, image, stdio }

    /// - Throws: `SystemError` when a directory of the state cannot be made, or the machine cannot be looked at.
    package init(_ keeper: any InstanceKeeper, _ ground: InstanceGround) throws(SystemError) {
        self.ground = ground
        sandboxes = FunctionSandboxes(keeper)
        logs = try LogThread(directory: ground.logs)
        plans = try FunctionPlans(ground)
        zygotes = ZygoteShelf(ZygoteGround(sandboxes, logs, plans))
        networks = InstanceNetworks()
        cgroups = try CgroupLayout.ofThisProcess()
        clock = { Instant(nanoseconds: Clock.monotonicNanoseconds()) }
        plannings = Mutex([
            .bootstrap: BootstrapPlanning(plans, zygotes: zygotes), .image: try ImagePlanning(plans), .stdio: StdioPlanning(plans),
        ])
    }

    /// Has another planning do a kind of runtime, from now on.
    package func use(_ planning: any RuntimePlanning, for kind: RuntimeKind) { plannings.withLock { $0[kind] = planning } }

    /// Makes networks ahead, before the first call.
    package func warm() { networks.warm() }

    /// Nothing is started any more: zygotes are ended, what waits is closed, and logs are written.
    package func close() async {
        await zygotes.close()
        networks.close()
        await logs.close()
    }

    // Launching.

    package func launch(
        _ function: DeployedFunction, isProvisioned: Bool, on loop: ServingLoop,
        events: @escaping (InstanceEvent) -> Void
    ) -> any FunctionInstance {
        loop.preconditionCurrent()
        let surroundings = InstanceSurroundings(
            name: sandboxes.nextName(), function: function, isProvisioned: isProvisioned, loop: loop, sandboxes: sandboxes,
            logs: logs, ground: ground, cgroups: cgroups, clock: clock, events: events)
        let name = surroundings.name
        if case .stdio = function.runtime {
            let instance = StdioInstance(surroundings)
            let bound = LoopBound(instance, on: loop)
            Task { await self.start(stdio: bound, name, function, isProvisioned: isProvisioned) }
            return instance
        }
        var concurrency = 1
        if case .concurrent(let count) = function.settings.freshness { concurrency = max(count, 1) }
        let instance = RuntimeInstance(surroundings, concurrency: concurrency)
        let bound = LoopBound(instance, on: loop)
        Task { await self.start(bound, name, function, isProvisioned: isProvisioned) }
        return instance
    }

    package func coldStartReason(_ function: DeployedFunction) -> String? {
        function.settings.start == .zygote ? zygotes.unfitReason(of: function) : nil
    }

    package func expect(_ function: DeployedFunction) {
        // Begun here, so that a `forget` that follows finds it.
        let planning = planning(of: function)
        Task {
            // What is wrong with it, its first start will say.
            guard let recipe = try? await self.outcome(planning, of: function), recipe.starter == nil else { return }
            await self.sandboxes.keeper.expect(recipe.started(in: function))
        }
    }

    package func forget(_ function: DeployedFunction) {
        guard let planned = recipes.withLock({ $0.removeValue(forKey: function) }) else { return }
        Task {
            guard case .success(let recipe) = await planned.value else { return }
            await recipe.starter?.forget()
            let plan = recipe.started(in: function)
            if uses.withLock({ $0.leave(plan) }) { await self.sandboxes.keeper.forget(plan) }
        }
    }

    private func start(
        _ bound: LoopBound<RuntimeInstance>, _ name: String, _ function: DeployedFunction, isProvisioned: Bool
    ) async {
        let loop = bound.loop
        do throws(InstanceStartFailure) {
            let recipe = try await recipe(of: function)
            var starter = recipe.extensions.isEmpty ? recipe.starter : nil
            let network: InstanceNetwork
            if let place = await starter?.place(for: name) {
                network = place
            } else {
                starter = nil
                network = try await self.network()
            }
            let namespace = network.namespace
            let process: InstanceProcess
            do throws(InstanceStartFailure) {
                process = try self.process(name, recipe, function, bound, by: starter, isProvisioned: isProvisioned)
            } catch {
                await starter?.kill(name)
                throw error
            }
            let listener = network.takeListener().release()
            let goesOn = await loop.run {
                bound.value.prepared(process, InstanceNetwork(namespace: namespace, listener: OwnedFD(adopting: listener)))
                return bound.value.phase == .initializing
            }
            guard goesOn else {
                await starter?.kill(name)
                // Stopped, or failed, before there was anything to end.
                return loop.execute { bound.value.fail(InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "the instance was stopped")) }
            }
            let started = try await process.run(in: namespace)
            let meter = InstanceMeter(pid: started.report.pid, cgroups)
            loop.execute { bound.value.started(meter) }
        } catch { loop.execute { bound.value.fail(error) } }
    }

    private func process(
        _ name: String, _ recipe: InstanceRecipe, _ function: DeployedFunction, _ bound: LoopBound<RuntimeInstance>,
        by starter: (any InstanceStarting)?, isProvisioned: Bool
    ) throws(InstanceStartFailure) -> InstanceProcess {
        let loop = bound.loop
        do {
            return try InstanceProcess(
                name, recipe, environment: environment(function, isProvisioned: isProvisioned), sandboxes, logs,
                log: logs.log(of: function.name), starter: starter,
                onEnd: { program, end in
                    loop.execute {
                        switch program {
                        case .sandbox: bound.value.ended(end)
                        case .extension(let name): bound.value.extensionEnded(name, end)
                        }
                    }
                },
                onFailure: { failure in loop.execute { bound.value.failExtension(failure) } })
        } catch { throw InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "start \(function.name): \(error)") }
    }

    func environment(_ function: DeployedFunction, isProvisioned: Bool) -> StringBlock {
        let day = Clock.now().description.prefix(10).split(separator: "-").joined(separator: "/")
        return FunctionEnvironment.own(
            logStream: "\(day)/[\(function.version)]\(InstanceSurroundings.randomID())", isProvisioned: isProvisioned)
    }

    private func network() async throws(InstanceStartFailure) -> InstanceNetwork {
        if let ready = networks.takeReady() { return ready }
        do { return try await networks.take() } catch {
            throw InstanceStartFailure(errorType: "Sandbox.Failure", errorMessage: "make a network for the instance: \(error)")
        }
    }

    /// What is planned once for all instances of a version; a plan that failed is tried again by the next.
    func recipe(of function: DeployedFunction) async throws(InstanceStartFailure) -> InstanceRecipe {
        try await outcome(planning(of: function), of: function)
    }

    private typealias Planning = Task<Result<InstanceRecipe, InstanceStartFailure>, Never>

    private func outcome(
        _ planning: Planning, of function: DeployedFunction
    ) async throws(InstanceStartFailure) -> InstanceRecipe {
        let result = await planning.value
        if case .failure = result { recipes.withLock { if $0[function] == planning { $0[function] = nil } } }
        return try result.get()
    }

    private func planning(of function: DeployedFunction) -> Planning {
        recipes.withLock { recipes in
            if let known = recipes[function] { return known }
            let task = Planning {
                do throws(InstanceStartFailure) { return .success(try await self.plan(function)) } catch { return .failure(error) }
            }
            recipes[function] = task
            return task
        }
    }

    private func plan(_ function: DeployedFunction) async throws(InstanceStartFailure) -> InstanceRecipe {
        let kind: RuntimeKind =
            switch function.runtime {
            case .bootstrap: .bootstrap
            case .python: .python
            case .image: .image
            case .stdio: .stdio
            }
        guard let planning = plannings.withLock({ $0[kind] }) else {
            throw InstanceStartFailure(
                errorType: "Runtime.InvalidEntrypoint", isPermanent: true, "this node runs no \(function.runtime.name) functions")
        }
        // Before it is looked at: what is held then is there.
        let code = ground.hold(function)
        var recipe = try await planning.plan(function)
        recipe.holds += code
        if recipe.share == nil { recipe.share = plans.limits(of: function, isInitializing: false) }
        uses.withLock { $0.enter(recipe.started(in: function)) }
        return recipe
    }

    private func start(
        stdio bound: LoopBound<StdioInstance>, _ name: String, _ function: DeployedFunction, isProvisioned: Bool
    ) async {
        let loop = bound.loop
        do throws(InstanceStartFailure) {
            let recipe = try await recipe(of: function)
            try await StdioStart(sandboxes: sandboxes, logs: logs).start(
                bound, name, recipe, environment: environment(function, isProvisioned: isProvisioned), function)
        } catch { loop.execute { bound.value.fail(error) } }
    }
}

extension InstanceRecipe {
    /// The plan as the keeper has it.
    func started(in function: DeployedFunction) -> SandboxPlan {
        var plan = plan
        if case .stdio = function.runtime { return plan }
        plan.network = .given
        return plan
    }
}

/// Counts who needs a plan.
private struct PlanUses {
    private var counts: [SandboxPlan: Int] = [:]

    mutating func enter(_ plan: SandboxPlan) { counts[plan, default: 0] += 1 }

    /// True when nobody needs it any more.
    mutating func leave(_ plan: SandboxPlan) -> Bool {
        guard let count = counts[plan] else { preconditionFailure("a plan is left that nobody has entered") }
        counts[plan] = count > 1 ? count - 1 : nil
        return count == 1
    }
}
