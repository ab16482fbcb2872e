import JSON
import KubeObjects
import KubeStore
import Linux

/// The ControllerRevisions of a StatefulSet or DaemonSet: each holds a template that the set has had, as the patch that
/// brings it back, which is what `kubectl rollout history` and `undo` read.
///
/// Invariants
/// 1. A template that comes back gets its old revision, with the greatest number. (test: `a template that comes back
///    takes its old revision, and old revisions are removed beyond the limit`)
/// 2. Revisions in use are kept, whatever the limit of the history is. (the same)
struct RevisionHistory {
    let owner: KubeObject
    let resource: Resource
    /// The label that carries the hash: "controller.kubernetes.io/hash".
    let hashLabel: String
    /// By number.
    private(set) var revisions: [KubeObject]
    private(set) var actions: [ObjectAction]

    init(of owner: KubeObject, _ resource: Resource, hashLabel: String, in view: any ObjectView) {
        self.owner = owner
        self.resource = resource
        self.hashLabel = hashLabel
        let all = view.objects(.controllerRevisions, namespace: owner.namespace).map { KubeObject($0) }
        let claim = Claim(all, .controllerRevisions, by: owner, resource, Owners.selector(owner))
        revisions = claim.owned.sorted { ($0.revisionNumber, $0.name) < ($1.revisionNumber, $1.name) }
        actions = claim.actions
    }

    /// The revision of the set's template: found, taken up again, or made.
    mutating func current(collisions: Int64) -> KubeObject {
        let template = owner.spec["template"]
        let next = (revisions.last?.revisionNumber ?? 0) + 1
        guard
            let index = revisions.lastIndex(where: { PodTemplate.areEqual($0.revisedTemplate, template, ignoring: "") })
        else {
            let made = make(template, number: next, collisions: collisions)
            revisions.append(made)
            actions.append(.create(.controllerRevisions, made))
            return made
        }
        guard index != revisions.count - 1 else { return revisions[index] }
        var found = revisions.remove(at: index)
        found.json["revision"] = .integer(next)
        revisions.append(found)
        actions.append(.update(.controllerRevisions, found))
        return found
    }

    private func make(_ template: JSONValue?, number: Int64, collisions: Int64) -> KubeObject {
        let hash = StableHash.template(template, collisions: collisions)
        var revision = KubeObject(json: [
            "apiVersion": .string(Resource.controllerRevisions.apiVersion), "kind": "ControllerRevision",
            "metadata": [:],
        ])
        revision.metadata.name = "\(owner.name.prefix(223))-\(hash)"
        revision.metadata.namespace = owner.namespace
        var labels: [String: String] = [:]
        for label in template?["metadata", "labels"]?.object?.members ?? [] { labels[label.key] = label.value.string }
        labels[hashLabel] = hash
        revision.metadata.labels = labels
        if !owner.metadata.annotations.isEmpty { revision.metadata.annotations = owner.metadata.annotations }
        revision.metadata.ownerReferences = [OwnerReference(controller: owner, resource)]
        var patch = template ?? [:]
        patch["$patch"] = "replace"
        revision.json["data"] = ["spec": ["template": patch]]
        revision.json["revision"] = .integer(number)
        return revision
    }

    /// What to do when a revision could not be made: its owner counts collisions when the name is another template's, so
    /// that the next name is another one.
    static func refused(
        _ revision: KubeObject, of owner: KubeObject, _ resource: Resource, _ failure: APIFailure,
        in view: any ObjectView
    ) -> [ObjectAction] {
        guard failure.reason == "AlreadyExists", collides(revision, owner, in: view) else { return [] }
        var changed = owner
        changed.json["status", default: [:]]["collisionCount"] = .integer(owner.status.count("collisionCount") + 1)
        return [.update(resource, changed, subresource: "status")]
    }

    /// Whether a name that is taken belongs to another template: then another hash is needed.
    private static func collides(_ revision: KubeObject, _ owner: KubeObject, in view: any ObjectView) -> Bool {
        guard
            let other = view.get(.controllerRevisions, namespace: revision.namespace, revision.name).map({
                KubeObject($0)
            })
        else { return false }
        return other.metadata.controller?.uid != owner.uid || other.json["data"] != revision.json["data"]
    }

    /// Removes the oldest revisions that are not in use.
    mutating func cleanUp(keeping used: Set<String>) {
        let limit = Int(max(0, owner.spec["revisionHistoryLimit"]?.integer ?? 10))
        let spare = revisions.filter { !used.contains($0.name) }
        for revision in spare.prefix(max(0, spare.count - limit)) {
            actions.append(
                .delete(
                    .controllerRevisions, namespace: revision.namespace, name: revision.name,
                    DeletionOptions(uid: revision.uid)))
        }
    }
}

extension KubeObject {
    /// Of a ControllerRevision.
    var revisionNumber: Int64 { json["revision"]?.integer ?? 0 }

    /// The template that a ControllerRevision holds.
    var revisedTemplate: JSONValue? {
        guard var template = json["data", "spec", "template"] else { return nil }
        template["$patch"] = nil
        return template
    }
}
