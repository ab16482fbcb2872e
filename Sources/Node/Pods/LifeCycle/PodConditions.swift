import JSON
import KubeObjects
import Linux

/// The conditions of a pod that its node sets: core/v1.PodCondition. Those that others set stay.
struct PodConditions {
    private let machine: PodMachine
    private let old: [JSONValue]
    private let now: Timestamp
    private var result: [JSONValue] = []

    static func of(_ machine: PodMachine, over old: [JSONValue], now: Timestamp) -> [JSONValue] {
        var conditions = PodConditions(machine: machine, old: old, now: now)
        conditions.write()
        return conditions.result
    }

    private init(machine: PodMachine, old: [JSONValue], now: Timestamp) {
        self.machine = machine
        self.old = old
        self.now = now
    }

    private mutating func write() {
        let phase = machine.phase
        let hasPlace = machine.preparation == .done && machine.tearDown == .none
        set("PodReadyToStartContainers", hasPlace)
        initialized(phase)
        let unready = machine.unreadyContainers
        let reason = phase == .succeeded ? "PodCompleted" : phase == .failed ? "PodFailed" : "ContainersNotReady"
        let message =
            phase.isTerminal || unready.isEmpty
            ? nil : "containers with unready status: [\(unready.joined(separator: " "))]"
        let areReady = unready.isEmpty && !phase.isTerminal
        let shut =
            areReady
            ? machine.plan.readinessGates.filter { gate in
                !old.contains { $0["type"]?.string == gate && $0["status"]?.string == "True" }
            } : []
        if areReady, !shut.isEmpty {
            let missing = shut.map { gate in
                let value = old.first { $0["type"]?.string == gate }?["status"]?.string
                return value.map { _ in "the status of pod readiness gate \"\(gate)\" is not \"True\"" }
                    ?? "corresponding condition of pod readiness gate \"\(gate)\" does not exist."
            }
            set("Ready", false, "ReadinessGatesNotReady", missing.joined(separator: ", "))
        } else {
            set("Ready", areReady, areReady ? nil : reason, message)
        }
        set("ContainersReady", areReady, areReady ? nil : reason, message)
        set("PodScheduled", true)
        if case .failed(reason: "Evicted", let message) = machine.ending {
            set("DisruptionTarget", true, "TerminationByKubelet", message)
        }
        let own = Set(result.compactMap { $0["type"]?.string })
        result += old.filter { !own.contains($0["type"]?.string ?? "") }
    }

    private mutating func initialized(_ phase: PodPhase) {
        if phase == .succeeded { return set("Initialized", true, "PodCompleted") }
        let missing = machine.containers.filter { life in
            switch life.plan.role {
            case .initial: !life.hasSucceeded
            case .sidecar: !life.isUp && !machine.hasMainBegun
            case .main, .ephemeral: false
            }
        }.map(\.plan.name)
        guard !machine.hasInitialized, !missing.isEmpty else { return set("Initialized", true) }
        set(
            "Initialized", false, "ContainersNotInitialized",
            "containers with incomplete status: [\(missing.joined(separator: " "))]")
    }

    private mutating func set(_ type: String, _ isTrue: Bool, _ reason: String? = nil, _ message: String? = nil) {
        let status = isTrue ? "True" : "False"
        let before = old.first { $0["type"]?.string == type }
        var condition: JSONValue = ["type": .string(type)]
        if let generation = machine.plan.generation { condition["observedGeneration"] = .integer(generation) }
        condition["status"] = .string(status)
        condition["lastProbeTime"] = .null
        let isSame = before?["status"]?.string == status
        condition["lastTransitionTime"] = isSame ? before?["lastTransitionTime"] : .string(now.kubeTime)
        if let reason { condition["reason"] = .string(reason) }
        if let message, !message.isEmpty { condition["message"] = .string(message) }
        result.append(condition)
    }
}
