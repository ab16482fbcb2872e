package import Images
package import Keeper
package import Linux

/// The containers of this node: the operations on them, and their part in adoption.
package final class ContainerEngine: Sendable {
    let registry: ContainerRegistry
    let directory: ContainerDirectory
    let link: KeeperLink
    let planner: LaunchPlanner
    let ground: ContainerGround
    let executions: Executions
    let inputs = HeldInputs()
    /// What happened here, for `events`.
    package let journal: EventJournal
    let note: @Sendable (String) -> Void

    /// - Parameters:
    ///   - images: what containers can be made from; nil: nothing.
    ///   - networks: what containers of images are in; nil: only for engines without images.
    ///   - chance: where ids and names come from.
    ///   - note: takes a sentence for the node's log.
    package init(
        directory: ContainerDirectory, link: KeeperLink, planner: LaunchPlanner, images: ImageStore? = nil,
        networks: ContainerNetworks? = nil,
        chance: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator(),
        journal: EventJournal = EventJournal(), note: @escaping @Sendable (String) -> Void
    ) {
        let registry = ContainerRegistry(chance: chance)
        self.registry = registry
        self.directory = directory
        self.link = link
        self.planner = planner
        ground = ContainerGround(
            images: images.map(ContainerImages.init), networks: networks, directory: directory,
            volumes: VolumeStore(directory: directory.volumes), machineName: (try? Files.readText("/proc/sys/kernel/hostname")) ?? ContainerSpec.defaultHostname,
            find: { word throws(NodeFailure) in try registry.find(word).record })
        self.journal = journal
        self.note = note
        executions = Executions(link: link)
    }

    /// Reads what is on disk; returns sentences about what could not be read. Before the link runs.
    package func open() async throws(NodeFailure) -> [String] {
        let directory = directory
        do {
            let (records, remarks) = try await BlockingPool.shared.run { () throws(SystemError) in
                try directory.open()
                return try directory.load()
            }
            var all = remarks
            if ground.images != nil {
                let volumes = ground.volumes
                all += try await BlockingPool.shared.run { () throws(SystemError) in try volumes.open() }
            }
            for record in records where !registry.add(record, { makeWorker(record, isNew: false) }) {
                all.append("container \(record.id) was left out: another one is called \(record.name), too")
            }
            for record in records {
                do { try await ground.images?.keep(imageOf: record) } catch {
                    all.append("container \(record.name) cannot be started: \(error)")
                }
            }
            let known = Set(records.map(\.id) + records.compactMap(\.spec.pod))
            if let networks = ground.networks { all += try await networks.open { known.contains($0) } }
            await link.add(self)
            return all
        } catch { throw NodeFailure(.system, "open \(directory.path): \(error)") }
    }

    private func makeWorker(_ record: ContainerRecord, isNew: Bool) -> ContainerWorker {
        let (registry, ground) = (registry, ground)
        return ContainerWorker(
            record,
            .init(
                link: link, directory: directory, planner: planner, ground: ground, executions: executions, inputs: inputs, journal: journal,
                note: note,
                forget: { record in
                    registry.remove(record)
                    ground.images?.release(record.id)
                },
                isLastOfItsPlace: { record in
                    !registry.all.contains { other in
                        let other = other.record
                        return other.id != record.id && other.spec.pod == record.spec.pod && other.spec.mounts == record.spec.mounts
                    }
                },
                removeVolumes: { [weak self] record in await self?.removeAnonymousVolumes(of: record) }), isNew: isNew)
    }

    /// Makes a container that is known and not yet on disk.
    private func add(_ spec: ContainerSpec) async throws(NodeFailure) -> ContainerWorker {
        guard spec.rung != .function else {
            throw NodeFailure(.badRequest, "--rung function: such programs are called (functions.call), not run")
        }
        do { try spec.validate() } catch { throw error.failure }
        var found: ContainerImages.Found?
        if spec.image != nil {
            guard let images = ground.images else { throw ContainerGround.noImages(spec) }
            found = try await images.find(for: spec)
            do { try found!.spec.validate() } catch { throw error.failure }
        }
        var wanted = found?.spec ?? spec
        let claim = try await claimVolumes(of: &wanted)
        let spec = wanted
        let worker: ContainerWorker
        do throws(NodeFailure) {
            worker = try registry.add(named: spec.name) { id, name in
                makeWorker(ContainerRecord(id: id, name: name, createdAt: Clock.now(), spec: spec), isNew: true)
            }
        } catch {
            await giveUp(claim)
            throw error
        }
        settle(claim)
        if let found { ground.images?.keep(found, for: worker.record.id) }
        do throws(NodeFailure) { try await fillVolumes(of: worker.record) } catch {
            try? await worker.handle(.removeRequested(force: false))
            throw error
        }
        return worker
    }

    // Life.

    /// Makes a container without starting it.
    package func create(_ spec: ContainerSpec) async throws(NodeFailure) -> ContainerCreated {
        let worker = try await add(spec)
        do {
            // Looked up now, so that what cannot be started is not created; and again at the start.
            _ = try await planner.plan(
                worker.record.spec, image: try await ground.root(of: worker.record), volumes: ground.volumes.path)
            try await worker.create()
        } catch {
            try? await worker.handle(.removeRequested(force: false))
            throw error
        }
        return ContainerCreated(id: worker.record.id, name: worker.record.name)
    }

    /// Makes and starts a container; of one that could not be started nothing is left.
    ///
    /// - Parameter started: called when the program has been executed, with the descriptors of its terminal.
    package func run(
        _ request: RunContainer, descriptors: [SharedFD],
        started: (ContainerStarted, [SharedFD]) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) -> RunAnswer {
        let worker = try await add(request.spec)
        let start = ContainerStart(
            attachment: request.attachment, descriptors: descriptors, terminalSize: request.terminalSize)
        let sandbox: StartedSandbox
        do { sandbox = try await worker.start(start) } catch {
            if worker.record.lifecycle.phase == .created { try? await worker.handle(.removeRequested(force: false)) }
            throw error
        }
        let answer = ContainerStarted(worker.record, sandbox.report)
        try await started(answer, sandbox.descriptors)
        guard request.waits else { return RunAnswer(started: answer, end: nil) }
        return RunAnswer(started: answer, end: try await end(of: worker, run: 1))
    }

    /// Starts a container that was created or has ended, logged.
    package func start(_ container: String) async throws(NodeFailure) -> ContainerStarted {
        let worker = try registry.find(container)
        let sandbox = try await worker.start(ContainerStart(attachment: .detached))
        return ContainerStarted(worker.record, sandbox.report)
    }

    /// Waits for the end of a container that runs; one that has ended is answered at once.
    package func wait(for container: String) async throws(NodeFailure) -> ContainerEnd {
        let worker = try registry.find(container)
        guard worker.record.lifecycle.phase != .created else {
            throw NodeFailure(.conflict, "container \(worker.record.name): it was not started, so there is no end to wait for")
        }
        return try await end(of: worker, run: worker.record.lifecycle.runs)
    }

    func end(of worker: ContainerWorker, run: Int) async throws(NodeFailure) -> ContainerEnd {
        guard let end = await worker.end(ofRun: run) else {
            if Task.isCancelled { throw NodeFailure(.cancelled, "waiting was taken back") }
            let name = worker.record.name
            let reason = worker.record.lifecycle.startError ?? "it was started again meanwhile"
            throw NodeFailure(.conflict, "container \(name): how it ended is not known: \(reason)")
        }
        return end
    }

    /// Stops a container and returns when it has ended.
    package func stop(_ request: StopContainer) async throws(NodeFailure) -> ContainerEnd {
        let worker = try registry.find(request.container)
        let spec = worker.record.spec
        let seconds = request.timeoutSeconds ?? spec.stopTimeoutSeconds ?? ContainerSpec.defaultStopTimeoutSeconds
        guard (0...86_400).contains(seconds) else {
            throw NodeFailure(.badRequest, "--timeout \(seconds): write seconds from 0 to 86400")
        }
        let signal = request.signal ?? spec.stopSignal ?? Signal.terminate
        guard (1...64).contains(signal) else { throw NodeFailure(.badRequest, "no signal has the number \(signal)") }
        guard worker.record.lifecycle.phase != .created else {
            throw NodeFailure(.conflict, "container \(worker.record.name): it was not started")
        }
        try await worker.handle(.stopRequested(signal: signal, graceNanoseconds: seconds * 1_000_000_000))
        let life = worker.record.lifecycle
        if !life.phase.isActive, life.startError != nil {
            // It was between two attempts, the last of which did not get it to run.
            return ContainerEnd(exitStatus: nil, endedAt: Clock.now())
        }
        // That which was told to stop: a restart may have come first.
        return try await end(of: worker, run: life.runs)
    }

    package func kill(_ request: KillContainer) async throws(NodeFailure) {
        guard (1...64).contains(request.signal) else {
            throw NodeFailure(.badRequest, "no signal has the number \(request.signal)")
        }
        let worker = try registry.find(request.container)
        guard let execution = request.execution else {
            let stopSignal = worker.record.spec.stopSignal ?? Signal.terminate
            let isStop = request.signal == Signal.kill || request.signal == stopSignal
            return try await worker.handle(.killRequested(signal: request.signal, isStop: isStop))
        }
        guard execution.hasPrefix(worker.record.id + ".") else {
            throw NodeFailure(.notFound, "container \(worker.record.name) executes nothing called \(execution)")
        }
        try await link.perform(.signal(sandbox: execution, number: request.signal, wholeTree: false))
    }

    /// Removes a container; with `force` it is killed first.
    package func remove(_ request: RemoveContainer) async throws(NodeFailure) {
        let worker = try registry.find(request.container)
        try await worker.remove(force: request.force, volumes: request.volumes)
        guard await worker.published.wait(until: { $0.lifecycle.isOver }) != nil else {
            throw NodeFailure(.cancelled, "waiting was taken back")
        }
    }

    package func resize(_ request: ResizeContainer) async throws(NodeFailure) {
        let worker = try registry.find(request.container)
        try await link.perform(.resize(sandbox: try runningSandbox(worker), request.size))
    }

    func runningSandbox(_ worker: ContainerWorker) throws(NodeFailure) -> String {
        let record = worker.record
        switch record.lifecycle.phase {
        case .running, .paused, .stopping: return record.sandbox(run: record.lifecycle.runs)
        default: throw NodeFailure(.conflict, "container \(record.name): it is not running")
        }
    }

    package func findImage(_ request: FindImage) -> FoundImage {
        FoundImage(id: ground.images?.id(of: request.name))
    }

    /// Where the files of a container of an image are.
    package func files(of container: String) async throws(NodeFailure) -> ContainerFiles {
        let record = try registry.find(container).record
        guard let root = try await ground.root(of: record), let image = record.spec.image?.id else {
            throw NodeFailure(
                .unsupported, "container \(record.name): it was not made from an image, so it has no files of its own")
        }
        return ContainerFiles(
            upper: root.upper, lower: root.layers, image: image,
            pid: record.lifecycle.isUnderWay ? record.lifecycle.run?.start?.pid : nil)
    }

    /// The keeper that is connected, by what tells it from all others; nil while there is none.
    package func keeper() async -> (pid: Int32, generation: UInt64)? { await link.identity.map { ($0.pid, $0.generation) } }

    /// Waits until a keeper is connected.
    package func untilUp() async throws(NodeFailure) { try await link.untilUp() }

    // Views.

    package func list(_ request: ListContainers) async throws(NodeFailure) -> ContainerList {
        let records = try ContainerSelection(request).select(from: registry.all.map(\.record))
        var list = ContainerList(containers: records.map(summary(of:)))
        guard request.sizes else { return list }
        for (index, record) in records.enumerated() { list.containers[index].sizeBytes = await ownBytes(of: record) }
        return list
    }

    package func inspect(_ container: String) throws(NodeFailure) -> ContainerDetails {
        let record = try registry.find(container).record
        let start = record.lifecycle.run?.start
        var details = ContainerDetails(
            summary: summary(of: record), spec: record.spec,
            startMicroseconds: start.map { $0.startNanoseconds / 1000 }, wasPrepared: start?.wasPrepared,
            startError: record.lifecycle.startError, starts: record.lifecycle.runs,
            directory: directory.directory(of: record.id), isLogged: record.isLogged, places: places(of: record))
        details.restarts = record.lifecycle.restart.restarts
        details.health = record.health
        return details
    }

    /// All containers as they are now.
    package var records: [ContainerRecord] { registry.all.map(\.record) }

    /// How many containers there are, and how many of them run.
    package var counts: (all: Int, running: Int) {
        let records = registry.all.map(\.record)
        return (records.count, records.count { $0.lifecycle.phase.isActive })
    }

    /// Reads the log of a container, with `follow` until it has ended.
    package func readLogs(
        _ request: ReadLogs, deliver: ([LogLine]) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) {
        let worker = try registry.find(request.container)
        let record = worker.record
        guard record.isLogged else {
            throw NodeFailure(
                .unsupported,
                "container \(record.name): its output went to who started it and was not logged; run it with -d for a log")
        }
        if let tail = request.tail, tail < 0 { throw NodeFailure(.badRequest, "--tail \(tail): write a number from 0") }
        let reader = LogReader(
            directory: directory.logDirectory(of: record.id), tail: request.tail, since: request.since)
        guard request.follow, record.lifecycle.phase.isActive else { return try await reader.read(deliver) }
        let run = record.lifecycle.runs
        try await reader.follow(untilEnded: { _ = await worker.end(ofRun: run) }, deliver)
    }

    /// Samples what containers use, again and again with `follow`.
    package func readStatistics(
        _ request: ReadStatistics, deliver: (StatisticsRound) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) {
        guard (10...3_600_000).contains(request.intervalMilliseconds) else {
            throw NodeFailure(.badRequest, "the interval is 10 to 3600000 milliseconds")
        }
        for name in request.containers { _ = try runningSandbox(try registry.find(name)) }
        var sampler = StatisticsSampler(link: link)
        while true {
            var records: [ContainerRecord] = []
            if request.containers.isEmpty {
                records = registry.all.map(\.record)
            } else {
                for name in request.containers { if let worker = try? registry.find(name) { records.append(worker.record) } }
            }
            let isFirst = sampler.isFresh
            let round = await sampler.sample(records.sorted { $0.name < $1.name })
            // CPU use is known from the second sample on: the first is not shown, but where it would be all.
            if !isFirst {
                try await deliver(round)
                if !request.follow { return }
            }
            // The first rate is shown soon, over a short time.
            let pause = isFirst ? min(200, request.intervalMilliseconds) : request.intervalMilliseconds
            do { try await Task.sleep(for: .milliseconds(pause)) } catch {
                throw NodeFailure(.cancelled, "reading statistics was taken back")
            }
        }
    }

    /// Runs another program in a container.
    package func execute(
        _ request: ExecuteInContainer, descriptors: [SharedFD],
        started: (ExecuteStarted, [SharedFD]) async throws(NodeFailure) -> Void
    ) async throws(NodeFailure) -> ExecuteAnswer {
        let worker = try registry.find(request.container)
        let sandbox = try runningSandbox(worker)
        let execution = try await Execution(
            request, in: worker.record, sandbox: sandbox, planner: planner, ground: ground)
        let record = worker.record
        noteExecution(execution, "exec_create", of: record)
        let answer = try await executions.run(execution, descriptors: descriptors) { name, descriptors async throws(NodeFailure) in
            noteExecution(execution, "exec_start", of: record)
            try await started(name, descriptors)
        }
        noteExecution(execution, "exec_die", of: record, status: answer.end.exitStatus)
        return answer
    }
}

extension ContainerEngine: SandboxOwner {
    /// `<id>.<run>` and what was executed in it, `<id>.<run>.<name>`.
    package func owns(_ sandbox: String) -> Bool { SandboxName(sandbox) != nil }

    package func adopt(_ reports: [SandboxReport], round: Int) async {
        executions.adopt(reports.filter { $0.parent != nil })
        let sandboxes = reports.filter { $0.parent == nil }
        for worker in registry.all {
            let id = worker.record.id
            worker.post(adoption: sandboxes.filter { SandboxName($0.sandbox)?.id == id }, round: round)
        }
        sweepRooms(besides: reports)
        for report in sandboxes where SandboxName(report.sandbox).flatMap({ registry.worker(id: $0.id) }) == nil {
            note("the keeper has a sandbox \(report.sandbox) of a container that is not on disk; it was left alone")
        }
    }

    /// Removes rooms that no container has and no sandbox is in: of containers that were gone with their keeper.
    private func sweepRooms(besides reports: [SandboxReport]) {
        let (link, directory, registry, note) = (link, directory, registry, note)
        Task {
            guard (try? await link.untilUp()) != nil, let generation = await link.identity?.generation else { return }
            // After the workers have been told, which may remove some themselves; those have no record any more.
            let owned = Set(reports.compactMap(\.start.room) + registry.all.compactMap(\.record.room))
            do {
                try await BlockingPool.shared.run { () throws(SystemError) in
                    try directory.sweepRooms(owned: owned, generation: generation)
                }
            } catch { note("remove rooms that no container has: \(error)") }
        }
    }

    package func ended(_ sandbox: String, _ report: EndReport) {
        guard let name = SandboxName(sandbox) else { return }
        if name.execution != nil { return executions.ended(sandbox, report) }
        registry.worker(id: name.id)?.post(.ended(run: name.run, report))
    }
}

/// A name that the keeper knows a container's sandbox by, taken apart.
struct SandboxName: Hashable {
    var id: String
    var run: Int
    var execution: String?

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (2...3).contains(parts.count), parts[0].utf8.count == 64,
            parts[0].utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            let run = Int(parts[1]), run > 0
        else { return nil }
        id = String(parts[0])
        self.run = run
        execution = parts.count == 3 ? String(parts[2]) : nil
    }
}
