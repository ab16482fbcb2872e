import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// One step of a DaemonSet: what it has to do now.
struct DaemonSetStep {
    static let hashLabel = "controller-revision-hash"
    /// How long a pod that has failed stays before another one takes its place.
    static let pauseAfterFailure: Int64 = 10

    /// A node with the set's pods on it, those on their way out too, the oldest first.
    struct Place {
        let node: KubeObject
        let fit: NodeFit
        let pods: [KubeObject]

        var running: [KubeObject] { pods.filter { !$0.isBeingDeleted && !$0.hasEnded } }
    }

    let set: KubeObject
    let now: Linux.Timestamp
    let names: [String]
    let places: [Place]
    /// Pods whose node is gone.
    let lost: [KubeObject]
    var history: RevisionHistory
    var hash = ""
    var actions: [ObjectAction]
    var again: Linux.Timestamp?
    private var doomed: Set<String> = []

    init(of set: KubeObject, in view: any ObjectView, _ now: Linux.Timestamp) {
        self.set = set
        self.now = now
        let all = view.objects(.pods, namespace: set.namespace).map { KubeObject($0) }
        names = all.map(\.name)
        let claim = Claim(all, .pods, by: set, .daemonSets, Owners.selector(set))
        actions = claim.actions
        let pods = claim.owned.sorted { $0.isOlder(than: $1) }
        let template = set.json["spec", "template", "spec"] ?? [:]
        let nodes = view.objects(.nodes, namespace: nil).map { KubeObject($0) }.sorted { $0.name < $1.name }
        places = nodes.map { node in
            Place(node: node, fit: NodeFit(node, template), pods: pods.filter { Self.node(of: $0) == node.name })
        }
        let known = Set(nodes.map(\.name))
        lost = pods.filter { pod in Self.node(of: pod).map { !known.contains($0) } ?? true }
        history = RevisionHistory(of: set, .daemonSets, hashLabel: Self.hashLabel, in: view)
    }

    /// The node that a pod is on or was made for.
    private static func node(of pod: KubeObject) -> String? {
        if let name = pod.spec["nodeName"]?.string, !name.isEmpty { return name }
        let required = pod.json["spec", "affinity", "nodeAffinity"]?["requiredDuringSchedulingIgnoredDuringExecution"]
        for term in required?["nodeSelectorTerms"]?.array ?? [] {
            for field in term["matchFields"]?.array ?? [] where field["key"]?.string == "metadata.name" {
                return field["values"]?[0]?.string
            }
        }
        return nil
    }

    var desired: Int64 { Int64(places.count(where: \.fit.runs)) }
    var minReadySeconds: Int64 { self.set.spec["minReadySeconds"]?.integer ?? 0 }
    var maxSurge: Int64 { bound("maxSurge", 0) }
    /// One at least when there is no surge: with neither nothing could ever move.
    var maxUnavailable: Int64 { maxSurge == 0 ? max(1, bound("maxUnavailable", 1)) : bound("maxUnavailable", 0) }

    private func bound(_ field: String, _ fallback: Int64) -> Int64 {
        let value = set.json["spec", "updateStrategy", "rollingUpdate"]?[field]
        return max(0, IntOrPercent.scaled(value, of: desired, roundUp: true) ?? fallback)
    }

    mutating func run() {
        let current = history.current(collisions: set.status.count("collisionCount"))
        hash = current.label(Self.hashLabel) ?? ""
        let used = places.flatMap(\.pods).compactMap { $0.label(Self.hashLabel) }
        let live = history.revisions.filter { used.contains($0.label(Self.hashLabel) ?? "") }.map(\.name)
        history.cleanUp(keeping: Set(live + [current.name]))
        actions += history.actions
        if !set.isBeingDeleted {
            manage()
            if set.json["spec", "updateStrategy", "type"]?.string != "OnDelete" { update() }
        }
        writeStatus()
    }

    func isCurrent(_ pod: KubeObject) -> Bool { pod.label(Self.hashLabel) == hash }

    mutating func look(at moment: Linux.Timestamp) { again = again.map { min($0, moment) } ?? moment }

    mutating func isAvailable(_ pod: KubeObject) -> Bool {
        guard !pod.isBeingDeleted else { return false }
        switch PodAvailability(pod, minReadySeconds: minReadySeconds, now) {
        case .available: return true
        case .unready: return false
        case .from(let moment):
            look(at: moment)
            return false
        }
    }

    mutating func say(_ reason: String, _ message: String, type: String = "Normal") {
        actions.append(.event(set, .daemonSets, type: type, reason: reason, message: message))
    }

    mutating func delete(_ pod: KubeObject) {
        guard !pod.isBeingDeleted, doomed.insert(pod.uid).inserted else { return }
        actions.append(.delete(.pods, namespace: pod.namespace, name: pod.name, DeletionOptions(uid: pod.uid)))
        say("SuccessfulDelete", "Deleted pod: \(pod.name)")
    }

    // MARK: A pod on each node

    private mutating func manage() {
        for pod in lost { delete(pod) }
        for place in places {
            if !place.fit.stays {
                for pod in place.pods { delete(pod) }
            } else if place.pods.isEmpty {
                if place.fit.runs { make(on: place.node) }
            } else {
                removeEnded(place)
                removeSurplus(place)
            }
        }
    }

    private mutating func removeEnded(_ place: Place) {
        for pod in place.pods where pod.hasEnded && !pod.isBeingDeleted {
            let what = "daemon pod \(pod.namespace ?? "")/\(pod.name) on node \(place.node.name), will try to"
            if pod.phase == "Failed" {
                let moment = pod.ended(now).adding(seconds: Self.pauseAfterFailure)
                guard moment <= now else {
                    look(at: moment)
                    continue
                }
                say("FailedDaemonPod", "Found failed \(what) kill it", type: "Warning")
            } else {
                say("SucceededDaemonPod", "Found succeeded \(what) delete it")
            }
            delete(pod)
        }
    }

    private mutating func removeSurplus(_ place: Place) {
        let running = place.running
        guard running.count > 1 else { return }
        guard maxSurge > 0, let old = running.first(where: { !isCurrent($0) }),
            let new = running.first(where: { isCurrent($0) })
        else {
            for pod in running.dropFirst() { delete(pod) }
            return
        }
        for pod in running where pod.uid != old.uid && pod.uid != new.uid { delete(pod) }
    }

    // MARK: Updates

    private mutating func update() {
        if maxSurge == 0 { updateInPlace() } else { updateBySurge() }
    }

    private mutating func updateInPlace() {
        var unavailable: Int64 = 0
        var broken: [KubeObject] = []
        var candidates: [KubeObject] = []
        for place in places where place.fit.runs {
            guard let pod = place.running.first, place.pods.count == 1, !doomed.contains(pod.uid) else {
                unavailable += 1
                continue
            }
            if isCurrent(pod) {
                if !isAvailable(pod) { unavailable += 1 }
            } else if !isAvailable(pod) {
                unavailable += 1
                broken.append(pod)
            } else {
                candidates.append(pod)
            }
        }
        for pod in broken + candidates.prefix(Int(max(0, maxUnavailable - unavailable))) { delete(pod) }
    }

    private mutating func updateBySurge() {
        var surging: Int64 = 0
        var unavailable: Int64 = 0
        var waiting: [Place] = []
        for place in places where place.fit.runs {
            let old = place.running.first { !isCurrent($0) }
            let new = place.running.first { isCurrent($0) }
            switch (old, new) {
            case (let old?, let new?):
                surging += 1
                if isAvailable(new) { delete(old) }
            case (let old?, nil):
                if !isAvailable(old) { unavailable += 1 }
                waiting.append(place)
            case (nil, let new?): if !isAvailable(new) { unavailable += 1 }
            case (nil, nil): unavailable += 1
            }
        }
        for place in waiting {
            guard let old = place.running.first else { continue }
            if surging < maxSurge {
                surging += 1
                make(on: place.node)
            } else if unavailable < maxUnavailable {
                unavailable += 1
                delete(old)
            }
        }
    }

    // MARK: New pods

    private mutating func make(on node: KubeObject) {
        var generated = GeneratedNames(set.name + "-", owner: set, now, taken: names)
        var pod = PodTemplate.pod(set.spec["template"], of: set, .daemonSets)
        pod.metadata.generateName = generated.prefix
        // Each node has a seed of its own, since names of this step are not known to each other.
        for _ in 0...(places.firstIndex { $0.node.name == node.name } ?? 0) { pod.metadata.name = generated.next() }
        pod.metadata.labels[Self.hashLabel] = hash
        if let generation = set.annotation("deprecated.daemonset.template.generation") {
            pod.metadata.labels["pod-template-generation"] = generation
        }
        pod.spec = Self.bound(pod.spec, to: node.name)
        actions.append(.create(.pods, pod))
        say("SuccessfulCreate", "Created pod: \(pod.name)")
    }

    /// The scheduler puts the pod on that node and no other.
    private static func bound(_ spec: JSONValue, to node: String) -> JSONValue {
        var spec = spec
        let field: JSONValue = ["key": "metadata.name", "operator": "In", "values": [.string(node)]]
        let key = "requiredDuringSchedulingIgnoredDuringExecution"
        var terms = spec["affinity", "nodeAffinity"]?[key]?["nodeSelectorTerms"]?.array ?? []
        if terms.isEmpty { terms = [[:]] }
        for index in terms.indices { terms[index]["matchFields"] = [field] }
        var affinity = spec["affinity"] ?? [:]
        affinity["nodeAffinity", default: [:]][key] = ["nodeSelectorTerms": .array(terms)]
        spec["affinity"] = affinity
        let own = spec["tolerations"]?.array ?? []
        let added = NodeFit.tolerations(hostNetwork: spec["hostNetwork"]?.bool ?? false).filter { !own.contains($0) }
        spec["tolerations"] = .array(own + added)
        return spec
    }
}
