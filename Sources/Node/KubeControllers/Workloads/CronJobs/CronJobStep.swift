import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// One step of a CronJob: what it has to do now.
struct CronJobStep {
    static let timestampAnnotation = "batch.kubernetes.io/cronjob-scheduled-timestamp"

    let cronJob: KubeObject
    let view: any ObjectView
    let zones: ZoneTable
    let now: Linux.Timestamp
    /// The jobs that it has made, the oldest first.
    let jobs: [KubeObject]
    var status: JSONValue
    var actions: [ObjectAction] = []
    var again: Linux.Timestamp?
    /// Those of its jobs that run and were made for a time: what `kubectl create job --from` has made is in nobody's way.
    var active: [KubeObject]

    init(of cronJob: KubeObject, in view: any ObjectView, _ zones: ZoneTable, _ now: Linux.Timestamp) {
        self.cronJob = cronJob
        self.view = view
        self.zones = zones
        self.now = now
        jobs = view.objects(.jobs, namespace: cronJob.namespace).map { KubeObject($0) }
            .filter { $0.metadata.controller?.uid == cronJob.uid }.sorted { $0.isOlder(than: $1) }
        status = cronJob.status
        active = jobs.filter { job in
            job.jobEnd == nil && !job.isBeingDeleted && job.annotation(Self.timestampAnnotation) != nil
        }
    }

    private var nowSeconds: Int64 { Int64(now.nanoseconds / 1_000_000_000) }

    mutating func run() {
        noteEnds()
        removeOldJobs("successfulJobsHistoryLimit", "Complete")
        removeOldJobs("failedJobsHistoryLimit", "Failed")
        if !cronJob.isBeingDeleted, !(cronJob.spec["suspend"]?.bool ?? false) { start() }
        writeStatus()
    }

    mutating func say(_ reason: String, _ message: String, type: String = "Normal") {
        actions.append(.event(cronJob, .cronJobs, type: type, reason: reason, message: message))
    }

    // MARK: Jobs that have ended

    private mutating func noteEnds() {
        let known = (cronJob.status["active"]?.array ?? []).map { ($0["uid"]?.string ?? "", $0["name"]?.string ?? "") }
        for (uid, name) in known {
            guard let job = jobs.first(where: { $0.uid == uid }) else {
                say("MissingJob", "Active job went missing: \(name)")
                continue
            }
            guard let end = job.jobEnd else { continue }
            say("SawCompletedJob", "Saw completed job: \(name), condition: \(end["type"]?.string ?? "")")
        }
        let successes = jobs.compactMap { job in
            job.condition("Complete") == nil ? nil : job.status["completionTime"]?.string
        }
        // Times of one form are in order as texts.
        guard let last = successes.max(), last > status["lastSuccessfulTime"]?.string ?? "" else { return }
        status["lastSuccessfulTime"] = .string(last)
    }

    private mutating func removeOldJobs(_ limit: String, _ type: String) {
        guard let limit = cronJob.spec[limit]?.integer else { return }
        let ended = jobs.filter { $0.jobEnd?["type"]?.string == type && !$0.isBeingDeleted }
            .sorted {
                ($0.status["startTime"]?.string ?? "", $0.name) < ($1.status["startTime"]?.string ?? "", $1.name)
            }
        for job in ended.prefix(max(0, ended.count - Int(max(0, limit)))) { delete(job) }
    }

    private mutating func delete(_ job: KubeObject) {
        actions.append(
            .delete(
                .jobs, namespace: job.namespace, name: job.name,
                DeletionOptions(propagation: .background, uid: job.uid)))
        say("SuccessfulDelete", "Deleted job \(job.name)")
    }

    // MARK: Times that have come

    private mutating func start() {
        guard let times = self.times() else { return }
        let last = status["lastScheduleTime"]?.string.flatMap { Linux.Timestamp($0) }
        guard let earliest = (last ?? cronJob.created).map({ Int64($0.nanoseconds / 1_000_000_000) }) else { return }
        let deadline = cronJob.spec["startingDeadlineSeconds"]?.integer
        let missed = MissedStarts(times, since: earliest, now: nowSeconds, deadline: deadline)
        again = missed.next.map { Linux.Timestamp(nanoseconds: Int($0) * 1_000_000_000) }
        guard let due = missed.due else { return }
        if missed.isMany {
            say(
                "TooManyMissedTimes",
                "too many missed start times. Set or decrease .spec.startingDeadlineSeconds or check clock skew",
                type: "Warning")
        }
        let moment = Linux.Timestamp(nanoseconds: Int(due) * 1_000_000_000)
        make(moment, times.zone)
    }

    /// Nil when the cron job says no times, which the user is told.
    private mutating func times() -> ScheduleTimes? {
        let text = cronJob.spec["schedule"]?.string ?? ""
        var zone = ZoneRules.utc
        if let name = cronJob.spec["timeZone"]?.string {
            switch zones.rules(name) {
            case .known(let rules): zone = rules
            case .missing:
                say("UnknownTimeZone", "invalid timeZone: \"\(name)\": unknown time zone \(name)", type: "Warning")
                return nil
            case .reading:
                again = now.adding(.milliseconds(20))
                return nil
            }
        }
        do throws(CronScheduleError) {
            return ScheduleTimes(schedule: try CronSchedule(text), zone: zone)
        } catch {
            say("UnparseableSchedule", "unparseable schedule: \"\(text)\" : \(error)", type: "Warning")
            return nil
        }
    }

    private mutating func make(_ moment: Linux.Timestamp, _ zone: ZoneRules) {
        let name = "\(cronJob.name)-\(moment.nanoseconds / 60_000_000_000)"
        // Of a step that did not come to its end.
        if jobs.contains(where: { $0.name == name }) {
            status["lastScheduleTime"] = .string(moment.kubeTime)
            return
        }
        switch cronJob.spec["concurrencyPolicy"]?.string {
        case "Forbid" where !active.isEmpty:
            return say(
                "JobAlreadyActive",
                "Not starting job because prior execution is running and concurrency policy is Forbid")
        case "Replace":
            for job in active { delete(job) }
            active = []
        default: break
        }
        actions.append(.create(.jobs, job(name, moment, zone)))
        say("SuccessfulCreate", "Created job \(name)")
        status["lastScheduleTime"] = .string(moment.kubeTime)
    }

    private func job(_ name: String, _ moment: Linux.Timestamp, _ zone: ZoneRules) -> KubeObject {
        let template = cronJob.spec["jobTemplate"]
        var job = KubeObject(json: ["apiVersion": "batch/v1", "kind": "Job", "metadata": [:]])
        for field in ["labels", "annotations"] {
            guard let value = template?["metadata"]?[field], !value.isNull else { continue }
            job.json["metadata", default: [:]][field] = value
        }
        job.metadata.name = name
        job.metadata.namespace = cronJob.namespace
        job.metadata.annotations[Self.timestampAnnotation] = Self.text(moment, zone)
        job.metadata.ownerReferences = [OwnerReference(controller: cronJob, .cronJobs)]
        job.spec = template?["spec"] ?? [:]
        return job
    }

    /// RFC 3339 with the zone's offset.
    private static func text(_ moment: Linux.Timestamp, _ zone: ZoneRules) -> String {
        let seconds = Int64(moment.nanoseconds / 1_000_000_000)
        let offset = zone.offset(at: seconds)
        guard offset != 0 else { return moment.kubeTime }
        let local = moment.adding(seconds: offset).kubeTime.dropLast()
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return String(local) + (offset < 0 ? "-" : "+") + two(abs(offset) / 3600) + ":" + two(abs(offset) / 60 % 60)
    }

    private mutating func writeStatus() {
        let references = active.map { job -> JSONValue in
            [
                "kind": "Job", "namespace": .string(job.namespace ?? ""), "name": .string(job.name),
                "uid": .string(job.uid), "apiVersion": "batch/v1",
            ]
        }
        status["active"] = references.isEmpty ? nil : .array(references)
        guard status != cronJob.status else { return }
        var changed = cronJob
        changed.status = status
        actions.append(.update(.cronJobs, changed, subresource: "status"))
    }
}
