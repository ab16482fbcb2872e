import Dashboard
import JSON
import KubeObjects
import KubeStore
import Linux

/// Objects of the Kubernetes API that run something, as the dashboard shows them.
struct KubeWorkloads: Sendable {
    let cluster: KubeCluster?

    private static let kinds: [(WorkloadKey.Kind, Resource)] = [
        (.pod, .pods), (.deployment, .deployments), (.statefulset, .statefulSets), (.daemonset, .daemonSets), (.job, .jobs),
        (.service, .services),
    ]

    func all() -> [Workload] {
        guard let cache = cluster?.cache else { return [] }
        return Self.kinds.flatMap { kind, resource in cache.objects(resource).map { Self.workload(kind, KubeObject($0)) } }
    }

    static func workload(_ kind: WorkloadKey.Kind, _ object: KubeObject) -> Workload {
        let namespace = object.namespace ?? ""
        let name = namespace == "default" ? object.name : "\(namespace)/\(object.name)"
        let (state, tone) = state(kind, object)
        return Workload(
            WorkloadKey(kind, "\(namespace)/\(object.name)"), name: name, rung: .service, tone: tone, state: state,
            what: "\(kind.rawValue): \(images(kind, object))", since: object.metadata.creationTimestamp.flatMap { Timestamp($0) })
    }

    private static func images(_ kind: WorkloadKey.Kind, _ object: KubeObject) -> String {
        if kind == .service { return object.spec["clusterIP"]?.string ?? "" }
        let pod = kind == .pod ? object.spec : object.spec["template"]?["spec"] ?? .null
        return (pod["containers"]?.array ?? []).compactMap { $0["image"]?.string }.joined(separator: ", ")
    }

    private static func state(_ kind: WorkloadKey.Kind, _ object: KubeObject) -> (String, Tone) {
        if object.isBeingDeleted { return ("being deleted", .busy) }
        switch kind {
        case .pod: return pod(object)
        case .service: return (object.spec["type"]?.string ?? "ClusterIP", .good)
        case .job:
            if object.condition("Failed")?["status"]?.string == "True" { return ("failed", .bad) }
            if object.condition("Complete")?["status"]?.string == "True" { return ("complete", .idle) }
            return ("\(object.status["active"]?.integer ?? 0) active", .busy)
        case .daemonset:
            return ready(object.status["numberReady"]?.integer ?? 0, object.status["desiredNumberScheduled"]?.integer ?? 0)
        default: return ready(object.status["readyReplicas"]?.integer ?? 0, object.spec["replicas"]?.integer ?? 1)
        }
    }

    private static func ready(_ ready: Int64, _ wanted: Int64) -> (String, Tone) {
        let tone: Tone = wanted == 0 ? .idle : ready >= wanted ? .good : ready == 0 ? .bad : .warning
        return ("\(ready) of \(wanted) ready", tone)
    }

    private static func pod(_ object: KubeObject) -> (String, Tone) {
        let statuses = object.status["containerStatuses"]?.array ?? []
        if let reason = statuses.compactMap({ $0["state"]?["waiting"]?["reason"]?.string }).first(where: { !["ContainerCreating", "PodInitializing"].contains($0) }) {
            return (reason, .bad)
        }
        let phase = object.status["phase"]?.string ?? "Pending"
        let count = statuses.count { $0["ready"]?.bool == true }
        switch phase {
        case "Running": return count == statuses.count ? ("Running", .good) : ("\(count) of \(statuses.count) ready", .warning)
        case "Succeeded": return (phase, .idle)
        case "Failed": return (phase, .bad)
        default: return (phase, .busy)
        }
    }

    func details(_ key: WorkloadKey) throws(DashboardFailure) -> WorkloadDetails {
        let parts = key.id.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let cache = cluster?.cache, let resource = Self.kinds.first(where: { $0.0 == key.kind })?.1, parts.count == 2,
            let stored = cache.get(resource, namespace: parts[0], parts[1])
        else { throw DashboardFailure(.notFound, "There is no \(key.kind.rawValue) \(key.id) on this node.") }
        let object = KubeObject(stored)
        var facts = [
            Fact("Namespace", parts[0]), Fact("Name", parts[1]), Fact("Uid", object.uid),
            Fact("Images", Self.images(key.kind, object)),
        ]
        if let address = object.status["podIP"]?.string { facts.append(Fact("Address", address)) }
        for status in object.status["containerStatuses"]?.array ?? [] {
            let name = status["name"]?.string ?? ""
            facts.append(Fact("Restarts of \(name)", "\(status["restartCount"]?.integer ?? 0)"))
            if let ended = status["lastState"]?["terminated"] {
                facts.append(Fact("Last end of \(name)", "\(ended["reason"]?.string ?? "ended"), exit code \(ended["exitCode"]?.integer ?? 0)"))
            }
        }
        for condition in object.status["conditions"]?.array ?? [] {
            guard let type = condition["type"]?.string else { continue }
            let words = [condition["status"]?.string, condition["reason"]?.string, condition["message"]?.string].compactMap { $0 }
            facts.append(Fact(type, words.joined(separator: ": ")))
        }
        return WorkloadDetails(Self.workload(key.kind, object), facts: facts)
    }

    /// The newest events of objects.
    func events(limit: Int) async -> [EventLine] {
        guard let store = cluster?.store, let list = try? await store.list(ListRequest(Resource.events.scope())) else { return [] }
        let lines = list.objects.map { stored -> EventLine in
            let object = KubeObject(stored)
            let time = ["lastTimestamp", "eventTime", "firstTimestamp"].compactMap { object.json[$0]?.string.flatMap { Timestamp($0) } }.first
            let involved = object.json["involvedObject"] ?? .null
            return EventLine(
                at: time ?? object.metadata.creationTimestamp.flatMap { Timestamp($0) } ?? Timestamp(nanoseconds: 0),
                kind: (involved["kind"]?.string ?? "object").lowercased(), action: object.json["reason"]?.string ?? "",
                subject: "\(involved["namespace"]?.string ?? "")/\(involved["name"]?.string ?? "")", text: object.json["message"]?.string ?? "",
                isWarning: object.json["type"]?.string == "Warning")
        }
        return Array(lines.sorted { $0.at > $1.at }.prefix(limit))
    }
}
