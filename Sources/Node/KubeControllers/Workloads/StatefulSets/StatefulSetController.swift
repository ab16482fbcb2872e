import JSON
package import KubeObjects
import KubeSchema
package import KubeStore
package import Linux

/// Keeps the numbered pods of StatefulSets with their claims.
///
/// Invariants
/// 1. A number has one pod: its name is the number. (test: the one of 2)
/// 2. With OrderedReady a pod is made only when all before it are available, and deleted only when all behind it are gone.
///    (test: `pods of a stateful set start in order and end in reverse, whatever happens`)
/// 3. A rolling update replaces from the last number down to the partition, never more at once than `maxUnavailable`.
///    (test: `an update goes from the last number down, one at a time`)
/// 4. Claims are made before their pod, and never deleted here.
///    (test: `claims belong to the set or to the pod as the retention policy says`)
package struct StatefulSetController: Controller {
    package init() {}

    package var name: String { "statefulset-controller" }
    package var resources: [Resource] { [.statefulSets, .pods, .controllerRevisions, .persistentVolumeClaims] }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        switch change.resource {
        case .statefulSets: return [change.key]
        case .persistentVolumeClaims: return owners(ofClaim: change.key, in: view)
        default: return Owners.concerned(by: change, .statefulSets, in: view) { Owners.selector($0) }
        }
    }

    /// A claim that goes or comes may be waited for.
    private func owners(ofClaim key: ObjectKey, in view: any ObjectView) -> [ObjectKey] {
        view.objects(.statefulSets, namespace: key.namespace).filter { stored in
            let set = KubeObject(stored)
            return (set.spec["volumeClaimTemplates"]?.array ?? []).contains { template in
                key.name.hasPrefix("\(template["metadata", "name"]?.string ?? "")-\(set.name)-")
            }
        }.map(\.key)
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard let stored = view.get(.statefulSets, namespace: key.namespace, key.name) else { return Decision() }
        var step = StatefulSetStep(of: KubeObject(stored), in: view, now)
        step.run()
        return Decision(step.actions, again: step.again)
    }

    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView,
        now: Linux.Timestamp
    ) -> [ObjectAction] {
        guard let set = view.get(.statefulSets, namespace: key.namespace, key.name).map({ KubeObject($0) }),
            !failure.isNamespaceTerminating
        else { return [] }
        func warning(_ reason: String, _ message: String) -> [ObjectAction] {
            [.event(set, .statefulSets, type: "Warning", reason: reason, message: message)]
        }
        switch action {
        case .create(.controllerRevisions, let revision):
            return RevisionHistory.refused(revision, of: set, .statefulSets, failure, in: view)
        case .create(let resource, let object):
            return warning(
                "FailedCreate",
                "create \(resource == .pods ? "Pod" : "Claim") \(object.name) in StatefulSet \(set.name) failed error: \(failure.message)"
            )
        case .delete(.pods, _, let name, _):
            return warning(
                "FailedDelete", "delete Pod \(name) in StatefulSet \(set.name) failed error: \(failure.message)")
        default: return []
        }
    }
}
