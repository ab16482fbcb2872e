import Linux
import Sandbox
import Spawn

// Sandboxes beneath others: their pid namespace is made inside that of a sandbox that runs, so that its programs, which
// have no capabilities, may enter them (setns(2) leads only downwards). A zygote gives birth to instances that way.
//
// Invariants
// 1. The way leads into a user namespace of the new sandbox's own, and nowhere else: outside of it those who come have
//    no more rights than before. (test: `a sandbox beneath another needs namespaces of its own`)
// 2. A sandbox beneath another ends with it. (test: `a sandbox beneath another ends with it`)

extension Keeper {
    /// Refuses what would lead nowhere, or too far.
    func checkPlace(_ request: StartRequest, beneath name: String, _ plan: SandboxPlan) throws(KeeperFailure) {
        let sandbox = try running(name)
        let what = "start \(request.sandbox) beneath \(name)"
        guard sandbox.parent == nil, sandbox.hasPidNamespace else {
            throw KeeperFailure(.badRequest, "\(what): only a sandbox with a pid namespace can have others beneath it")
        }
        guard !sandbox.isFrozen else { throw KeeperFailure(.conflict, "\(what): it is frozen. Thaw it first.") }
        guard plan.namespaces.isSuperset(of: [.pid, .user]) else {
            throw KeeperFailure(.badRequest, "\(what): its plan must have a pid namespace and a user namespace of its own")
        }
        if case .terminal = request.stdio {
            throw KeeperFailure(.badRequest, "\(what): it cannot have a terminal")
        }
        guard request.room == nil else { throw KeeperFailure(.badRequest, "\(what): it cannot go on in a room") }
    }

    /// Starts a child beneath a sandbox; the way into it goes into the answer.
    func makeChild(
        _ entry: TemplateEntry, beneath name: String, answering start: PendingStart
    ) throws(KeeperFailure) -> Child {
        let child = try makeChild(entry, beneath: name)
        child.isOpened = true
        start.answered.append(child.pidfd)
        guard let cgroup = child.cgroup?.cgroup, let hierarchy else { return child }
        do {
            start.answered += try hierarchy.joinDescriptors(of: cgroup, placedAtBirth: false).descriptors
        } catch {
            discard(child)
            throw KeeperFailure(error)
        }
        return child
    }
}
