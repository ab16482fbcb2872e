import Linux
import Sandbox
import Spawn

// Starting programs: a request becomes a call for a child, prepared ahead if there is one.

extension Keeper {
    func start(_ request: StartRequest, _ caller: Caller) throws(KeeperFailure) {
        let entry = try template(request.template)
        try checkName(request.sandbox)
        var descriptors = caller.descriptors
        let expected = request.stdio.descriptorCount + entry.template.plan.givenCount
        guard descriptors.count == expected else {
            throw KeeperFailure(
                .badRequest, "start \(request.sandbox): \(expected) descriptors were expected, \(descriptors.count) came")
        }
        try checkParticulars(request, entry.template.plan)
        let start = PendingStart(
            connection: caller.connection, number: caller.number, name: request.sandbox, parent: nil,
            call: entry.template.plan.usesInit && !request.call.isInit ? request.call.throughInit : request.call)
        start.room = request.room
        start.files = request.files
        start.beneath = request.beneath
        start.among = request.among
        if entry.template.plan.isIPCGiven { start.ipc = descriptors.removeLast() }
        if entry.template.plan.network == .given { start.network = descriptors.removeLast() }
        // In use before anything is made: what fails at once frees the name, too.
        startingNames.insert(start.name)
        var isUnderWay = false
        defer { if !isUnderWay { startingNames.remove(start.name) } }
        do {
            if case .terminal(let size) = request.stdio {
                try startWithTerminal(entry, start, request, size, descriptors)
            } else {
                try connect(start, request, descriptors)
                try launch(entry, start)
            }
            isUnderWay = true
        } catch let error as SystemError {
            throw KeeperFailure(error)
        } catch let error as KeeperFailure {
            throw error
        } catch {
            preconditionFailure("\(error)")
        }
    }

    /// Refuses what the plan has no place for.
    private func checkParticulars(_ request: StartRequest, _ plan: SandboxPlan) throws(KeeperFailure) {
        if plan.rooms == nil, request.room != nil || !request.files.isEmpty {
            throw KeeperFailure(
                .badRequest, "start \(request.sandbox): its plan has no rooms, so it takes no room and no files of /etc")
        }
        if let beneath = request.beneath { try checkPlace(request, beneath: beneath, plan) }
        try checkProcesses(request, plan)
        guard let hostname = request.call.hostname else { return }
        guard plan.namespaces.contains(.uts), (1...64).contains(hostname.utf8.count) else {
            throw KeeperFailure(
                .badRequest,
                "start \(request.sandbox): a host name takes 1 to 64 bytes and a UTS namespace, which \"\(hostname)\" has not")
        }
    }

    /// A name that can be a file's: letters, digits, "-", "_", ".", at most 128, and not in use.
    func checkName(_ name: String) throws(KeeperFailure) {
        let isValid =
            (1...128).contains(name.utf8.count) && !name.hasPrefix(".")
            && name.utf8.allSatisfy {
                switch $0 {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
        guard isValid else {
            throw KeeperFailure(.badRequest, "name a sandbox \"\(name)\": use up to 128 letters, digits, \"-\", \"_\" and \".\"")
        }
        guard programs[name] == nil, !startingNames.contains(name) else {
            throw KeeperFailure(.conflict, "start \(name): the name is in use")
        }
    }

    /// Gives a start to a child that waits, or to a new one.
    func launch(_ entry: TemplateEntry, _ start: PendingStart) throws(KeeperFailure) {
        // Whoever waits has a fresh room already.
        while start.room == nil, start.beneath == nil, start.among == nil, let child = entry.parked.popLast() {
            scheduleRefill()
            do {
                try give(start, to: child)
                start.wasPrepared = true
                return
            } catch {
                // Somebody killed it while it waited: the start does not suffer for it.
                child.start = nil
                discard(child)
            }
        }
        let child: Child
        if let sandbox = start.beneath {
            child = try makeChild(entry, beneath: sandbox, answering: start)
        } else {
            child = try makeChild(entry, in: start.room, among: start.among)
        }
        child.start = start
        try follow(child)
    }

    // Standard streams.

    private func connect(
        _ start: PendingStart, _ request: StartRequest, _ descriptors: [SharedFD]
    ) throws(SystemError) {
        switch request.stdio {
        case .passed: start.standard = descriptors
        case .pipes:
            var pipes = [try Files.pipe().ends(), try Files.pipe().ends(), try Files.pipe().ends()]
            let input = pipes.removeFirst()
            start.standard = [input.reader] + pipes.map(\.writer)
            start.answered = [input.writer] + pipes.map(\.reader)
        case .logged:
            let output = try Files.pipe().ends()
            let error = try Files.pipe().ends()
            start.standard = [descriptors[0], output.writer, error.writer]
            start.streams = ProgramStreams(
                loop: loop, log: try log(descriptors[1], request), output: try lasting(output.reader),
                error: try lasting(error.reader))
            if request.attached { start.answered = try start.streams?.attach() ?? [] }
        case .terminal: preconditionFailure("a terminal is connected with its file system")
        }
    }

    private func startWithTerminal(
        _ entry: TemplateEntry, _ start: PendingStart, _ request: StartRequest, _ size: Terminal.Size,
        _ descriptors: [SharedFD]
    ) throws {
        let hasMounts = entry.template.plan.namespaces.contains(.mount)
        var mount: SharedFD?
        var pair: TerminalPair
        if hasMounts {
            let fresh = SharedFD(try Mounts.terminalFileSystem())
            pair = try Terminal.open(in: fresh.raw, multiplexer: "ptmx")
            mount = fresh
        } else {
            pair = try Terminal.open()
        }
        let program = SharedFD(pair.takeProgram())
        let master = try lasting(SharedFD(pair.takeMaster()))
        try Terminal.setSize(size, of: master.raw)
        start.standard = [program, program, program]
        start.streams = ProgramStreams(loop: loop, log: try log(descriptors[0], request), terminal: master)
        if request.attached { start.answered = try start.streams?.attach() ?? [] }
        let child = try makeChild(entry, terminal: true, terminalMount: mount, in: start.room, among: start.among)
        child.start = start
        try follow(child)
    }

    private func log(_ directory: SharedFD, _ request: StartRequest) throws(SystemError) -> LogWriter {
        let lasting = try Descriptors.duplicate(directory.raw, lowest: LongLived.lowestDescriptor)
        return LogWriter(directory: lasting, fileBytesLimit: request.logBytesLimit)
    }

    /// The same open file under a number out of the way, not blocking.
    private func lasting(_ descriptor: SharedFD) throws(SystemError) -> SharedFD {
        let lasting = SharedFD(try Descriptors.duplicate(descriptor.raw, lowest: LongLived.lowestDescriptor))
        try Files.setNonBlocking(lasting.raw)
        return lasting
    }

    // The program runs.

    func becameProgram(_ child: Child) {
        guard let start = child.start else { return }
        // The program has its own; ours would keep its pipes open beyond its end.
        start.standard = []
        start.network = nil
        start.ipc = nil
        if let watch = child.socketWatch { loop.remove(watch) }
        if let watch = child.processWatch { loop.remove(watch) }
        let report = StartReport(
            pid: child.pid, startedAt: Clock.now(),
            startNanoseconds: Clock.monotonicNanoseconds() - start.arrivedNanoseconds, wasPrepared: start.wasPrepared,
            room: child.room?.room.name)
        let program = Supervised(child, name: start.name, parent: start.parent, start: report)
        program.streams = start.streams
        programs[start.name] = program
        startingNames.remove(start.name)
        starts += 1
        letGo(child)
        forget(child)
        answer(start.connection, start.number, .started(report), descriptors: start.answered)
        do {
            try program.streams?.start()
            program.watch = try loop.add(child.pidfd.raw, .readable) { [unowned self, unowned program] _ in
                ended(program)
            }
        } catch {
            // Without a watch its end would go unseen, so it may not live.
            kill(program)
            ended(program)
        }
        scheduleRefill()
    }
}

extension ProgramCall {
    /// Whether the sandbox's first process is all that is asked for.
    fileprivate var isInit: Bool { path == SandboxPlan.initPath }

    /// The same, started by the sandbox's first process instead of being it.
    fileprivate var throughInit: ProgramCall {
        var call = self
        call.path = SandboxPlan.initPath
        call.arguments = StringBlock([SandboxPlan.initPath, InitProgram.flag, path] + arguments.strings)
        return call
    }
}
