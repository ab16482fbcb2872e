import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// One step of a Deployment: what it has to do now, worked out on copies that show what the step does.
struct Rollout {
    static let hashLabel = "pod-template-hash"

    let view: any ObjectView
    let now: Linux.Timestamp
    let before: KubeObject
    /// With the annotations and conditions of this step.
    var deployment: KubeObject
    var conditions: Conditions
    var newSet: KubeObject?
    var oldSets: [KubeObject]
    var actions: [ObjectAction]
    var again: Linux.Timestamp?

    init(of deployment: KubeObject, in view: any ObjectView, _ now: Linux.Timestamp) {
        self.view = view
        self.now = now
        before = deployment
        self.deployment = deployment
        conditions = Conditions(deployment.status)
        let sets = view.objects(.replicaSets, namespace: deployment.namespace).map { KubeObject($0) }
        let claim = Claim(sets, .replicaSets, by: deployment, .deployments, Owners.selector(deployment))
        actions = claim.actions
        let owned = claim.owned.sorted { $0.isOlder(than: $1) }
        let template = deployment.spec["template"]
        let current = owned.first {
            PodTemplate.areEqual($0.spec["template"], template, ignoring: Self.hashLabel)
        }
        newSet = current
        oldSets = owned.filter { $0.name != current?.name }
    }

    var replicas: Int64 { deployment.spec["replicas"]?.integer ?? 1 }
    var isPaused: Bool { deployment.spec["paused"]?.bool ?? false }
    var isRolling: Bool { deployment.spec["strategy"]?["type"]?.string != "Recreate" }
    var allSets: [KubeObject] { oldSets + (newSet.map { [$0] } ?? []) }
    var activeSets: [KubeObject] { allSets.filter { $0.wanted > 0 } }

    /// In seconds; nil when progress is not judged.
    static func deadline(of deployment: KubeObject) -> Int64? {
        guard let seconds = deployment.spec["progressDeadlineSeconds"]?.integer, seconds != Int64(Int32.max) else {
            return nil
        }
        return seconds
    }

    mutating func run() {
        guard !deployment.isBeingDeleted else {
            syncRevision()
            return writeStatus(isRollout: false)
        }
        notePause()
        syncRevision()
        if isPaused || isScaling {
            scaleProportionally()
            cleanUp()
            writeStatus(isRollout: false)
        } else {
            if isRolling { roll() } else { recreate() }
            writeStatus(isRollout: true)
        }
    }

    private mutating func notePause() {
        guard Self.deadline(of: deployment) != nil else { return }
        let reason = conditions["Progressing"]?["reason"]?.string
        guard reason != "ProgressDeadlineExceeded" else { return }
        if isPaused, reason != "DeploymentPaused" {
            progressing("Unknown", "DeploymentPaused", "Deployment is paused")
        } else if !isPaused, reason == "DeploymentPaused" {
            progressing("Unknown", "DeploymentResumed", "Deployment is resumed")
        }
    }

    mutating func progressing(_ status: String, _ reason: String, _ message: String) {
        conditions.set("Progressing", status, reason, message, now, touched: "lastUpdateTime")
    }

    /// Whether `replicas` was changed since the sets were sized.
    private var isScaling: Bool {
        activeSets.contains { set in
            set.annotation(RevisionAnnotations.desired).flatMap { Int64($0) }.map { $0 != replicas } ?? false
        }
    }

    /// Gives a set another size, on the copy and as an action.
    mutating func scale(_ set: KubeObject, to size: Int64) {
        var changed = set
        changed.json["spec", default: [:]]["replicas"] = .integer(size)
        RevisionAnnotations.setSizes(&changed, replicas: replicas, most: replicas + maxSurge)
        guard changed != set else { return }
        replace(changed)
        actions.append(.update(.replicaSets, changed))
        guard size != set.wanted else { return }
        say("Scaled \(size > set.wanted ? "up" : "down") replica set \(set.name) from \(set.wanted) to \(size)")
    }

    mutating func say(_ message: String) {
        actions.append(
            .event(before, .deployments, type: "Normal", reason: "ScalingReplicaSet", message: message))
    }

    mutating func replace(_ set: KubeObject) {
        if newSet?.name == set.name { newSet = set }
        for index in oldSets.indices where oldSets[index].name == set.name { oldSets[index] = set }
    }

    /// Removes old sets that are empty, the oldest revisions first, beyond the limit of the history.
    mutating func cleanUp() {
        guard let limit = deployment.spec["revisionHistoryLimit"]?.integer, limit != Int64(Int32.max) else { return }
        let candidates = oldSets.filter { !$0.isBeingDeleted }
            .sorted { (RevisionAnnotations.revision($0), $0.name) < (RevisionAnnotations.revision($1), $1.name) }
        for set in candidates.prefix(max(0, candidates.count - Int(max(0, limit)))) {
            guard set.wanted == 0, set.status.count("replicas") == 0,
                (set.metadata.generation ?? 0) <= set.status.count("observedGeneration")
            else { continue }
            actions.append(
                .delete(
                    .replicaSets, namespace: set.namespace, name: set.name,
                    DeletionOptions(propagation: .background, uid: set.uid)))
            oldSets.removeAll { $0.name == set.name }
        }
    }
}

extension KubeObject {
    /// `spec.replicas` of a set.
    var wanted: Int64 { spec["replicas"]?.integer ?? 1 }

    /// By the time of creation, then the name.
    func isOlder(than other: KubeObject) -> Bool {
        let (a, b) = (metadata.creationTimestamp ?? "", other.metadata.creationTimestamp ?? "")
        return a != b ? a < b : name < other.name
    }
}
