import JSON
package import KubeObjects
import KubeSchema
package import KubeStore
package import Linux

/// Keeps a pod of each DaemonSet on every node that it fits.
///
/// Invariants
/// 1. A node has one pod of a set, and a second one only while an update surges.
///    (test: `an update of a daemon set keeps to maxUnavailable, whatever happens`)
/// 2. An update takes away an available pod only when fewer than `maxUnavailable` are missing.
///    (the same)
/// 3. Without a change nothing is decided. (every test that lets things settle)
package struct DaemonSetController: Controller {
    package init() {}

    package var name: String { "daemonset-controller" }
    package var resources: [Resource] { [.daemonSets, .pods, .nodes, .controllerRevisions] }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        switch change.resource {
        case .daemonSets: return [change.key]
        case .nodes:
            guard NodeFit.matters(change.old.map { KubeObject($0) }, change.new.map { KubeObject($0) }) else {
                return []
            }
            return view.objects(.daemonSets, namespace: nil).map(\.key)
        default: return Owners.concerned(by: change, .daemonSets, in: view) { Owners.selector($0) }
        }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard let stored = view.get(.daemonSets, namespace: key.namespace, key.name) else { return Decision() }
        var step = DaemonSetStep(of: KubeObject(stored), in: view, now)
        step.run()
        return Decision(step.actions, again: step.again)
    }

    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView,
        now: Linux.Timestamp
    ) -> [ObjectAction] {
        guard let set = view.get(.daemonSets, namespace: key.namespace, key.name).map({ KubeObject($0) }),
            !failure.isNamespaceTerminating
        else { return [] }
        switch action {
        case .create(.controllerRevisions, let revision):
            return RevisionHistory.refused(revision, of: set, .daemonSets, failure, in: view)
        case .create:
            return [
                .event(
                    set, .daemonSets, type: "Warning", reason: "FailedCreate",
                    message: "Error creating: \(failure.message)")
            ]
        case .delete(.pods, _, _, _):
            return [
                .event(
                    set, .daemonSets, type: "Warning", reason: "FailedDelete",
                    message: "Error deleting: \(failure.message)")
            ]
        default: return []
        }
    }
}
