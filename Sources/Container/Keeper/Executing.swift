import Linux
import Sandbox
import Spawn

// Another program in a sandbox that runs.
//
// The child enters the pid namespace at its birth: the keeper sets the namespace for its children, starts one and
// comes back; it never enters anything itself. Its memory, which the child shares until the exec, is not dumpable,
// so that nothing inside can reach it through the child (CVE-2016-9962).

extension Keeper {
    func execute(_ request: ExecuteRequest, _ caller: Caller) throws(KeeperFailure) {
        let sandbox = try running(request.sandbox)
        guard sandbox.parent == nil else {
            throw KeeperFailure(.badRequest, "execute in \(request.sandbox): it is a program in a sandbox, not one itself")
        }
        try checkExecution(request, in: sandbox)
        try checkName(request.name)
        let expected = request.terminal == nil ? 3 : 0
        guard caller.descriptors.count == expected else {
            throw KeeperFailure(
                .badRequest, "execute in \(request.sandbox): \(expected) descriptors were expected, \(caller.descriptors.count) came")
        }
        let start = PendingStart(
            connection: caller.connection, number: caller.number, name: request.name, parent: request.sandbox,
            call: request.call)
        startingNames.insert(start.name)
        var isUnderWay = false
        defer { if !isUnderWay { startingNames.remove(start.name) } }
        do {
            if let size = request.terminal {
                try giveTerminal(of: sandbox, size, to: start)
            } else {
                start.standard = caller.descriptors
            }
            let child = try makeChild(inside: sandbox, identity: request.identity, terminal: request.terminal != nil)
            child.start = start
            try follow(child)
            isUnderWay = true
        } catch let error as SystemError {
            throw KeeperFailure(error)
        } catch let error as SpawnError {
            throw KeeperFailure(error)
        } catch let error as KeeperFailure {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Refuses what would hang or hand the keeper over.
    private func checkExecution(_ request: ExecuteRequest, in sandbox: Supervised) throws(KeeperFailure) {
        guard !sandbox.isFrozen else {
            throw KeeperFailure(.conflict, "execute in \(request.sandbox): it is frozen. Thaw it first.")
        }
        do { try request.identity?.check() } catch {
            throw KeeperFailure(.badRequest, "\(error)", code: error.code.rawValue)
        }
    }

    /// A terminal of the sandbox's own devpts, so that its name is right inside; its master goes to who asked.
    private func giveTerminal(
        of sandbox: Supervised, _ size: Terminal.Size, to start: PendingStart
    ) throws(SystemError) {
        var pair: TerminalPair
        if sandbox.plan.namespaces.contains(.mount) {
            let root = try Files.open("/proc/\(sandbox.start.pid)/root", Self.pathOnly)
            pair = try Terminal.open(inRoot: root.raw)
        } else {
            pair = try Terminal.open()
        }
        let program = SharedFD(pair.takeProgram())
        let master = SharedFD(pair.takeMaster())
        try Terminal.setSize(size, of: master.raw)
        start.standard = [program, program, program]
        start.answered = [master]
    }

    private static let pathOnly: CInt = 0o10_000_000

    private func makeChild(inside sandbox: Supervised, identity: Users.Identity?, terminal: Bool) throws -> Child {
        guard let pidfd = sandbox.pidfd else { throw KeeperFailure(.conflict, "\(sandbox.name) has ended") }
        let held = try holdTracers(of: sandbox.pidOwner, for: sandbox.plan, entering: sandbox)
        var isMade = false
        defer { if !isMade { for tracer in held { release(tracer) } } }
        var plan = sandbox.plan
        if let identity { plan.identity = identity }
        let program = EnteringProgram(plan, joinCount: joinCount(sandbox), terminal: terminal)
        let launch = try born(into: sandbox.pidOwner == nil ? nil : sandbox.name) { () throws(SpawnError) in
            try program.start(in: sandbox.cgroup, of: hierarchy, sandbox: pidfd)
        }
        let child = try Child(nil, plan: plan, cgroup: nil, launch: launch)
        child.pidOwner = sandbox.pidOwner
        child.held = held
        children[child.pid] = child
        isMade = true
        return child
    }

    private func joinCount(_ sandbox: Supervised) -> Int {
        guard let cgroup = sandbox.cgroup, let hierarchy else { return 0 }
        return hierarchy.joinCount(for: cgroup.controllers)
    }
}
