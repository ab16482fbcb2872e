import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Deletes Jobs `ttlSecondsAfterFinished` after their end.
package struct FinishedJobController: Controller {
    package init() {}

    package var name: String { "ttl-after-finished-controller" }
    package var resources: [Resource] { [.jobs] }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] { [change.key] }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard let job = view.get(.jobs, namespace: key.namespace, key.name).map({ KubeObject($0) }),
            !job.isBeingDeleted, let seconds = job.spec["ttlSecondsAfterFinished"]?.integer,
            let end = job.jobEnd?["lastTransitionTime"]?.string.flatMap({ Timestamp($0) })
        else { return Decision() }
        let moment = end.adding(seconds: seconds)
        guard moment <= now else { return Decision(again: moment) }
        let options = DeletionOptions(
            propagation: .foreground, uid: job.uid, resourceVersion: job.metadata.resourceVersion)
        return Decision([.delete(.jobs, namespace: job.namespace, name: job.name, options)])
    }
}
