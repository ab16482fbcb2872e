import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// One step of a StatefulSet: what it has to do now.
struct StatefulSetStep {
    let set: KubeObject
    let spec: StatefulSetSpec
    let view: any ObjectView
    let now: Linux.Timestamp
    let pods: [KubeObject]
    /// By number.
    let wanted: [Int64: KubeObject]
    /// Beyond the range of numbers, the greatest first.
    let condemned: [KubeObject]
    var history: RevisionHistory
    var actions: [ObjectAction]
    var again: Linux.Timestamp?
    var current = KubeObject(json: [:])
    var update = KubeObject(json: [:])

    init(of set: KubeObject, in view: any ObjectView, _ now: Linux.Timestamp) {
        self.set = set
        self.view = view
        self.now = now
        let spec = StatefulSetSpec(set)
        self.spec = spec
        let all = view.objects(.pods, namespace: set.namespace).map { KubeObject($0) }
        let claim = Claim(all, .pods, by: set, .statefulSets, Owners.selector(set)) { $0.ordinal(in: set) != nil }
        pods = claim.owned
        actions = claim.actions
        let range = spec.start..<spec.start + spec.replicas
        var wanted: [Int64: KubeObject] = [:]
        var condemned: [(Int64, KubeObject)] = []
        for pod in claim.owned {
            guard let number = pod.ordinal(in: set) else { continue }
            if range.contains(number) { wanted[number] = pod } else { condemned.append((number, pod)) }
        }
        self.wanted = wanted
        self.condemned = condemned.sorted { $0.0 > $1.0 }.map(\.1)
        history = RevisionHistory(of: set, .statefulSets, hashLabel: StatefulSetSpec.hashLabel, in: view)
    }

    var range: Range<Int64> { spec.start..<spec.start + spec.replicas }

    mutating func run() {
        update = history.current(collisions: set.status.count("collisionCount"))
        let name = set.status["currentRevision"]?.string
        current = history.revisions.first { $0.name == name } ?? update
        let used = Set(pods.compactMap { $0.label(StatefulSetSpec.revisionLabel) } + [current.name, update.name])
        history.cleanUp(keeping: used)
        actions += history.actions
        if !set.isBeingDeleted { changePods() }
        writeStatus()
    }

    private mutating func changePods() {
        if makeWanted() { return }
        if removeCondemned() { return }
        if spec.updatesItself { replaceOld() }
    }

    mutating func say(_ reason: String, _ message: String, type: String = "Normal") {
        actions.append(.event(set, .statefulSets, type: type, reason: reason, message: message))
    }

    /// Whether it has been ready long enough; looks again when it will have been.
    mutating func isAvailable(_ pod: KubeObject) -> Bool {
        guard pod.isHealthyPod else { return false }
        switch PodAvailability(pod, minReadySeconds: spec.minReadySeconds, now) {
        case .available: return true
        case .unready: return false
        case .from(let moment):
            again = again.map { min($0, moment) } ?? moment
            return false
        }
    }

    mutating func delete(_ pod: KubeObject) {
        actions.append(.delete(.pods, namespace: pod.namespace, name: pod.name, DeletionOptions(uid: pod.uid)))
        say("SuccessfulDelete", "delete Pod \(pod.name) in StatefulSet \(set.name) successful")
    }

    // MARK: Numbers that shall be there

    /// - Returns: whether everything else has to wait.
    private mutating func makeWanted() -> Bool {
        for number in range {
            guard let pod = wanted[number] else {
                let isMade = make(number)
                if spec.isOrdered || !isMade { return true }
                continue
            }
            if pod.hasEnded {
                recreate(pod)
                if spec.isOrdered { return true }
                continue
            }
            makeMissingClaims(of: number, pod)
            fixIdentity(of: pod, number)
            if spec.isOrdered, !isAvailable(pod) { return true }
        }
        return false
    }

    /// One that has ended, by an eviction say, is made anew when it is gone.
    private mutating func recreate(_ pod: KubeObject) {
        guard !pod.isBeingDeleted else { return }
        let place = "\(set.namespace ?? "")/\(set.name)"
        if pod.phase == "Failed" {
            say("RecreatingFailedPod", "StatefulSet \(place) is recreating failed Pod \(pod.name)", type: "Warning")
        } else {
            say("RecreatingTerminatedPod", "StatefulSet \(place) is recreating terminated Pod \(pod.name)")
        }
        delete(pod)
    }

    // MARK: Numbers that shall go

    private mutating func removeCondemned() -> Bool {
        // An unhealthy pod further down would be made worse by taking healthy ones away, so those wait for it.
        let unhealthy = (range.compactMap { wanted[$0] } + condemned.reversed()).first { !$0.isHealthyPod }
        for pod in condemned {
            if pod.isBeingDeleted {
                if spec.isOrdered { return true }
                continue
            }
            if spec.isOrdered, !isAvailable(pod), pod.name != unhealthy?.name, !pod.hasEnded { return true }
            syncClaimOwners(of: pod, isCondemned: true)
            delete(pod)
            if spec.isOrdered { return true }
        }
        return false
    }

    // MARK: Updates

    private mutating func replaceOld() {
        let candidates = range.dropFirst(Int(spec.partition)).reversed().compactMap { wanted[$0] }
        var unavailable: Int64 = 0
        for pod in wanted.values.sorted(by: { $0.name < $1.name }) where !isAvailable(pod) { unavailable += 1 }
        unavailable += spec.replicas - Int64(wanted.count)
        for pod in candidates {
            guard pod.label(StatefulSetSpec.revisionLabel) != update.name, !pod.isBeingDeleted else {
                // The numbers behind have to be well before the next one goes.
                if spec.maxUnavailable == 1, !isAvailable(pod) { return }
                continue
            }
            let isDown = !isAvailable(pod)
            guard isDown || unavailable < spec.maxUnavailable else { return }
            delete(pod)
            if spec.maxUnavailable == 1 { return }
            if !isDown { unavailable += 1 }
        }
    }
}
