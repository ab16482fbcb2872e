import Keeper
import Linux
import Networking
import Sandbox

/// One container's task: takes what happens to it one by one, lets the life cycle decide, and does what it says.
///
/// Everything about a container happens here, so nothing has to be locked across an `await`.
final class ContainerWorker: Sendable {
    /// What a worker works with.
    struct Surroundings: Sendable {
        var link: KeeperLink
        var directory: ContainerDirectory
        var planner: LaunchPlanner
        var ground: ContainerGround
        var executions: Executions
        var inputs: HeldInputs
        var journal: EventJournal
        /// A sentence for the node's log.
        var note: @Sendable (String) -> Void
        /// The container is gone: its id and name are free.
        var forget: @Sendable (ContainerRecord) -> Void
        /// Whether no other container of its pod has the same place, and so the same template.
        var isLastOfItsPlace: @Sendable (ContainerRecord) -> Bool
        /// Removes the volumes that it had for itself alone.
        var removeVolumes: @Sendable (ContainerRecord) async -> Void
    }

    private enum Message: Sendable {
        case event(ContainerLifecycle.Event, reply: Reply<Void>?)
        case start(ContainerStart, reply: Reply<StartedSandbox>)
        case create(reply: Reply<Void>)
        case adopt([SandboxReport], round: Int)
        case rework(@Sendable (inout ContainerSpec) -> Void, reply: Reply<Void>)
        case restart(at: Timestamp)
        /// Writes down what was learnt and has no state of its own.
        case write
        case health(HealthState.Event, ProbeResult? = nil)
        case rename(String, reply: Reply<Void>)
        case remove(force: Bool, volumes: Bool, reply: Reply<Void>)
        case update(UpdateContainer, reply: Reply<Void>)
    }

    private typealias Reply<Value> = @Sendable (Result<Value, NodeFailure>) -> Void

    /// The container as it is: changes are seen when they are recorded and done.
    let published: Published<ContainerRecord>
    private let mailbox: AsyncStream<Message>.Continuation

    /// - Parameter isNew: whether it is just being made, and not known from its record.
    init(_ record: ContainerRecord, _ surroundings: Surroundings, isNew: Bool) {
        published = Published(record)
        let (messages, mailbox) = AsyncStream<Message>.makeStream()
        self.mailbox = mailbox
        let working = Working(
            record: record, surroundings: surroundings, published: published, mailbox: mailbox, isNew: isNew,
            isFromRecord: !isNew)
        Task { await working.run(messages) }
    }

    var record: ContainerRecord { published.value }

    // What can be asked.

    /// Writes the first record.
    func create() async throws(NodeFailure) { try await ask { .create(reply: $0) } }

    /// Starts the program and returns when it has been executed.
    func start(_ start: ContainerStart) async throws(NodeFailure) -> StartedSandbox {
        try await ask { .start(start, reply: $0) }
    }

    /// Changes the spec for the next start, and writes it down.
    func rework(_ body: @escaping @Sendable (inout ContainerSpec) -> Void) async throws(NodeFailure) {
        try await ask { .rework(body, reply: $0) }
    }

    /// Hands an event over and waits until it was dealt with.
    func handle(_ event: ContainerLifecycle.Event) async throws(NodeFailure) {
        try await ask { .event(event, reply: $0) }
    }

    /// Asks for its removal, with `volumes` also that of the volumes that are its alone.
    func remove(force: Bool, volumes: Bool) async throws(NodeFailure) {
        try await ask { .remove(force: force, volumes: volumes, reply: $0) }
    }

    /// Records another name.
    func rename(to name: String) async throws(NodeFailure) { try await ask { .rename(name, reply: $0) } }

    /// Changes limits and restart policy.
    func update(_ update: UpdateContainer) async throws(NodeFailure) { try await ask { .update(update, reply: $0) } }

    /// Hands an event over.
    func post(_ event: ContainerLifecycle.Event) { mailbox.yield(.event(event, reply: nil)) }

    /// Tells what the keeper lists of this container.
    func post(adoption reports: [SandboxReport], round: Int) { mailbox.yield(.adopt(reports, round: round)) }

    /// Waits for the end of a run; nil when the task was cancelled.
    func end(ofRun run: Int) async -> ContainerEnd? {
        let ended = await published.wait { $0.lifecycle.runs > run || !$0.lifecycle.phase.isActive || $0.lifecycle.isOver }
        return ended?.lifecycle.end
    }

    private func ask<Value: Sendable>(
        _ message: (@escaping Reply<Value>) -> Message
    ) async throws(NodeFailure) -> Value {
        try await withCheckedContinuation { (continuation: CheckedContinuation<Result<Value, NodeFailure>, Never>) in
            let reply: Reply<Value> = { continuation.resume(returning: $0) }
            if case .terminated = mailbox.yield(message(reply)) {
                reply(.failure(NodeFailure(.notFound, "the container was removed")))
            }
        }.get()
    }

    // The work.

    /// The part that the task owns.
    private struct Working {
        var record: ContainerRecord
        let surroundings: Surroundings
        let published: Published<ContainerRecord>
        let mailbox: AsyncStream<Message>.Continuation
        /// Whether its first record is still to be written.
        var isNew: Bool
        /// Whether an earlier node made it.
        let isFromRecord: Bool
        var hasAdopted = false
        /// The checks of the run `checkedRun`; nil where there are none.
        var health: HealthState?
        var checkedRun = 0
        var isCheckPaused = false
        var probe: Task<Void, Never>?
        /// The round of adoption after which the latest run was started by this node; 0: not by this node.
        var startedAfter = 0
        /// What a container of a pod was started with: a template of its own, which would hold the pod's mounts.
        var plan: SandboxPlan?

        consuming func run(_ messages: AsyncStream<Message>) async {
            var working = self
            for await message in messages {
                switch message {
                case .event(let event, let reply):
                    // Before the optional call: Swift evaluates no argument of a call that it does not make.
                    let result = await working.handle(event)
                    reply?(result.map { _ in })
                case .start(let start, let reply): reply(await working.start(start))
                case .create(let reply): reply(await working.write())
                case .rework(let body, let reply): reply(await working.rework(body))
                case .write: if !working.record.lifecycle.isOver { _ = await working.write() }
                case .adopt(let reports, let round): await working.adopt(reports, round)
                case .restart(let time): await working.startAgain(.restartDue(at: time))
                case .health(let event, let result): working.ask(event, result)
                case .remove(let force, let volumes, let reply): reply(await working.remove(force: force, volumes: volumes))
                case .rename(let name, let reply): reply(await working.change { $0.name = name })
                case .update(let update, let reply): reply(await working.update(update))
                }
                if working.record.lifecycle.isOver { working.mailbox.finish() }
            }
        }

        /// Lets the life cycle decide about an event and does what it says; the number of a run to start, if any.
        private mutating func handle(_ event: ContainerLifecycle.Event) async -> Result<Int?, NodeFailure> {
            let actions: [ContainerLifecycle.Action]
            let before = record.lifecycle
            do { actions = try record.lifecycle.handle(event, now: Clock.now()) } catch {
                return .failure(NodeFailure(error.kind, "container \(record.name): \(error.message)"))
            }
            for (action, attributes) in ContainerEvents.of(event, before: before, after: record.lifecycle) {
                surroundings.journal.note(action, of: record, attributes: attributes)
                surroundings.journal.noteVolumes(of: record, after: action)
            }
            noteRoom(of: event)
            var starting: Int?
            var failure: NodeFailure?
            var unrecorded: NodeFailure?
            for action in actions {
                switch action {
                case .record: if case .failure(let problem) = await write() { unrecorded = problem }
                // Neither may go on from what was not recorded: a start would be nobody's, and of an end only the
                // keeper would have known. A program can be stopped on a full disk all the same.
                case .start(let run): if unrecorded == nil { starting = run } else { failure = unrecorded }
                case .acknowledge where unrecorded != nil: break
                default: if case .failure(let problem) = await perform(action) { failure = problem }
                }
            }
            if !record.lifecycle.isUnderWay { _ = surroundings.inputs.take(of: record.id) }
            followWithHealth()
            let hasEnded = before.isUnderWay && !record.lifecycle.isUnderWay
            // What another container may be waiting for is given back before anybody hears of the end.
            if hasEnded, record.holdsWhatOthersWant { await surroundings.ground.release(record) }
            published.set(record)
            if hasEnded, !record.holdsWhatOthersWant { await surroundings.ground.release(record) }
            if let failure { return .failure(failure) }
            return .success(starting)
        }

        /// A container's room is the keeper's choice, at its first start. Written down after the answer: until then the
        /// keeper's list has it; and what is removed at its end is not started again.
        private mutating func noteRoom(of event: ContainerLifecycle.Event) {
            switch event {
            case .started(_, let report), .found(_, let report):
                guard let room = report.room, room != record.room else { return }
                record.room = room
                if !record.spec.removesOnExit { mailbox.yield(.write) }
            default: return
            }
        }

        private mutating func perform(_ action: ContainerLifecycle.Action) async -> Result<Void, NodeFailure> {
            let link = surroundings.link
            switch action {
            case .record, .start: preconditionFailure("\(action) is not done here")
            case .signal(let run, let number, let wholeTree):
                let name = record.sandbox(run: run)
                do { try await link.perform(.signal(sandbox: name, number: number, wholeTree: wholeTree)) } catch {
                    // It has ended already, which the keeper tells in its own message.
                    if error.kind == .notFound || error.kind == .conflict { return .success(()) }
                    return .failure(error)
                }
                surroundings.journal.note("kill", of: record, attributes: ["signal": "\(number)"])
                return .success(())
            case .expectGraceToExpire(let run, let time):
                expect(.event(.graceExpired(run: run), reply: nil), at: time)
                return .success(())
            case .expectRestart(let time):
                expect(.restart(at: time), at: time)
                return .success(())
            case .freeze(let run):
                let result = await setFrozen(true, run)
                if case .failure = result { _ = try? record.lifecycle.handle(.frozen(run: run, false), now: Clock.now()) }
                return result
            case .thaw(let run): return await setFrozen(false, run)
            case .acknowledge(let run):
                let name = record.sandbox(run: run)
                // Not waited for: the end is recorded. What gets lost here comes again with the next adoption.
                Task { try? await link.perform(.acknowledge(sandbox: name)) }
                return .success(())
            case .delete: return await delete()
            }
        }

        /// Sends ourselves a message at its time.
        private func expect(_ message: Message, at time: Timestamp) {
            let mailbox = mailbox
            Task {
                try? await Task.sleep(for: .nanoseconds(max(0, time.nanoseconds - Clock.now().nanoseconds)))
                mailbox.yield(message)
            }
        }

        private func setFrozen(_ frozen: Bool, _ run: Int) async -> Result<Void, NodeFailure> {
            let name = record.sandbox(run: run)
            do { try await surroundings.link.perform(frozen ? .freeze(sandbox: name) : .thaw(sandbox: name)) } catch {
                // It has ended already: its end is on its way.
                if !frozen, error.kind == .notFound || error.kind == .conflict { return .success(()) }
                return .failure(error)
            }
            surroundings.journal.note(frozen ? "pause" : "unpause", of: record)
            return .success(())
        }

        private mutating func rework(
            _ body: @Sendable (inout ContainerSpec) -> Void
        ) async -> Result<Void, NodeFailure> {
            var spec = record.spec
            body(&spec)
            do throws(SpecError) { try spec.validate() } catch { return .failure(error.failure) }
            return await change { $0.spec = spec }
        }

        private mutating func write() async -> Result<Void, NodeFailure> {
            let (record, directory) = (record, surroundings.directory)
            do {
                try await BlockingPool.shared.run { () throws(SystemError) in try directory.write(record) }
                if isNew { surroundings.journal.note("create", of: record) }
                isNew = false
                return .success(())
            } catch {
                let failure = NodeFailure(.system, "record container \(record.name): \(error)")
                surroundings.note("\(failure)")
                return .failure(failure)
            }
        }

        private func delete() async -> Result<Void, NodeFailure> {
            let (id, room, directory) = (record.id, record.room, surroundings.directory)
            var result = Result<Void, NodeFailure>.success(())
            do { try await BlockingPool.shared.run { () throws(SystemError) in try directory.remove(id, room: room) } } catch {
                let failure = NodeFailure(.system, "remove container \(record.name): \(error)")
                surroundings.note("\(failure)")
                result = .failure(failure)
            }
            surroundings.forget(record)
            if let plan, surroundings.isLastOfItsPlace(record) { await surroundings.link.forget(plan) }
            if isNew || record.removesVolumes || record.spec.removesOnExit { await surroundings.removeVolumes(record) }
            if !isNew { surroundings.journal.note("destroy", of: record) }
            return result
        }

        // Health.

        /// Begins, pauses and ends the checks as the container runs.
        private mutating func followWithHealth() {
            let life = record.lifecycle
            let isUp = [.running, .paused, .stopping].contains(life.phase) && life.run?.start != nil
            if isUp, checkedRun != life.runs, let check = record.spec.healthcheck, check.words() != nil {
                if health == nil { health = HealthState(schedule: check.schedule) }
                checkedRun = life.runs
                isCheckPaused = false
                ask(.started, nil)
            }
            guard checkedRun != 0 else { return }
            if !isUp || checkedRun != life.runs {
                checkedRun = 0
                return ask(.ended, nil)
            }
            guard isCheckPaused != (life.phase == .paused) else { return }
            isCheckPaused.toggle()
            ask(isCheckPaused ? .paused : .resumed, nil)
        }

        /// Lets the checks' reducer decide and does what it says.
        private mutating func ask(_ event: HealthState.Event, _ result: ProbeResult?) {
            guard var state = health else { return }
            let actions = state.handle(event, now: Clock.now())
            health = state
            if case .started = event { record.health = HealthReport() }
            // An answer that led to nothing was an abandoned probe's.
            if let result, !actions.isEmpty {
                let log = record.health?.log ?? []
                record.health?.log = log.suffix(HealthReport.logLimit - 1) + [result]
            }
            record.health?.failingStreak = state.failuresInARow
            for action in actions {
                switch action {
                case .expect(let probe, let time): expect(.health(.timeCame(probe: probe)), at: time)
                case .run(let number, let timeout): check(number, timeout)
                case .abandon:
                    probe?.cancel()
                    probe = nil
                case .report(let status):
                    record.health?.status = status
                    if event != .started { surroundings.journal.note("health_status: \(status.rawValue)", of: record) }
                }
            }
            published.set(record)
        }

        private mutating func check(_ number: Int, _ timeoutNanoseconds: Int) {
            guard let words = record.spec.healthcheck?.words() else { return }
            let runner = HealthProbe(
                executions: surroundings.executions, planner: surroundings.planner, ground: surroundings.ground,
                link: surroundings.link)
            let (record, mailbox) = (record, mailbox)
            probe = Task {
                let result = await runner.run(words, in: record, timeoutNanoseconds: timeoutNanoseconds)
                mailbox.yield(.health(.probed(probe: number, succeeded: result.isSuccess), result))
            }
        }

        // Changing.

        private mutating func remove(force: Bool, volumes: Bool) async -> Result<Void, NodeFailure> {
            let before = record.removesVolumes
            record.removesVolumes = before || volumes
            let result = await handle(.removeRequested(force: force))
            if case .failure = result { record.removesVolumes = before }
            return result.map { _ in }
        }

        /// Changes the record, on disk and then for everybody; if it cannot be written it stays as it is.
        private mutating func change(_ body: (inout ContainerRecord) -> Void) async -> Result<Void, NodeFailure> {
            let before = record
            body(&record)
            let result = await write()
            if case .failure = result { record = before }
            published.set(record)
            return result
        }

        private mutating func update(_ update: UpdateContainer) async -> Result<Void, NodeFailure> {
            let phase = record.lifecycle.phase
            do throws(NodeFailure) {
                let spec = try update.applied(to: record.spec)
                guard phase != .removing, phase != .starting else {
                    throw NodeFailure(.conflict, "container \(record.name): it is being started or removed; try again")
                }
                let limits = try surroundings.planner.limits(of: spec)
                if phase.isActive, update.changesLimits {
                    let name = record.sandbox(run: record.lifecycle.runs)
                    try await surroundings.link.perform(.limit(sandbox: name, limits))
                }
                return await change { record in
                    record.spec = spec
                    _ = try? record.lifecycle.handle(.policyChanged(spec.restart), now: Clock.now())
                }
            } catch { return .failure(NodeFailure(error.kind, "update \(record.name): \(error.message)")) }
        }

        // Starting.

        /// Starts it because its restart policy says so, logged and with nobody attached.
        private mutating func startAgain(_ event: ContainerLifecycle.Event) async {
            guard case .success(let run?) = await handle(event) else { return }
            let start = ContainerStart(attachment: .detached)
            do throws(NodeFailure) {
                let launch = try await plan()
                record.isLogged = true
                if case .failure(let failure) = await self.start(start, launch, run) { surroundings.note("\(failure)") }
            } catch {
                surroundings.note("start \(record.name) again: \(error)")
                _ = await handle(.startFailed(run: run, error.message))
            }
        }

        private mutating func start(_ start: ContainerStart) async -> Result<StartedSandbox, NodeFailure> {
            let before = record
            do throws(NodeFailure) {
                try start.validate(for: record.spec)
                // Looked up before anything changes: a bad request changes nothing.
                let launch = try await plan()
                record.isLogged = start.isLogged
                guard let run = try await handle(.startRequested).get() else { preconditionFailure("nothing to start") }
                return await self.start(start, launch, run)
            } catch {
                if record.lifecycle.runs > before.lifecycle.runs {
                    // The record could not be written, so the keeper was not asked.
                    _ = await handle(.startFailed(run: record.lifecycle.runs, error.message))
                } else {
                    record.isLogged = before.isLogged
                }
                return .failure(error)
            }
        }

        private func plan() async throws(NodeFailure) -> PlannedLaunch {
            try await surroundings.planner.plan(
                record.spec, image: try await surroundings.ground.root(of: record),
                hostname: surroundings.ground.hostname(of: record), volumes: surroundings.ground.volumes.path)
        }

        private mutating func start(
            _ start: ContainerStart, _ launch: PlannedLaunch, _ run: Int
        ) async -> Result<StartedSandbox, NodeFailure> {
            let (id, spec, directory, inputs) = (record.id, record.spec, surroundings.directory, surroundings.inputs)
            var launch = launch
            do throws(StartProblem) {
                let particulars: ContainerGround.Particulars
                do { particulars = try await surroundings.ground.prepare(record, &launch) } catch {
                    throw StartProblem.failed(error)
                }
                if spec.pod != nil { plan = launch.plan }
                let prepared: (streams: StandardStreams, descriptors: [SharedFD])
                do {
                    prepared = try await BlockingPool.shared.run { () throws(SystemError) in
                        try start.streams(of: spec, id: id, in: directory, inputs: inputs)
                    }
                } catch { throw StartProblem.failed(NodeFailure(.system, "\(error)")) }
                let request = SandboxStart(
                    plan: launch.plan, name: record.sandbox(run: run), call: launch.call, streams: prepared.streams,
                    logBytes: spec.logBytes ?? ContainerSpec.defaultLogBytes,
                    isAttached: start.attachment == .terminal, room: record.room, files: particulars.files,
                    network: particulars.network, ipc: particulars.ipc, among: particulars.among)
                let started = try await surroundings.link.start(request, descriptors: prepared.descriptors.map(\.raw))
                withExtendedLifetime(prepared.descriptors) {}
                startedAfter = started.round
                _ = await handle(.started(run: run, started.report))
                return .success(started)
            } catch {
                let failure = NodeFailure(error.failure.kind, "start \(record.name): \(error.failure.message)")
                // Without an answer it may run: adoption tells, and until then it is starting.
                if case .failed = error { _ = await handle(.startFailed(run: run, failure.message)) }
                return .failure(failure)
            }
        }

        // Adoption.

        private mutating func adopt(_ reports: [SandboxReport], _ round: Int) async {
            await agree(with: reports, round)
            guard !hasAdopted else { return }
            hasAdopted = true
            // What the earlier node had prepared for it goes on with it, or is given back.
            if isFromRecord {
                if record.lifecycle.isUnderWay {
                    await surroundings.ground.adopt(record)
                } else {
                    await surroundings.ground.release(record)
                }
            }
            // Once in a node's life: what has to run after a reboot, or was waiting when the last node ended.
            if isFromRecord { await startAgain(.nodeStarted) }
        }

        private mutating func agree(with reports: [SandboxReport], _ round: Int) async {
            let current = record.sandbox(run: record.lifecycle.runs)
            for report in reports where report.sandbox != current && report.end != nil {
                let (link, name) = (surroundings.link, report.sandbox)
                Task { try? await link.perform(.acknowledge(sandbox: name)) }
            }
            var report = reports.first { $0.sandbox == current }
            if report == nil, case .starting = record.lifecycle.state { report = await lookAgain(for: current) }
            guard let report else {
                // A list that was made before the start cannot have it.
                if startedAfter < round { _ = await handle(isFromRecord && !hasAdopted ? .vanished : .absent) }
                return
            }
            let run = record.lifecycle.runs
            _ = await handle(.found(run: run, report.start))
            if let end = report.end {
                _ = await handle(.ended(run: run, end))
            } else {
                _ = await handle(.frozen(run: run, report.isFrozen))
            }
        }

        /// A start that a dead node asked for may still be on its way through the keeper, which lists what runs: it is
        /// looked for a few times more.
        private func lookAgain(for name: String) async -> SandboxReport? {
            for _ in 0..<5 {
                if let report = try? await surroundings.link.list().first(where: { $0.sandbox == name }) { return report }
                try? await Task.sleep(for: .milliseconds(100))
            }
            return nil
        }
    }
}

extension ContainerLifecycle {
    /// Whether the container is gone for good.
    var isOver: Bool { if case .removed = state { true } else { false } }

    /// Whether a program runs, or is about to.
    var isUnderWay: Bool {
        switch state {
        case .starting, .running, .paused, .stopping, .removing: true
        case .created, .exited, .lost, .removed: false
        }
    }
}

extension ContainerRecord {
    /// Whether it has something that only one container can have.
    fileprivate var holdsWhatOthersWant: Bool {
        if !spec.ports.isEmpty || spec.publishesExposedPorts { return true }
        // Who removes a container and then its network must not find it in use.
        guard case .joined(let networks) = spec.networkChoice else { return false }
        return networks.contains { $0.network != NetworkDefinition.defaultName }
    }
}
