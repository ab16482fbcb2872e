import JSON
import KubeObjects
import KubeStore
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeControllers

/// Controllers, an API, a kubelet and a user that take turns by chance, in one thread and with time that stands still: the
/// same seed brings the same run back.
final class Simulation {
    struct Chaos {
        /// Writes that fail, of a hundred.
        var failures = 0
        /// Whether pods are deleted under the controllers' hands.
        var deletesPods = false
        /// Whether controllers forget everything now and then.
        var restarts = false
        /// Pods that fail, of a hundred that end.
        var failingPods = 0
    }

    private struct Running {
        let controller: any Controller
        let performer: ActionPerformer
        var queue = WorkQueue(limit: 1)
    }

    let clock = StoppedClock()
    let api: WorkloadAPI
    let view: LaggedView
    let recorder: EventRecorder
    var chance: SeededChance
    var chaos: Chaos
    private var running: [Running] = []
    private let failing = Mutex(0)
    /// What `kubelet` does with a pod that runs: nil to leave it running.
    var ends: (KubeObject) -> String? = { _ in nil }
    /// Where pods run; nil: `kubelet` does what one would be seen to do.
    var node: MachineKubelet?
    /// Whether a pod that runs becomes ready.
    var readies: (KubeObject) -> Bool = { _ in true }
    /// Asked after every step.
    var check: (Simulation) async throws -> Void = { _ in }
    /// Whether what can end does so at once.
    private(set) var isSettling = false
    private(set) var steps = 0

    init(_ controllers: [any Controller], seed: UInt64, chaos: Chaos = Chaos()) {
        chance = SeededChance(seed: seed)
        self.chaos = chaos
        let failing = Faults(seed: seed)
        api = WorkloadAPI(MemoryObjectStore(), clock: clock) { verb, resource, _ in failing.next(verb, resource) }
        faults = failing
        recorder = EventRecorder(api, now: { [clock] in clock.now })
        var resources: [Resource] = []
        for resource in controllers.flatMap(\.resources) where !resources.contains(resource) {
            resources.append(resource)
        }
        view = LaggedView(api, resources)
        for controller in controllers {
            let performer = ActionPerformer(
                controller: controller, view: view, client: api, recorder: recorder, clock: clock, report: { _ in })
            running.append(Running(controller: controller, performer: performer))
        }
    }

    /// Fails writes of controllers by chance, while they are at work.
    final class Faults: Sendable {
        private struct State {
            var chance: SeededChance
            var percent = 0
        }
        private let state: Mutex<State>
        init(seed: UInt64) { state = Mutex(State(chance: SeededChance(seed: seed &+ 1))) }
        func set(_ percent: Int) { state.withLock { $0.percent = percent } }
        func next(_ verb: String, _ resource: Resource) -> APIFailure? {
            state.withLock { state in
                guard state.percent > 0, Int.random(in: 0..<100, using: &state.chance) < state.percent else {
                    return nil
                }
                return verb.hasPrefix("update")
                    ? APIFailure(409, "Conflict", "made up") : APIFailure(500, "InternalError", "made up")
            }
        }
    }
    let faults: Faults

    func objects(_ resource: Resource) async -> [KubeObject] {
        let page = try! await api.store.list(ListRequest(resource.scope()))
        return page.objects.map { KubeObject($0) }
    }

    func object(_ resource: Resource, _ name: String) async -> KubeObject? {
        try? await api.get(resource, namespace: "default", name)
    }

    // MARK: Steps

    func run(_ count: Int) async throws {
        for _ in 0..<count { try await step() }
    }

    func step() async throws {
        steps += 1
        switch Int.random(in: 0..<100, using: &chance) {
        case 0..<30: deliver(view.resources.randomElement(using: &chance)!, Int.random(in: 1...5, using: &chance))
        case 30..<60: await work(Int.random(in: 0..<running.count, using: &chance))
        case 60..<85: await kubelet()
        case 85..<95: clock.advance(.milliseconds(Int.random(in: 1...3000, using: &chance)))
        case 95..<97: if chaos.deletesPods { await deletePod() }
        case 97: if chaos.restarts, Int.random(in: 0..<5, using: &chance) == 0 { restart() }
        default: clock.advance(.seconds(Int.random(in: 1...20, using: &chance)))
        }
        try await check(self)
    }

    @discardableResult
    private func deliver(_ resource: Resource, _ count: Int = .max) -> Int {
        let changes = view.take(resource, atMost: count)
        for change in changes {
            for index in running.indices where running[index].controller.resources.contains(change.resource) {
                for key in running[index].controller.concerned(by: change, in: view) { running[index].queue.add(key) }
            }
        }
        return changes.count
    }

    @discardableResult
    private func work(_ index: Int) async -> Int {
        let view = view
        let keys = running[index].queue.start(clock.now) { $0.isMet(in: view) }
        faults.set(chaos.failures)
        for key in keys {
            let outcome = await running[index].performer.work(key)
            running[index].queue.finish(key, outcome, clock.now)
        }
        faults.set(0)
        return keys.count
    }

    private func restart() {
        for index in running.indices {
            running[index].queue = WorkQueue(limit: 1)
        }
        for resource in view.resources { deliver(resource) }
        for index in running.indices {
            let controller = running[index].controller
            for resource in controller.resources {
                for object in view.objects(resource, namespace: nil) {
                    let change = ObjectCache.Change(resource: resource, key: object.key, old: nil, new: object)
                    for key in controller.concerned(by: change, in: view) { running[index].queue.add(key) }
                }
            }
        }
    }

    private func deletePod() async {
        let pods = await objects(.pods)
        guard let pod = pods.randomElement(using: &chance) else { return }
        try? await api.delete(.pods, namespace: pod.namespace, pod.name, DeletionOptions())
    }

    // MARK: Kubelet

    func kubelet() async {
        if let node { return await node.step(self) }
        let pods = await objects(.pods)
        guard let pod = pods.randomElement(using: &chance) else { return }
        await advance(pod)
    }

    private func advance(_ pod: KubeObject) async {
        var pod = pod
        if pod.isBeingDeleted {
            // The containers end, and then the pod goes.
            if !pod.hasEnded {
                end(&pod, "Failed", 137)
                pod = (try? await api.update(.pods, pod, subresource: "status")) ?? pod
                if Bool.random(using: &chance) { return }
            }
            try? await api.delete(.pods, namespace: pod.namespace, pod.name, DeletionOptions(gracePeriodSeconds: 0))
            return
        }
        guard !pod.hasEnded else { return }
        if pod.spec["nodeName"] == nil {
            let terms = pod.json["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]
            let node = terms?["nodeSelectorTerms"]?[0]?["matchFields"]?[0]?["values"]?[0]
            pod.json["spec", default: [:]]["nodeName"] = node ?? "node"
            _ = try? await api.update(.pods, pod, subresource: nil)
        } else if pod.phase != "Running" {
            pod.status = ["phase": "Running", "startTime": .string(clock.now.kubeTime)]
            _ = try? await api.update(.pods, pod, subresource: "status")
        } else if let phase = ends(pod) {
            end(&pod, phase, phase == "Succeeded" ? 0 : 1)
            _ = try? await api.update(.pods, pod, subresource: "status")
        } else if !pod.isReadyPod, readies(pod) {
            ready(&pod)
            _ = try? await api.update(.pods, pod, subresource: "status")
        }
    }

    func ready(_ pod: inout KubeObject) {
        pod.status = [
            "phase": "Running",
            "conditions": [["type": "Ready", "status": "True", "lastTransitionTime": .string(clock.now.kubeTime)]],
        ]
    }

    private func end(_ pod: inout KubeObject, _ phase: String, _ code: Int64) {
        pod.status = [
            "phase": .string(phase),
            "containerStatuses": [
                [
                    "name": "main", "restartCount": 0,
                    "state": ["terminated": ["exitCode": .integer(code), "finishedAt": .string(clock.now.kubeTime)]],
                ]
            ],
        ]
    }

    // MARK: Settling

    /// Lets everything come to rest without chaos.
    /// - Parameter horizon: Timers beyond that are left.
    func settle(within limit: Int = 300, horizon: Duration = .seconds(3600)) async throws {
        chaos.failures = 0
        isSettling = true
        defer { isSettling = false }
        let end = clock.now.adding(horizon)
        for _ in 0..<limit {
            var moved = 0
            for resource in view.resources { moved += deliver(resource) }
            for index in running.indices { moved += await work(index) }
            let before = api.requests
            if let node {
                moved += await node.rest(self)
            } else {
                for pod in await objects(.pods) { await advance(pod) }
            }
            moved += api.requests - before
            try await check(self)
            guard moved == 0 else { continue }
            let wakes = running.compactMap { $0.queue.wake(clock.now) } + [node?.wake].compactMap(\.self)
            guard let next = wakes.min(), next <= end else { return }
            clock.set(next)
        }
        let last = view.resources.map { resource in
            let all = api.log(resource, from: 0)
            return "\(resource): "
                + all.suffix(4).map { $0.change.new.map { JSONWriter.text($0.value) } ?? "gone" }.joined(
                    separator: "\n")
        }
        Issue.record(
            "nothing came to rest: the controllers go round in circles (\(chance)): \(last.joined(separator: "\n"))")
    }
}

extension ObjectAction {
    var isEvent: Bool { if case .event = self { true } else { false } }
}
