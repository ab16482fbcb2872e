import JSON
import KubeObjects
import KubeStore
import Linux
import TestKit

@testable import KubeControllers
@testable import Pods

/// A node of a simulation: the real life cycle of pods (`PodMachine`) over an engine of values. Its watch lags and breaks off, its
/// writes fail, its programs end by chance, it forgets everything and takes over what runs, and its keeper dies.
final class MachineKubelet {
    /// What the engine has of a container, whatever becomes of the node.
    struct Record {
        var run: ContainerRun
        var end: Termination?
        var isAsked = false
    }

    private struct Worker {
        var pod: KubeObject
        var machine: PodMachine
        /// Answers that are on their way.
        var pending: [PodMachine.Event] = []
        var starting: [(name: String, attempt: Int)] = []
        var isFinished = false
        /// What the API was last told.
        var told: JSONValue?
    }

    struct Faults {
        /// Of a hundred steps.
        var restarts = 0
        var keeperDeaths = 0
        var crashes = 0
        /// Of a hundred answers and writes.
        var failures = 0
    }

    private let view: LaggedView
    var faults: Faults
    private(set) var engine: [String: [String: Record]] = [:]
    private var names: [String: String] = [:]
    private var workers: [String: Worker] = [:]
    private(set) var starts = 0
    private(set) var problems: [String] = []

    init(_ api: WorkloadAPI, _ faults: Faults) {
        view = LaggedView(api, [.pods])
        self.faults = faults
    }

    /// Pods of which a program runs, by name: two of one name are two runs of what has to be one.
    var running: [String] {
        engine.filter { $0.value.values.contains { $0.end == nil } }.keys.map { names[$0] ?? $0 }.sorted()
    }

    /// Pods of which the engine still has something.
    var known: Set<String> { Set(engine.keys.map { names[$0] ?? $0 }) }

    var wake: Timestamp? { workers.values.compactMap { $0.isFinished ? nil : $0.machine.wake }.min() }

    // MARK: Steps

    func step(_ simulation: Simulation) async {
        if hits(faults.restarts, simulation) { restart(simulation) }
        if hits(faults.keeperDeaths, simulation) { killKeeper(simulation) }
        await assign(simulation, all: false)
        switch Int.random(in: 0..<10, using: &simulation.chance) {
        case 0..<3: watch(simulation, Int.random(in: 1...4, using: &simulation.chance))
        case 3..<6: answer(simulation)
        case 6: endOne(simulation)
        case 7: tick(simulation)
        default: await tell(simulation)
        }
    }

    /// Does all that there is to do; returns how much that was.
    func rest(_ simulation: Simulation) async -> Int {
        let before = (starts, problems.count)
        faults = Faults()
        var moved = watch(simulation, .max)
        await assign(simulation, all: true)
        for uid in workers.keys.sorted() {
            while let worker = workers[uid], !worker.pending.isEmpty || !worker.starting.isEmpty {
                moved += 1
                answer(uid, simulation)
            }
        }
        for uid in engine.keys.sorted() {
            for (name, record) in engine[uid]! where record.end == nil {
                if record.isAsked || simulation.ends(workers[uid]?.pod ?? KubeObject()) != nil {
                    moved += 1
                    end(uid, name, record.isAsked ? 143 : 0, simulation)
                }
            }
        }
        for uid in workers.keys.sorted() where workers[uid]!.machine.wake.map({ $0 <= simulation.clock.now }) ?? false {
            moved += 1
            send(.tick, uid, simulation)
        }
        for uid in workers.keys.sorted() { moved += await tell(uid, simulation) }
        return moved + starts - before.0
    }

    private func hits(_ percent: Int, _ simulation: Simulation) -> Bool {
        percent > 0 && Int.random(in: 0..<100, using: &simulation.chance) < percent
    }

    private func pick(_ simulation: Simulation, _ isWanted: (Worker) -> Bool) -> String? {
        workers.filter { isWanted($0.value) }.keys.sorted().randomElement(using: &simulation.chance)
    }

    // MARK: What the API says

    /// As the scheduler does.
    private func assign(_ simulation: Simulation, all: Bool) async {
        for var pod in await simulation.objects(.pods) where pod.spec["nodeName"] == nil && !pod.isBeingDeleted {
            guard all || Int.random(in: 0..<3, using: &simulation.chance) == 0 else { continue }
            pod.json["spec", default: [:]]["nodeName"] = "node"
            _ = try? await simulation.api.update(.pods, pod, subresource: nil)
        }
    }

    @discardableResult
    private func watch(_ simulation: Simulation, _ count: Int) -> Int {
        let changes = view.take(.pods, atMost: count)
        for change in changes { take(change, simulation) }
        return changes.count
    }

    private func take(_ change: ObjectCache.Change, _ simulation: Simulation) {
        let old = change.old.map(KubeObject.init)
        guard let pod = change.new.map(KubeObject.init) else {
            if let old { send(.objectGone, old.uid, simulation) }
            return
        }
        if let old, old.uid != pod.uid { send(.objectGone, old.uid, simulation) }
        guard pod.spec["nodeName"] != nil else { return }
        guard workers[pod.uid] != nil else { return begin(pod, simulation) }
        workers[pod.uid]!.pod = pod
        send(.planChanged(PodPlan(pod)), pod.uid, simulation)
        see(pod, simulation)
    }

    private func see(_ pod: KubeObject, _ simulation: Simulation) {
        guard let time = pod.metadata.deletionTimestamp.flatMap(Timestamp.init) else { return }
        send(.deletionRequested(deadline: time.adding(seconds: 30)), pod.uid, simulation)
    }

    private func begin(_ pod: KubeObject, _ simulation: Simulation) {
        names[pod.uid] = pod.name
        let now = simulation.clock.now
        let start = pod.status["startTime"]?.string.flatMap(Timestamp.init) ?? now
        var machine = PodMachine(PodPlan(pod), startTime: start)
        let found = (engine[pod.uid] ?? [:]).map { FoundContainer(name: $0.key, run: $0.value.run, end: $0.value.end) }
        machine.adopt(found, status: pod.status, now: now)
        workers[pod.uid] = Worker(pod: pod, machine: machine)
        see(pod, simulation)
        send(.tick, pod.uid, simulation)
    }

    // MARK: Machines

    private func send(_ event: PodMachine.Event, _ uid: String, _ simulation: Simulation) {
        guard workers[uid] != nil else { return }
        for action in workers[uid]!.machine.handle(event, now: simulation.clock.now) { take(action, uid) }
    }

    private func take(_ action: PodMachine.Action, _ uid: String) {
        switch action {
        case .prepare: workers[uid]!.pending.append(.prepared(addresses: ["10.0.0.1"]))
        case .start(let name, let attempt): workers[uid]!.starting.append((name, attempt))
        case .postStart(let name, let attempt):
            workers[uid]!.pending.append(.postStartDone(name, attempt: attempt, failure: nil))
        case .preStop(let name, let attempt): workers[uid]!.pending.append(.preStopDone(name, attempt: attempt))
        case .signal(let name, let attempt, _), .kill(let name, let attempt):
            guard engine[uid]?[name]?.run.attempt == attempt else { return }
            engine[uid]![name]!.isAsked = true
        case .probe(let name, let attempt, let kind, let number):
            workers[uid]!.pending.append(
                .probed(name, attempt: attempt, kind, number: number, isSuccess: true, message: ""))
        case .withdraw: workers[uid]!.pending.append(.withdrawn)
        case .tearDown:
            if engine[uid]?.values.contains(where: { $0.end == nil }) ?? false {
                problems.append("\(uid) is torn down while it runs")
            }
            workers[uid]!.pending.append(.tornDown)
        case .finish: workers[uid]!.isFinished = true
        case .note: break
        }
    }

    private func answer(_ simulation: Simulation) {
        guard let uid = pick(simulation, { !$0.pending.isEmpty || !$0.starting.isEmpty }) else { return }
        answer(uid, simulation)
    }

    private func answer(_ uid: String, _ simulation: Simulation) {
        let isStart =
            workers[uid]!.pending.isEmpty || !workers[uid]!.starting.isEmpty && Bool.random(using: &simulation.chance)
        guard isStart else {
            let count = workers[uid]!.pending.count
            var event = workers[uid]!.pending.remove(at: Int.random(in: 0..<count, using: &simulation.chance))
            if hits(faults.failures, simulation), case .prepared = event { event = .prepareFailed("no") }
            return send(event, uid, simulation)
        }
        let (name, attempt) = workers[uid]!.starting.removeFirst()
        if hits(faults.failures, simulation) {
            return send(.startFailed(name, attempt: attempt, .create("no")), uid, simulation)
        }
        send(.started(name, start(uid, name, attempt, simulation)), uid, simulation)
    }

    /// The engine starts a container: here it shows when one runs twice.
    private func start(_ uid: String, _ name: String, _ attempt: Int, _ simulation: Simulation) -> ContainerRun {
        let run = ContainerRun(
            attempt: attempt, startedAt: simulation.clock.now, id: "\(uid)-\(name)-\(attempt)", image: "i", imageID: "d"
        )
        if let before = engine[uid]?[name] {
            if before.end == nil { problems.append("\(name) of \(uid) runs twice") }
            if before.run.attempt >= attempt {
                problems.append("attempt \(attempt) of \(name) of \(uid) comes after \(before.run.attempt)")
            }
        }
        starts += 1
        engine[uid, default: [:]][name] = Record(run: run)
        return run
    }

    private func endOne(_ simulation: Simulation) {
        guard let uid = engine.keys.sorted().randomElement(using: &simulation.chance),
            let (name, record) = engine[uid]!.first(where: { $0.value.end == nil })
        else { return }
        let pod = workers[uid]?.pod ?? KubeObject()
        if record.isAsked {
            end(uid, name, 143, simulation)
        } else if hits(faults.crashes, simulation) {
            end(uid, name, 1, simulation)
        } else if let phase = simulation.ends(pod) {
            end(uid, name, phase == "Succeeded" ? 0 : 1, simulation)
        }
    }

    private func end(_ uid: String, _ name: String, _ code: Int32, _ simulation: Simulation) {
        let record = engine[uid]![name]!
        let end = Termination(
            exitCode: code, reason: "x", startedAt: record.run.startedAt, finishedAt: simulation.clock.now)
        engine[uid]![name]!.end = end
        send(.ended(name, attempt: record.run.attempt, end), uid, simulation)
    }

    private func tick(_ simulation: Simulation) {
        guard let uid = pick(simulation, { $0.machine.wake.map { $0 <= simulation.clock.now } ?? false }) else {
            return
        }
        send(.tick, uid, simulation)
    }

    // MARK: Faults

    /// The node goes, and the next one comes: what was under way in the engine was done or was not.
    private func restart(_ simulation: Simulation) {
        for (uid, worker) in workers.sorted(by: { $0.key < $1.key }) {
            for (name, attempt) in worker.starting where Bool.random(using: &simulation.chance) {
                _ = start(uid, name, attempt, simulation)
            }
        }
        workers = [:]
        // The new node lists: what happened between is not told.
        _ = view.take(.pods)
        let pods = view.objects(.pods, namespace: nil).map(KubeObject.init).filter { $0.spec["nodeName"] != nil }
        for pod in pods { begin(pod, simulation) }
        // What belongs to pods that are gone is ended.
        for uid in engine.keys where workers[uid] == nil { engine[uid] = nil }
    }

    /// All that runs ends, and the node is told.
    private func killKeeper(_ simulation: Simulation) {
        for uid in engine.keys.sorted() {
            for (name, record) in engine[uid]!.sorted(by: { $0.key < $1.key }) where record.end == nil {
                end(uid, name, 137, simulation)
            }
        }
    }

    // MARK: Telling

    private func tell(_ simulation: Simulation) async {
        guard let uid = workers.keys.sorted().randomElement(using: &simulation.chance) else { return }
        _ = await tell(uid, simulation)
    }

    /// Writes a pod's status, or has its object go: 1 when that changed something.
    private func tell(_ uid: String, _ simulation: Simulation) async -> Int {
        let worker = workers[uid]!
        guard !hits(faults.failures, simulation) else { return 0 }
        if worker.isFinished {
            do {
                try await simulation.api.delete(
                    .pods, namespace: "default", worker.pod.name, DeletionOptions(gracePeriodSeconds: 0, uid: uid))
            } catch {
                guard error.code == 404 || error.code == 409 else { return 0 }
            }
            workers[uid] = nil
            engine[uid] = nil
            return 1
        }
        guard var pod = await simulation.object(.pods, worker.pod.name), pod.uid == uid else { return 0 }
        let status = worker.machine.status(
            over: pod.status, hostAddress: "192.0.2.1", qosClass: QualityOfService(spec: pod.spec),
            now: simulation.clock.now)
        guard status != pod.status else { return 0 }
        pod.status = status
        return (try? await simulation.api.update(.pods, pod, subresource: "status")) == nil ? 0 : 1
    }
}
