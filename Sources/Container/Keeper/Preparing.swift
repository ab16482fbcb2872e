import Linux
import Sandbox
import Spawn

// Templates, and children prepared ahead for them.

extension Keeper {
    /// Compiles a plan, or finds it compiled.
    func define(_ plan: SandboxPlan) throws(KeeperFailure) -> UInt32 {
        if let number = templateNumbers[plan] { return number }
        do { try plan.check(machine: .ofThisMachine()) } catch {
            throw KeeperFailure(.badRequest, "\(error)", code: error.code.rawValue)
        }
        do { if let rooms = plan.rooms { try Room.makeBase(in: rooms) } } catch { throw KeeperFailure(error) }
        let template: SandboxTemplate
        do { template = try SandboxTemplate(plan, hierarchy: hierarchy) } catch { throw KeeperFailure(error) }
        let number = nextTemplate
        nextTemplate += 1
        templates[number] = TemplateEntry(number: number, template: template)
        templateNumbers[plan] = number
        return number
    }

    func drop(_ number: UInt32) throws(KeeperFailure) {
        let entry = try template(number)
        entry.isDropped = true
        templates[number] = nil
        templateNumbers[entry.template.plan] = nil
        for child in entry.parked { discard(child) }
        entry.parked = []
        for idle in entry.idleCgroups { remove(idle.cgroup) }
        entry.idleCgroups = []
    }

    /// Sets how many children wait; those too many leave, those missing are made when nothing else is to do.
    func prepare(_ number: UInt32, count: Int) throws(KeeperFailure) {
        guard count <= Self.preparedLimit else {
            throw KeeperFailure(.badRequest, "prepare \(count) sandboxes: the most is \(Self.preparedLimit)")
        }
        let entry = try template(number)
        guard count == 0 || !entry.template.plan.isProcessesGiven else {
            throw KeeperFailure(.badRequest, "prepare sandboxes: which others they are to live among is known at their start")
        }
        entry.target = count
        entry.failuresInARow = 0
        while entry.parked.count > count { discard(entry.parked.removeLast()) }
        scheduleRefill()
    }

    /// Most children that wait for one template: each costs the kernel a process and its namespaces.
    static let preparedLimit = 256

    func template(_ number: UInt32) throws(KeeperFailure) -> TemplateEntry {
        guard let entry = templates[number] else { throw KeeperFailure(.notFound, "no template has the number \(number)") }
        return entry
    }

    /// Makes one missing child when no event waits, and comes back for the next.
    func scheduleRefill() {
        guard !refillScheduled, templates.values.contains(where: { $0.missing > 0 }) else { return }
        refillScheduled = true
        loop.whenIdle { [self] in
            refillScheduled = false
            if let entry = templates.values.filter({ $0.missing > 0 }).max(by: { $0.missing < $1.missing }) {
                do { try prepareOne(entry) } catch { entry.failuresInARow += 1 }
            }
            scheduleRefill()
        }
    }

    private func prepareOne(_ entry: TemplateEntry) throws(KeeperFailure) {
        let child = try makeChild(entry)
        entry.preparingAhead += 1
        try follow(child)
    }

    // Children.

    /// Starts a child with a cgroup of its own.
    func makeChild(
        _ entry: TemplateEntry, terminal: Bool = false, terminalMount: SharedFD? = nil, in roomName: String? = nil,
        beneath: String? = nil, among name: String? = nil
    ) throws(KeeperFailure) -> Child {
        sweepLingering()
        var room = try takeRoom(roomName, for: entry)
        var isMade = false
        var held: [Supervised] = []
        defer {
            if !isMade {
                giveUp(&room)
                for tracer in held { release(tracer) }
            }
        }
        var cgroup: UsableCgroup?
        do {
            cgroup = try takeCgroup(entry)
            let network = entry.sharesNetworks && !terminal ? idleNetworks.popLast() : nil
            let owner = try name.flatMap { (name) throws(KeeperFailure) in try running(name).pidOwner }
            held = try holdTracers(of: owner, for: entry.template.plan)
            let launch = try born(into: name ?? beneath) { () throws(SpawnError) in
                try entry.template.startChild(
                    in: cgroup?.cgroup, of: hierarchy, terminal: terminal, terminalMount: terminalMount, network: network,
                    room: room?.room.descriptor, isNested: beneath != nil)
            }
            let child = try Child(entry, plan: entry.template.plan, cgroup: cgroup, launch: launch)
            child.network = network
            child.room = room
            child.held = held
            child.pidOwner = owner
            isMade = true
            children[child.pid] = child
            return child
        } catch let error as KeeperFailure {
            if let cgroup { remove(cgroup.cgroup) }
            throw error
        } catch let error as SystemError {
            if let cgroup { remove(cgroup.cgroup) }
            throw KeeperFailure(error)
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Watches a child's socket and its end.
    func follow(_ child: Child) throws(KeeperFailure) {
        do {
            child.socketWatch = try loop.add(child.launch.socket, .readable) { [unowned self, unowned child] _ in
                socketReady(child)
            }
            child.processWatch = try loop.add(child.pidfd.raw, .readable) { [unowned self, unowned child] _ in
                childEnded(child)
            }
        } catch {
            discard(child)
            throw KeeperFailure(error)
        }
    }

    /// The child says that it waits, or its socket has hung up: it has exec'ed or failed.
    private func socketReady(_ child: Child) {
        switch child.stage {
        case .preparing:
            do {
                try child.launch.confirmParked()
                parked(child)
            } catch {
                failed(child, KeeperFailure(error))
            }
        case .parked:
            // A child that waits says nothing; a hang-up means that it was killed, which its end will tell.
            if let watch = child.socketWatch { loop.remove(watch) }
            child.socketWatch = nil
        case .released:
            hungUp(child)
        }
    }

    /// A child that had its call has exec'ed, failed, or was killed before it could take it.
    private func hungUp(_ child: Child) {
        if let failure = child.launch.failure() { return failed(child, KeeperFailure(failure)) }
        if child.launch.hasTakenCall() { return becameProgram(child) }
        guard let start = child.start, start.wasPrepared, let entry = child.template else {
            return failed(child, KeeperFailure(.system, "start a program: its process was killed before it could run"))
        }
        // It was killed while it waited: the start does not suffer for it.
        child.start = nil
        start.wasPrepared = false
        discard(child)
        do { try launch(entry, start) } catch { refuse(start, error) }
    }

    private func parked(_ child: Child) {
        child.stage = .parked
        child.mounts = mountNamespace(of: child)
        if child.network == nil, child.template?.sharesNetworks == true { child.network = networkNamespace(of: child) }
        guard let start = child.start else {
            guard let entry = child.template else { return discard(child) }
            entry.preparingAhead -= 1
            entry.failuresInARow = 0
            guard !entry.isDropped, entry.parked.count < entry.target else { return discard(child) }
            entry.parked.append(child)
            return
        }
        release(child, start)
    }

    /// Gives a waiting child its call.
    func release(_ child: Child, _ start: PendingStart) {
        do { try give(start, to: child) } catch { failed(child, KeeperFailure(error)) }
    }

    /// The same; a child that is gone is the caller's to discard.
    func give(_ start: PendingStart, to child: Child) throws(SpawnError) {
        child.start = start
        let descriptors = start.standard + [start.network, start.ipc].compactMap(\.self)
        if !start.files.isEmpty, let room = child.room?.room {
            do { try room.write(start.files) } catch { throw SpawnError(error) }
        }
        try withExtendedLifetime(descriptors) { () throws(SpawnError) in
            try child.launch.release(start.call, descriptors: descriptors.map(\.raw))
        }
        child.stage = .released
    }

    /// The child has ended before it became a program.
    private func childEnded(_ child: Child) {
        if child.stage == .released { return hungUp(child) }
        let failure = child.launch.failure().map { KeeperFailure($0) }
        failed(child, failure ?? KeeperFailure(.system, "start a program: its process was killed before it could run"))
    }

    /// A child that will not become a program: whoever waits for it hears why, and nothing of it is left.
    private func failed(_ child: Child, _ failure: KeeperFailure) {
        if child.start == nil, let entry = child.template {
            if child.stage == .preparing {
                entry.preparingAhead -= 1
                entry.failuresInARow += 1
            }
            entry.parked.removeAll { $0 === child }
        }
        if let start = child.start { refuse(start, failure) }
        discard(child)
        scheduleRefill()
    }

    private func refuse(_ start: PendingStart, _ failure: KeeperFailure) {
        startingNames.remove(start.name)
        answer(start.connection, start.number, .failed(failure))
    }

    /// Ends a child's process, reaps it and removes its cgroup.
    func discard(_ child: Child) {
        if let watch = child.socketWatch { loop.remove(watch) }
        if let watch = child.processWatch { loop.remove(watch) }
        child.socketWatch = nil
        child.processWatch = nil
        try? ProcessFD.signal(Signal.kill, to: child.pidfd.raw)
        _ = try? ExitRecord.reap(pidfd: child.pidfd.raw, block: true)
        takeDown(&child.mounts)
        giveUp(&child.room)
        letGo(child)
        forget(child)
        if let cgroup = child.cgroup { remove(cgroup.cgroup) }
    }

    /// Lets go of a child once the events at hand are through: a handler of it may be on the stack. Its pid may be
    /// another child's by then.
    func forget(_ child: Child) {
        loop.afterThis { [self] in if children[child.pid] === child { children[child.pid] = nil } }
    }
}

extension KeeperFailure {
    init(_ error: SpawnError) { self.init(.system, "\(error)", code: error.code.rawValue) }
    init(_ error: SystemError) { self.init(.system, "\(error)", code: error.code.rawValue) }
}
