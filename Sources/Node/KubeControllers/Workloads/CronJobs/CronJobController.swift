import JSON
package import KubeObjects
import KubeSchema
package import KubeStore
package import Linux

/// Makes Jobs at the times of CronJobs' schedules.
///
/// Invariants
/// 1. A time makes one job: its name follows from the time. (test: `each time makes one job, whatever happens`)
/// 2. With Forbid no job is made while another one runs, and with Replace none runs beside the new one.
///    (test: `Forbid leaves out a time, Replace ends the job before`)
/// 3. A suspended cron job makes none. (test: `a suspended cron job makes nothing, and afterwards the last time that was missed`)
/// 4. Jobs that somebody made from the cron job hold no time up and are not replaced.
///    (test: `a job that somebody made from the cron job is neither in the way nor ended`)
package struct CronJobController: Controller {
    let zones: ZoneTable

    package init(zones: ZoneTable = .system()) { self.zones = zones }

    package var name: String { "cronjob-controller" }
    package var resources: [Resource] { [.cronJobs, .jobs] }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        guard change.resource == .jobs else { return [change.key] }
        return Owners.concerned(by: change, .cronJobs, in: view) { _ in .nothing }
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision {
        guard let stored = view.get(.cronJobs, namespace: key.namespace, key.name) else { return Decision() }
        var step = CronJobStep(of: KubeObject(stored), in: view, zones, now)
        step.run()
        return Decision(step.actions, again: step.again)
    }

    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView,
        now: Linux.Timestamp
    ) -> [ObjectAction] {
        guard case .create(.jobs, _) = action, !failure.isNamespaceTerminating, failure.reason != "AlreadyExists",
            let job = view.get(.cronJobs, namespace: key.namespace, key.name).map({ KubeObject($0) })
        else { return [] }
        return [
            .event(
                job, .cronJobs, type: "Warning", reason: "FailedCreate",
                message: "Error creating job: \(failure.message)")
        ]
    }
}
