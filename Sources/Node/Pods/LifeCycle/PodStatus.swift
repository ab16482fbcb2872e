package import JSON
import KubeObjects
package import Linux

extension PodMachine {
    /// The object's status as it is now: core/v1.PodStatus.
    ///
    /// - Parameters:
    ///   - old: the status that there is; what others write in it stays.
    ///   - hostAddress: of the node.
    package func status(over old: JSONValue, hostAddress: String, qosClass: QualityOfService, now: Timestamp)
        -> JSONValue
    {
        var status = old.object == nil ? .object([:]) : old
        if let generation = plan.generation { status["observedGeneration"] = .integer(generation) }
        status["phase"] = .string(phase.rawValue)
        status["conditions"] = .array(PodConditions.of(self, over: old["conditions"]?.array ?? [], now: now))
        if case .failed(let reason, let message) = ending {
            status["reason"] = .string(reason)
            status["message"] = .string(message)
        }
        status["hostIP"] = .string(hostAddress)
        status["hostIPs"] = [["ip": .string(hostAddress)]]
        if let first = addresses.first {
            status["podIP"] = .string(first)
            status["podIPs"] = .array(addresses.map { ["ip": .string($0)] })
        }
        status["startTime"] = .string(startTime.kubeTime)
        status["qosClass"] = .string(qosClass.rawValue)
        for (key, roles) in Self.lists {
            let lives = containers.filter { roles.contains($0.plan.role) }
            status[key] = lives.isEmpty ? nil : .array(lives.map(self.status))
        }
        return status
    }

    private static let lists: [(String, [ContainerPlan.Role])] = [
        ("initContainerStatuses", [.initial, .sidecar]), ("containerStatuses", [.main]),
        ("ephemeralContainerStatuses", [.ephemeral]),
    ]

    private func status(_ life: ContainerLife) -> JSONValue {
        var status: JSONValue = ["name": .string(life.plan.name), "state": state(life)]
        let last = isShownAsEnded(life) ? life.previous : life.ended ?? life.previous
        status["lastState"] = last.map { ["terminated": $0.json] } ?? .object([:])
        let isDone = life.plan.role == .initial && life.hasSucceeded
        status["ready"] = .bool(life.isReady && !life.isHooking || isDone)
        status["restartCount"] = .integer(Int64(max(0, life.nextAttempt - 1)))
        status["image"] = .string(life.image)
        status["imageID"] = .string(life.imageID)
        if let id = life.id { status["containerID"] = .string(Self.containerScheme + id) }
        status["started"] = .bool(life.isStarted && !life.isHooking)
        return status
    }

    package static let containerScheme = "forkless://"

    /// Whether its last end is its state, and not the past of one that waits.
    func isShownAsEnded(_ life: ContainerLife) -> Bool {
        guard life.stage == .idle, life.ended != nil else { return false }
        return ending != nil || life.waiting == nil
    }

    private func state(_ life: ContainerLife) -> JSONValue {
        if let run = life.run, !life.isHooking || life.stage.isStopping {
            return ["running": ["startedAt": .string(run.startedAt.kubeTime)]]
        }
        if isShownAsEnded(life), let ended = life.ended { return ["terminated": ended.json] }
        let isWaitingForOthers = !hasInitialized && (life.plan.role == .main || !mayRun(life.plan))
        var waiting: JSONValue = [
            "reason": .string(
                life.waiting?.reason
                    ?? (isWaitingForOthers && hasInitContainers ? "PodInitializing" : "ContainerCreating"))
        ]
        if let message = life.waiting?.message, !message.isEmpty { waiting["message"] = .string(message) }
        return ["waiting": waiting]
    }

    private var hasInitContainers: Bool { containers.contains { $0.plan.role == .initial || $0.plan.role == .sidecar } }
}

extension ContainerLife.Stage {
    var isStopping: Bool { if case .stopping = self { true } else { false } }
}

extension Termination {
    /// core/v1.ContainerStateTerminated
    var json: JSONValue {
        var json: JSONValue = ["exitCode": .integer(Int64(exitCode))]
        if let signal { json["signal"] = .integer(Int64(signal)) }
        if !reason.isEmpty { json["reason"] = .string(reason) }
        if let message, !message.isEmpty { json["message"] = .string(message) }
        json["startedAt"] = startedAt.map { .string($0.kubeTime) } ?? .null
        json["finishedAt"] = .string(finishedAt.kubeTime)
        if let containerID { json["containerID"] = .string(containerID) }
        return json
    }
}
