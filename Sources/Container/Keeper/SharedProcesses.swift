import Linux
import Sandbox
import Spawn

// Sandboxes whose programs are in the pid namespace of another one: containers of a pod that share their processes, and
// those that look into another container.
//
// Invariants
// 1. With the sandbox whose pid namespace it is everything in it ends; any other may end and be started anew alone.
//    (test: `sandboxes in one pid namespace end alone, and all with the one whose it is`)
// 2. Nobody in a pid namespace can take over a child that is on its way to become a program there and shares the
//    keeper's memory until then: whoever holds CAP_SYS_PTRACE in the machine's own user namespace opens any process that
//    it sees, dumpable or not (ptrace(2), PTRACE_MODE_ATTACH; CVE-2016-9962), so it stands still meanwhile, and does not
//    begin while another child is on its way. The privileged, who may do anything to the machine, are not held.
//    (test: `who could trace a child on its way stands still until it is a program`)

extension Keeper {
    /// Refuses a place among others that does not fit the plan.
    func checkProcesses(_ request: StartRequest, _ plan: SandboxPlan) throws(KeeperFailure) {
        let what = "start \(request.sandbox)"
        guard (request.among != nil) == plan.isProcessesGiven else {
            throw KeeperFailure(
                .badRequest,
                plan.isProcessesGiven
                    ? "\(what): its plan has a given pid namespace, and no sandbox was named whose that is"
                    : "\(what): its plan has no given pid namespace, so it cannot be among others")
        }
        guard let name = request.among else { return }
        guard request.beneath == nil else {
            throw KeeperFailure(.badRequest, "\(what): it can be among others or beneath another, not both")
        }
        let sandbox = try running(name)
        guard sandbox.parent == nil, sandbox.pidOwner != nil else {
            throw KeeperFailure(.badRequest, "\(what) among those of \(name): that one has no pid namespace")
        }
        guard !sandbox.plan.namespaces.contains(.user) else {
            throw KeeperFailure(.badRequest, "\(what) among those of \(name): that one has a user namespace of its own")
        }
    }

    /// Starts a child that is born into the pid namespace of a sandbox that runs; nil: the machine's.
    func born(
        into name: String?, _ start: () throws(SpawnError) -> ParkedLaunch
    ) throws(KeeperFailure) -> ParkedLaunch {
        func started() throws(KeeperFailure) -> ParkedLaunch {
            do { return try start() } catch { throw KeeperFailure(error) }
        }
        guard let name else { return try started() }
        guard let above = try running(name).pidfd, let own = ownPidNamespace else {
            throw KeeperFailure(.conflict, "\(name) has ended")
        }
        do { try CurrentProcess.join(above.raw, .pid) } catch { throw KeeperFailure(error) }
        defer {
            // To be left in another's namespace would put every later child into it.
            do { try CurrentProcess.join(own.raw, .pid) } catch { preconditionFailure("\(error)") }
        }
        return try started()
    }

    // Tracers.

    /// Stops those who could trace a child born into a pid namespace; `letGo` lets them go on.
    ///
    /// - Parameters:
    ///   - owner: whose namespace it is.
    ///   - plan: the child's.
    ///   - sandbox: the one that the child is to enter, whose cgroup it is born into; nil: it is a sandbox itself.
    func holdTracers(
        of owner: String?, for plan: SandboxPlan, entering sandbox: Supervised? = nil
    ) throws(KeeperFailure) -> [Supervised] {
        guard let owner else { return [] }
        let isBusy = children.values.contains { child in
            child.pidOwner == owner && child.start != nil && (child.plan.canTrace || plan.canTrace)
        }
        guard !isBusy else {
            throw KeeperFailure(
                .conflict,
                "start a program among those of \(owner): another one is just being started, and one of both may trace the other. "
                    + "Try again.", code: Errno.again.rawValue)
        }
        let tracers = programs.values.filter {
            $0.parent == nil && $0.end == nil && $0.pidOwner == owner && $0.plan.canTrace
        }
        if let sandbox, tracers.contains(where: { $0 === sandbox }) {
            throw KeeperFailure(
                .badRequest,
                "execute in \(sandbox.name): its programs have CAP_SYS_PTRACE, with which they could take over whoever "
                    + "enters. Start the sandbox without this capability, or with a user namespace.")
        }
        var held: [Supervised] = []
        do throws(SystemError) {
            for tracer in tracers {
                guard let cgroup = tracer.cgroup, let hierarchy else {
                    throw SystemError("hold", tracer.name, code: .notSupported, advice: "It has no cgroup.")
                }
                if tracer.holds == 0, !tracer.isFrozen { try hierarchy.freezeBlocking(cgroup) }
                tracer.holds += 1
                held.append(tracer)
            }
        } catch {
            for tracer in held { release(tracer) }
            throw KeeperFailure(
                .conflict,
                "start a program among those of \(owner): some of them have CAP_SYS_PTRACE and cannot be held meanwhile: \(error)",
                code: error.code == .busy ? Errno.again.rawValue : 0)
        }
        return held
    }

    /// A child is a program now, or gone.
    func letGo(_ child: Child) {
        for tracer in child.held { release(tracer) }
        child.held = []
    }

    func release(_ tracer: Supervised) {
        tracer.holds -= 1
        guard tracer.holds == 0, !tracer.isFrozen, let cgroup = tracer.cgroup else { return }
        // Of one that has ended meanwhile there may be no cgroup any more.
        try? hierarchy?.thaw(cgroup)
    }
}

extension SandboxPlan {
    /// Whether its programs may trace who is as mighty as the keeper, without being so themselves.
    fileprivate var canTrace: Bool {
        !isPrivileged && !namespaces.contains(.user) && !bounding.isDisjoint(with: Capabilities(name: "SYS_PTRACE")!)
    }
}
