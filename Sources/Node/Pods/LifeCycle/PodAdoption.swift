package import JSON
package import Linux

/// What a node that has just begun knows of a container: from the engine.
package struct FoundContainer: Hashable, Sendable {
    package var name: String
    package var run: ContainerRun
    /// nil: it runs.
    package var end: Termination?

    package init(name: String, run: ContainerRun, end: Termination?) {
        self.name = name
        self.run = run
        self.end = end
    }
}

extension PodMachine {
    /// Goes on with a pod of an earlier node: what its status says is the past, what the engine has is the present.
    ///
    /// - Parameters:
    ///   - found: what the engine has of it, the newest of each container last.
    ///   - status: the object's.
    package mutating func adopt(_ found: [FoundContainer], status: JSONValue, now: Timestamp) {
        let statuses = ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"].flatMap {
            status[$0]?.array ?? []
        }
        for known in statuses {
            guard let name = known["name"]?.string, let index = index(name) else { continue }
            recall(known, index)
        }
        for container in found {
            guard let index = index(container.name), container.run.attempt >= containers[index].nextAttempt - 1 else {
                continue
            }
            adopt(container, index, statuses.first { $0["name"]?.string == container.name }, now)
        }
        for index in containers.indices { noteLost(index, statuses, now) }
        switch status["phase"]?.string {
        case "Succeeded": ending = .completed
        case "Failed":
            ending =
                status["reason"]?.string.map { .failed(reason: $0, message: status["message"]?.string ?? "") }
                ?? .completed
        default: break
        }
        addresses = (status["podIPs"]?.array ?? []).compactMap { $0["ip"]?.string }
    }

    private mutating func recall(_ known: JSONValue, _ index: Int) {
        let state = known["state"] ?? .object([:])
        let count = Int(clamping: min(max(known["restartCount"]?.integer ?? 0, 0), 999_999))
        let hasRun = state["running"] != nil || state["terminated"] != nil || known["lastState", "terminated"] != nil
        containers[index].nextAttempt = hasRun ? count + 1 : 0
        containers[index].imageID = known["imageID"]?.string ?? ""
        containers[index].id = known["containerID"]?.string.map {
            String($0.drop(while: { $0 != "/" }).drop(while: { $0 == "/" }))
        }
        let last = known["lastState", "terminated"].map(Termination.init(reading:))
        if let ended = state["terminated"].map(Termination.init(reading:)) {
            (containers[index].ended, containers[index].previous) = (ended, last)
        } else if state["waiting"] != nil {
            containers[index].ended = last
        } else {
            containers[index].previous = last
        }
    }

    private mutating func adopt(_ found: FoundContainer, _ index: Int, _ known: JSONValue?, _ now: Timestamp) {
        let before = containers[index]
        take(found.run, index)
        // The run that the status knows is this one, not one before it.
        if found.run.attempt < before.nextAttempt { containers[index].previous = before.previous }
        if let end = found.end {
            containers[index].stage = .idle
            containers[index].ended = end
            return
        }
        let isKnown = known?["containerID"]?.string?.hasSuffix(found.run.id) ?? false
        beginProbes(index, now)
        guard isKnown else { return }
        if known?["started"]?.bool == true, !containers[index].isStarted { markStartedBefore(index, now) }
        if known?["ready"]?.bool == true, containers[index].isStarted { containers[index].isReady = true }
    }

    /// What the status says that ran, and nobody has any more.
    private mutating func noteLost(_ index: Int, _ statuses: [JSONValue], _ now: Timestamp) {
        let life = containers[index]
        guard life.stage == .idle, life.ended == nil, life.nextAttempt > 0 else { return }
        let known = statuses.first { $0["name"]?.string == life.plan.name }
        containers[index].ended = Termination(
            exitCode: 137, reason: "ContainerStatusUnknown",
            message: "The container could not be located when the pod was terminated",
            startedAt: known?["state", "running", "startedAt"]?.string.flatMap(Timestamp.init), finishedAt: now,
            containerID: known?["containerID"]?.string)
    }
}

extension Termination {
    /// Reads a status; what is missing is empty.
    init(reading json: JSONValue) {
        self.init(
            exitCode: json["exitCode"]?.integer.flatMap(Int32.init(exactly:)) ?? 0,
            signal: json["signal"]?.integer.flatMap(Int32.init(exactly:)), reason: json["reason"]?.string ?? "",
            message: json["message"]?.string, startedAt: json["startedAt"]?.string.flatMap(Timestamp.init),
            finishedAt: json["finishedAt"]?.string.flatMap(Timestamp.init) ?? Timestamp(nanoseconds: 0),
            containerID: json["containerID"]?.string)
    }
}
