import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// What a namespace's limit ranges say of pods and claims: defaults for containers, and bounds (plugin/limitranger).
struct LimitRanger: AdmissionRule {
    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create, request.isFor(.pods) else { return }
        for range in ranges(request, view) {
            for item in range["spec", "limits"]?.array ?? [] where item["type"] == "Container" {
                for list in ["containers", "initContainers"] { fill(&request.object, list, item) }
            }
        }
    }

    private func ranges(_ request: AdmissionRequest, _ view: AdmissionView) -> [JSONValue] {
        view.objects(.limitRanges, namespace: request.call.namespace).sorted { $0.key < $1.key }.map(\.value)
    }

    private func fill(_ pod: inout JSONValue, _ list: String, _ item: JSONValue) {
        guard var containers = pod["spec", list]?.array else { return }
        var set: [String] = []
        for index in containers.indices {
            for (field, source) in [("requests", "defaultRequest"), ("limits", "default")] {
                let names = (item[source]?.object?.members ?? []).filter {
                    containers[index]["resources", field, $0.key] == nil
                }
                for member in names { containers[index]["resources", field, member.key] = member.value }
                guard !names.isEmpty else { continue }
                let kind = list == "containers" ? "container" : "init container"
                set.append(
                    "\(names.map(\.key).sorted().joined(separator: ", ")) \(field.dropLast()) for \(kind) "
                        + (containers[index]["name"]?.string ?? ""))
            }
        }
        pod["spec", list] = .array(containers)
        guard !set.isEmpty else { return }
        let before = pod["metadata", "annotations", "kubernetes.io/limit-ranger"]?.string
        let text = set.joined(separator: "; ")
        pod["metadata", "annotations", "kubernetes.io/limit-ranger"] = .string(
            before.map { "\($0); \(text)" } ?? "LimitRanger plugin set: \(text)")
    }

    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create || request.operation == .update && request.isFor(.persistentVolumeClaims),
            request.isFor(.pods) || request.isFor(.persistentVolumeClaims)
        else { return }
        var problems: [String] = []
        for range in ranges(request, view) {
            for item in range["spec", "limits"]?.array ?? [] { problems += check(request, item) }
        }
        guard !problems.isEmpty else { return }
        throw request.forbidden(problems.count == 1 ? problems[0] : "[\(problems.joined(separator: ", "))]")
    }

    private func check(_ request: AdmissionRequest, _ item: JSONValue) -> [String] {
        let type = item["type"]?.string ?? ""
        let spec = request.object["spec"] ?? [:]
        switch (type, request.isFor(.pods)) {
        case ("Container", true):
            return PodTemplates.containers(spec, ["containers", "initContainers"]).flatMap { container in
                LimitBounds(item, type).problems(
                    requests: Amounts(container["resources", "requests"]),
                    limits: Amounts(container["resources", "limits"]))
            }
        case ("Pod", true):
            return LimitBounds(item, type).problems(
                requests: PodAmounts.of(spec, "requests"), limits: PodAmounts.of(spec, "limits"))
        case ("PersistentVolumeClaim", false):
            return LimitBounds(item, type).claimProblems(Amounts(spec["resources", "requests"]))
        default: return []
        }
    }
}

/// The bounds of one item of a limit range.
struct LimitBounds {
    private let type: String
    private let least: Amounts
    private let most: Amounts
    private let ratio: Amounts

    init(_ item: JSONValue, _ type: String) {
        self.type = type
        least = Amounts(item["min"])
        most = Amounts(item["max"])
        ratio = Amounts(item["maxLimitRequestRatio"])
    }

    func problems(requests: Amounts, limits: Amounts) -> [String] {
        problems("minimum", least, ("request", requests), ("limit", limits)) { $0 < $1 }
            + problems("maximum", most, ("limit", limits), ("request", requests)) { $1 < $0 }
            + ratioProblems(requests, limits)
    }

    /// Claims have no limits: both bounds are for what they request.
    func claimProblems(_ requests: Amounts) -> [String] {
        problems("minimum", least, ("request", requests)) { $0 < $1 }
            + problems("maximum", most, ("request", requests)) { $1 < $0 }
    }

    /// - Parameters:
    ///   - needed: what has to be said, and its amounts.
    ///   - besides: what may be said.
    ///   - breaks: whether an amount (the first) breaks a bound.
    private func problems(
        _ word: String, _ bounds: Amounts, _ needed: (word: String, amounts: Amounts),
        _ besides: (word: String, amounts: Amounts)? = nil, breaks: (Quantity, Quantity) -> Bool
    ) -> [String] {
        bounds.sorted.compactMap { name, bound in
            let text = "\(word) \(name) usage per \(type) is \(bound)"
            guard needed.amounts[name] != nil else { return "\(text).  No \(needed.word) is specified" }
            for said in [needed, besides].compactMap(\.self) {
                if let amount = said.amounts[name], breaks(amount, bound) {
                    return "\(text), but \(said.word) is \(amount)"
                }
            }
            return nil
        }
    }

    private func ratioProblems(_ requests: Amounts, _ limits: Amounts) -> [String] {
        ratio.sorted.compactMap { name, bound in
            let text = "\(name) max limit to request ratio per \(type) is \(bound), but"
            guard let request = requests[name], !request.isZero else {
                return "\(text) no request is specified or request is 0"
            }
            guard let limit = limits[name], !limit.isZero else { return "\(text) no limit is specified or limit is 0" }
            let there = Double(limit.milliValue) / Double(request.milliValue)
            guard there > Double(bound.milliValue) / 1000 else { return nil }
            return "\(text) provided ratio is \(Self.sixDecimals(there))"
        }
    }

    /// As Go's %f.
    private static func sixDecimals(_ value: Double) -> String {
        let millionths = Int64((min(value, 1e12) * 1_000_000).rounded())
        let digits = String(millionths % 1_000_000)
        return "\(millionths / 1_000_000)." + String(repeating: "0", count: 6 - digits.utf8.count) + digits
    }
}
