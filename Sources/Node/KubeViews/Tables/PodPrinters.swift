import JSON

/// Pods and what they are made from.
enum PodPrinters {
    static let all: [String: Printer] = ["Pod": pod, "PodTemplate": template]

    private static let pod: Printer = {
        var printer = Printer(
            [
                "spec.containers.name", "spec.initContainers.name", "spec.initContainers.restartPolicy",
                "spec.nodeName",
                "spec.readinessGates", "status.phase", "status.reason", "status.conditions.type",
                "status.conditions.status", "status.conditions.reason", "status.podIPs", "status.nominatedNodeName",
            ]
                + ["status.containerStatuses.", "status.initContainerStatuses."].flatMap { list in
                    [
                        "name", "ready", "started", "restartCount", "state.waiting.reason", "state.running",
                        "state.terminated.reason", "state.terminated.exitCode", "state.terminated.signal",
                        "lastState.terminated.finishedAt",
                    ].map { list + $0 }
                }
        ) { PodSummary($0).cells }
        printer.conditions = { subject in
            switch subject.status["phase"]?.string {
            case "Succeeded": completed("Succeeded", "The pod has completed successfully.")
            case "Failed": completed("Failed", "The pod failed.")
            default: nil
            }
        }
        return printer
    }()

    private static func completed(_ reason: JSONValue, _ message: JSONValue) -> JSONValue {
        [["type": "Completed", "status": "True", "reason": reason, "message": message]]
    }

    private static let template = Printer(["template.spec.containers", "template.metadata.labels"]) { subject in
        let template = subject.json["template"] ?? .null
        return [subject.name] + template.containerCells
            + [.string((template["metadata", "labels"] ?? .null).labelText)]
    }
}

/// What the columns of a pod say (`printPod`).
private struct PodSummary {
    private let subject: TableSubject
    private var reason: String
    private var ready = 0
    private var restarts: Int64 = 0
    private var lastRestart: Int64?
    /// Of init containers that stay (sidecars), which alone count once the pod is initialised.
    private var sidecarRestarts: Int64 = 0
    private var lastSidecarRestart: Int64?
    private let sidecars: Set<String>

    init(_ subject: TableSubject) {
        self.subject = subject
        let (spec, status) = (subject.spec, subject.status)
        reason = status.text("reason", or: status.text("phase"))
        if status.condition("PodScheduled")?["reason"]?.string == "SchedulingGated" { reason = "SchedulingGated" }
        sidecars = Set(
            spec.list("initContainers").filter { $0["restartPolicy"]?.string == "Always" }.map { $0.text("name") })
        let isInitializing = readInitContainers()
        if !isInitializing || status.condition("Initialized")?["status"]?.string == "True" { readContainers() }
        guard subject.isBeingDeleted else { return }
        if status["reason"]?.string == "NodeLost" {
            reason = "Unknown"
        } else if !["Succeeded", "Failed"].contains(status.text("phase")) {
            reason = "Terminating"
        }
    }

    /// - Returns: whether one of them has not done its work yet.
    private mutating func readInitContainers() -> Bool {
        for (index, container) in subject.status.list("initContainerStatuses").enumerated() {
            let isSidecar = sidecars.contains(container.text("name"))
            restarts += container["restartCount"]?.integer ?? 0
            lastRestart = later(lastRestart, container)
            if isSidecar {
                sidecarRestarts += container["restartCount"]?.integer ?? 0
                lastSidecarRestart = later(lastSidecarRestart, container)
            }
            let state = container["state"] ?? .null
            if let ended = state["terminated"], (ended["exitCode"]?.integer ?? 0) == 0 { continue }
            if isSidecar, container["started"]?.bool == true {
                if container["ready"]?.bool == true { ready += 1 }
                continue
            }
            if let ended = state["terminated"] {
                reason = "Init:" + Self.ending(ended)
            } else if let waiting = state["waiting"]?.text("reason"), !waiting.isEmpty, waiting != "PodInitializing" {
                reason = "Init:" + waiting
            } else {
                reason = "Init:\(index)/\(subject.spec.list("initContainers").count)"
            }
            return true
        }
        return false
    }

    private mutating func readContainers() {
        restarts = sidecarRestarts
        lastRestart = lastSidecarRestart
        var isRunning = false
        for container in subject.status.list("containerStatuses").reversed() {
            restarts += container["restartCount"]?.integer ?? 0
            lastRestart = later(lastRestart, container)
            let state = container["state"] ?? .null
            if let waiting = state["waiting"]?.text("reason"), !waiting.isEmpty {
                reason = waiting
            } else if let ended = state["terminated"] {
                reason = Self.ending(ended)
            } else if container["ready"]?.bool == true, state["running"] != nil {
                isRunning = true
                ready += 1
            }
        }
        // One container has done its work while another still runs.
        if reason == "Completed", isRunning {
            reason = subject.status.condition("Ready")?["status"]?.string == "True" ? "Running" : "NotReady"
        }
    }

    private static func ending(_ ended: JSONValue) -> String {
        let reason = ended.text("reason")
        if !reason.isEmpty { return reason }
        if let signal = ended["signal"]?.integer, signal != 0 { return "Signal:\(signal)" }
        return "ExitCode:\(ended["exitCode"]?.integer ?? 0)"
    }

    private func later(_ time: Int64?, _ container: JSONValue) -> Int64? {
        guard let ended = TableSubject.seconds(container["lastState", "terminated", "finishedAt"]) else { return time }
        return max(time ?? ended, ended)
    }

    var cells: [JSONValue] {
        let (spec, status) = (subject.spec, subject.status)
        var restartText = "\(restarts)"
        if restarts != 0, let lastRestart {
            restartText += " (\(HumanDuration.text(seconds: subject.now - lastRestart)) ago)"
        }
        return [
            subject.name, .string("\(ready)/\(spec.list("containers").count + sidecars.count)"), .string(reason),
            .string(restartText), subject.age,
            .string((status.list("podIPs").first ?? .null).text("ip", or: TableSubject.none)),
            .string(spec.text("nodeName", or: TableSubject.none)),
            .string(status.text("nominatedNodeName", or: TableSubject.none)), .string(gates),
        ]
    }

    private var gates: String {
        let gates = subject.spec.list("readinessGates")
        guard !gates.isEmpty else { return TableSubject.none }
        let open = gates.count {
            subject.status.condition($0.text("conditionType"))?["status"]?.string == "True"
        }
        return "\(open)/\(gates.count)"
    }
}
