internal import Engine
internal import Keeper
internal import Lambda
internal import Linux
internal import Sandbox
internal import Spawn
internal import Synchronization

/// Does what `ZygoteBook` decides for one function version: the zygote, and the places beneath it.
///
/// An event is booked and its actions are set off without a suspension between; what takes time runs in a task of its own
/// and comes back as another event.
///
/// Invariants (with their tests in ZygoteTests)
/// 1. An instance's end is told once, and with the status of its own program. (`memory and the end are an instance's own`,
///    `a fork of which the zygote was not told ends with its place`)
/// 2. What a zygote says before it ends is heard before its end. (ZygoteConversationTests)
/// 3. What the zygote is given leads into its own places and nowhere else: their pidfds and cgroups, and the sockets of
///    their forks. (`an instance from a zygote is isolated as one that was started cold`)
/// 4. Whoever waits for a fork is answered, whatever the function's own code does to it.
///    (`a fork that does not come is not waited for`)
actor ZygoteWorker: InstanceStarting {
    let function: DeployedFunction
    private let call: ProgramCall
    private let common: Set<String>
    private let plans: ZygotePlans
    private let ground: ZygoteGround
    private let filter: [UInt8]
    private let clock: any PoolClock

    private var book = ZygoteBook()
    private var zygote: Running?
    private var places: [ZygotePlaceID: ZygotePlace] = [:]
    private var wishes: [ZygoteWish: CheckedContinuation<ZygotePlaceID?, Never>] = [:]
    private var homes: [String: ZygotePlaceID] = [:]
    private var lastWish = 0
    private var timer: Task<Void, Never>?
    /// Ends when the zygote is ready, or has had its time.
    private var readiness: Task<Void, Never>?
    private var isClosed = false
    /// Why instances are started without it, for whoever asks for a status on whatever thread.
    nonisolated let unfitReason = Mutex<String?>(nil)

    /// The zygote that runs, or is being started.
    private struct Running {
        var name: String
        var control: ZygoteSocket
        var conversation: ZygoteConversation
        var output: InstanceOutput
    }

    /// - Parameters:
    ///   - recipe: of a cold start.
    ///   - zygote: what is executed as the zygote; its environment is that of `recipe`.
    init(
        _ function: DeployedFunction, _ recipe: InstanceRecipe, zygote call: ProgramCall, _ ground: ZygoteGround,
        clock: any PoolClock = MachineClock()
    ) {
        self.function = function
        self.call = call
        common = Set(recipe.call.environment.strings)
        plans = ZygotePlans(recipe.plan, share: recipe.share)
        filter = recipe.plan.systemCallFilter
        self.ground = ground
        self.clock = clock
    }

    // What launchers ask.

    func place(for instance: String) async -> InstanceNetwork? {
        lastWish += 1
        let wish = ZygoteWish(number: lastWish)
        let given = await withCheckedContinuation { continuation in
            wishes[wish] = continuation
            send(.wanted(wish))
        }
        guard let given, let namespace = places[given]?.namespace, let listener = places[given]?.listener else { return nil }
        places[given]?.listener = nil
        homes[instance] = given
        return InstanceNetwork(namespace: namespace, listener: OwnedFD(adopting: listener))
    }

    func start(
        _ instance: String, environment: StringBlock, descriptors: [CInt], ended: @escaping FunctionSandboxes.Ended
    ) async throws(NodeFailure) -> StartedSandbox {
        guard let id = homes[instance], let place = places[id], let started = place.started, let life = place.life else {
            throw NodeFailure(.system, "start \(instance) of \(function.name): the fork of the zygote that waited has ended")
        }
        let own = environment.strings.filter { !common.contains($0) }
        do { try life.send(ZygoteOrder.go(own), Array(descriptors.dropFirst())) } catch {
            throw NodeFailure(.system, "start \(instance) of \(function.name): \(error)")
        }
        places[id]?.life = nil
        places[id]?.isStarted = true
        places[id]?.ended = ended
        return started
    }

    func kill(_ instance: String) async {
        guard let id = homes[instance], let name = places[id]?.name else { return }
        await ground.sandboxes.kill(name)
    }

    func terminate(_ instance: String) async {
        guard let id = homes[instance] else { return }
        try? zygote?.control.send(ZygoteOrder.signal("\(id.number)", Signal.terminate))
    }

    func forget() async { send(.forgotten) }

    /// Ends the zygote, and with it everything beneath it.
    func close() async {
        isClosed = true
        send(.forgotten)
        timer?.cancel()
        if let zygote { await ground.sandboxes.kill(zygote.name) }
    }

    /// For tests and a status.
    var isReady: Bool { book.isReady }
    var waitingCount: Int { book.waitingCount }
    var zygoteName: String? { zygote?.name }
}

// Events in, actions out.
extension ZygoteWorker {
    private func send(_ event: ZygoteEvent) {
        let actions = book.handle(event, now: clock.now)
        // First: whoever has read in the log why, may ask.
        unfitReason.withLock { $0 = book.unfitReason }
        for action in actions { perform(action) }
    }

    private func perform(_ action: ZygoteAction) {
        switch action {
        case .startZygote: Task { await self.startZygote() }
        case .endZygote: endZygote()
        case .makePlace(let id): Task { await self.makePlace(id) }
        case .give(let id, let wish): wishes.removeValue(forKey: wish)?.resume(returning: id)
        case .startCold(let wish): wishes.removeValue(forKey: wish)?.resume(returning: nil)
        case .endPlace(let id): endPlace(id)
        case .say(let text): say(text)
        case .setTimer(let time):
            timer?.cancel()
            timer = Task { [clock, weak self] in
                do { try await clock.sleep(until: time) } catch { return }
                await self?.send(.timer)
            }
        }
    }

    /// In the function's log, for whoever wonders why a start was cold, and in the node's.
    private func say(_ text: String) {
        let line = "FORKLESS \(function.name)[\(function.version)]: \(text)"
        ground.logs.log(of: function.name).add([Array(line.utf8)[...]], at: Clock.now())
        ground.note(line)
    }
}

// The zygote.
extension ZygoteWorker {
    /// As long as an instance may take to initialise.
    private var patience: Duration { .seconds(max(10, function.timeoutSeconds)) }

    private func startZygote() async {
        let name = ground.sandboxes.nextName()
        do {
            var pair = try MessageSocket.pair()
            let theirs = pair.takeSecond()
            let pipe = try Files.pipe().ends()
            try Files.setNonBlocking(pipe.reader.raw)
            let output = InstanceOutput(pipe.reader, log: ground.logs.log(of: function.name))
            try ground.logs.add(output)
            let control = try ZygoteSocket(pair.takeFirst())
            let conversation = ZygoteConversation(control) { [weak self] in await self?.heard($0) }
            zygote = Running(name: name, control: control, conversation: conversation, output: output)
            _ = try await ground.sandboxes.start(
                SandboxStart(plan: plans.zygote, name: name, call: zygoteCall, streams: .passed),
                descriptors: [theirs.raw, pipe.writer.raw, pipe.writer.raw]
            ) { end in Task { await self.zygoteEnded(end.sentence) } }
            if isClosed { return endZygote() }
            readiness = Task { [clock, patience, weak self] in
                do { try await clock.sleep(until: clock.now + patience) } catch { return }
                await self?.wasNotReady(name)
            }
        } catch {
            await zygoteEnded("\(error)")
        }
    }

    private var zygoteCall: ProgramCall {
        var call = call
        call.environment =
            call.environment
            + [
                "FORKLESS_ZYGOTE=0", "AWS_LAMBDA_INITIALIZATION_TYPE=on-demand",
                "AWS_LAMBDA_LOG_STREAM_NAME=[\(function.version)]zygote",
            ]
        return call
    }

    private func wasNotReady(_ name: String) {
        if zygote?.name == name { send(.unfit("it was not ready after \(patience)")) }
    }

    private func heard(_ word: ZygoteWord) {
        switch word {
        case .ready, .unfit, .failed: readiness?.cancel()
        case .ended, .unknown: break
        }
        switch word {
        case .ready: send(.ready)
        case .unfit(let reason): send(.unfit(reason))
        case .failed(let type, let message): send(.unfit("its initialisation failed: \(type): \(message)"))
        case .unknown(let text): say("The zygote and the node do not understand each other: \(text)")
        case .ended(let number, let end):
            guard let id = Int(number).map(ZygotePlaceID.init), let name = places[id]?.name else { return }
            if case .status(let status) = end { places[id]?.status = status }
            // The program is gone; what holds its sandbox open goes, too, and takes with it what was left behind there.
            Task { [sandboxes = ground.sandboxes] in await sandboxes.kill(name) }
        }
    }

    private func endZygote() {
        guard let name = zygote?.name else { return }
        Task { [sandboxes = ground.sandboxes] in await sandboxes.kill(name) }
    }

    private func zygoteEnded(_ reason: String) async {
        if let ended = zygote {
            await ended.conversation.finish()
            // Told twice, by the start that failed and by the sandbox's end.
            guard zygote?.name == ended.name else { return }
            ended.output.catchUp()
            ground.logs.remove(ended.output)
        }
        readiness?.cancel()
        zygote = nil
        send(.ended(reason))
    }
}

// Places.
extension ZygoteWorker {
    private func makePlace(_ id: ZygotePlaceID) async {
        guard let zygote else { return send(.placeFailed(id, "the zygote has ended")) }
        let name = ground.sandboxes.nextName()
        places[id] = ZygotePlace(name: name)
        do {
            let null = try Files.open("/dev/null", 2)
            let started = try await ground.sandboxes.start(
                SandboxStart(plan: plans.place, name: name, call: ZygotePlans.holding, streams: .passed, beneath: zygote.name),
                descriptors: [null.raw, null.raw, null.raw]
            ) { end in Task { await self.placeEnded(id, end) } }
            guard places[id] != nil else { return }
            // The way into it is the fork's alone.
            var known = started
            known.descriptors = []
            places[id]?.started = known
            let pid = started.report.pid
            let (namespace, listener) = try await BlockingPool.shared.run { () throws(SystemError) -> (SharedFD, CInt) in
                let network = try InstanceNetwork(listeningIn: try NetworkNamespace.of(pid: pid))
                let namespace = network.namespace
                return (namespace, network.takeListener().release())
            }
            guard places[id] != nil else { return OwnedFD(adopting: listener).close() }
            places[id]?.namespace = namespace
            places[id]?.listener = listener
            try await fork(id, of: zygote, into: started.descriptors)
        } catch {
            fail(id, "\(error)")
        }
    }

    /// A fork takes milliseconds. Whoever waits for it must have time left for a cold start, which has 10 s with this.
    private static let forkPatience = Duration.seconds(5)

    private func fork(_ id: ZygotePlaceID, of zygote: Running, into way: [SharedFD]) async throws {
        var pair = try MessageSocket.pair()
        let theirs = pair.takeSecond()
        let life = try ZygoteSocket(pair.takeFirst())
        let rules = try Files.sealedMemory(named: "filter", filter)
        guard let pidfd = way.first else { preconditionFailure("a start beneath another is answered with the way into it") }
        try zygote.control.send(
            ZygoteOrder.fork("\(id.number)"), [pidfd.raw, theirs.raw, rules.raw] + way.dropFirst().map(\.raw))
        withExtendedLifetime(way) {}
        theirs.close()
        let limit = clock.now + Self.forkPatience
        let patient = Task { [clock] in
            // In pieces, so that a machine that stands still takes one of them away and not all.
            for _ in 0..<10 {
                do { try await clock.sleep(until: clock.now + Self.forkPatience / 10) } catch { return }
            }
            life.shutDown()
        }
        defer { patient.cancel() }
        let word = ZygoteChildWord(try await life.receive() ?? [])
        guard places[id] != nil else { return }
        switch word {
        case .parked:
            places[id]?.life = life
            send(.placeReady(id))
        case .failed(let reason): fail(id, reason)
        case .gone: fail(id, clock.now < limit ? "it has gone without a word" : "it was not ready after \(Self.forkPatience)")
        }
    }

    private func fail(_ id: ZygotePlaceID, _ reason: String) {
        guard let place = places[id] else { return }
        send(.placeFailed(id, reason))
        guard place.started != nil else {
            places[id] = nil
            return
        }
        endPlace(id)
    }

    private func endPlace(_ id: ZygotePlaceID) {
        guard let place = places[id] else { return }
        Task { [sandboxes = ground.sandboxes] in await sandboxes.kill(place.name) }
    }

    private func placeEnded(_ id: ZygotePlaceID, _ end: ProgramEnd) {
        guard let place = places.removeValue(forKey: id) else { return }
        for (instance, home) in homes where home == id { homes[instance] = nil }
        if let listener = place.listener { OwnedFD(adopting: listener).close() }
        place.life?.shutDown()
        // One that was not ready is told once: it may have been told to end because its fork failed.
        if place.life == nil, !place.isStarted { send(.placeFailed(id, "what holds its sandbox ended early: \(end.sentence)")) }
        send(.placeEnded(id))
        place.ended?(place.outcome(of: end))
    }
}

extension ZygotePlace {
    /// The end of its sandbox as that of the program in it.
    fileprivate func outcome(of end: ProgramEnd) -> ProgramEnd {
        guard case .ended(var report) = end, let status else { return end }
        report.status = status
        return .ended(report)
    }
}
