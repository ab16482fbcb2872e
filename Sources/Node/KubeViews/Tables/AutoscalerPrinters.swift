import JSON
import KubeObjects

/// Horizontal pod autoscalers, and scales.
enum AutoscalerPrinters {
    static let all: [String: Printer] = [
        "HorizontalPodAutoscaler.autoscaling": autoscaler, "Scale.autoscaling": scale,
    ]

    private static let scale = Printer(["spec.replicas", "status.replicas"]) { subject in
        [subject.name, subject.spec.count("replicas"), subject.status.count("replicas"), subject.age]
    }

    /// So many metrics are shown.
    private static let limit = 2

    private static let autoscaler = Printer(
        ["apiVersion", "metadata.annotations", "spec", "status.currentMetrics", "status.currentReplicas"]
    ) { subject in
        let isOlder = subject.json["apiVersion"] == "autoscaling/v1"
        let subject = isOlder ? TableSubject(json: AutoscalerVersions.newer(subject.json), now: subject.now) : subject
        let spec = subject.spec
        let target = spec["scaleTargetRef"] ?? .null
        return [
            subject.name, .string("\(target.text("kind"))/\(target.text("name"))"),
            .string(metrics(spec.list("metrics"), subject.status.list("currentMetrics"))),
            .string(spec["minReplicas"]?.integer.map { "\($0)" } ?? TableSubject.unset),
            spec.count("maxReplicas"), subject.status.count("currentReplicas"), subject.age,
        ]
    }

    private static func metrics(_ wanted: [JSONValue], _ measured: [JSONValue]) -> String {
        guard !wanted.isEmpty else { return TableSubject.none }
        let texts = wanted.prefix(limit).enumerated().map { index, metric in
            text(metric, index < measured.count ? measured[index] : nil)
        }
        let more = wanted.count > limit ? " + \(wanted.count - limit) more..." : ""
        return texts.joined(separator: ", ") + more
    }

    private static func text(_ metric: JSONValue, _ measured: JSONValue?) -> String {
        let member =
            switch metric.text("type") {
            case "Resource": "resource"
            case "ContainerResource": "containerResource"
            case "Pods": "pods"
            case "Object": "object"
            case "External": "external"
            default: ""
            }
        guard !member.isEmpty else { return "<unknown type>" }
        let target = metric[member, "target"] ?? .null
        let current = measured?[member].flatMap { $0["current"] }
        func measuredText(_ name: String) -> String { current?[name]?.string ?? TableSubject.unknown }
        let average = target["averageValue"]?.string
        switch member {
        case "resource", "containerResource":
            let name = metric[member]?.text("name") ?? ""
            if let average { return "\(name): \(measuredText("averageValue"))/\(average)" }
            let percent = current?["averageUtilization"]?.integer.map { "\($0)%" } ?? TableSubject.unknown
            let wanted = target["averageUtilization"]?.integer.map { "\($0)%" } ?? "<auto>"
            return "\(name): \(percent)/\(wanted)"
        case "pods": return "\(measuredText("averageValue"))/\(average ?? "")"
        default:
            if let average { return "\(measuredText("averageValue"))/\(average) (avg)" }
            return "\(measuredText("value"))/\(target.text("value"))"
        }
    }
}
