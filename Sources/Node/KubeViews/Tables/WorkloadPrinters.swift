import JSON

/// What keeps pods.
enum WorkloadPrinters {
    static let all: [String: Printer] = [
        "Deployment.apps": deployment, "ReplicaSet.apps": replicaSet, "ReplicationController": replicationController,
        "StatefulSet.apps": statefulSet, "DaemonSet.apps": daemonSet, "ControllerRevision.apps": revision,
        "Job.batch": job, "CronJob.batch": cronJob,
    ]

    private static let template = [
        "spec.selector", "spec.template.spec.containers.name", "spec.template.spec.containers.image",
    ]

    private static func template(_ subject: TableSubject) -> JSONValue { subject.spec["template"] ?? .null }

    private static func selector(_ subject: TableSubject) -> JSONValue {
        .string((subject.spec["selector"] ?? .null).selectorText)
    }

    private static func ready(_ subject: TableSubject) -> JSONValue {
        .string("\(subject.status["readyReplicas"]?.integer ?? 0)/\(subject.spec["replicas"]?.integer ?? 0)")
    }

    private static let deployment = Printer(
        template + ["spec.replicas"] + ["updatedReplicas", "readyReplicas", "availableReplicas"].map { "status." + $0 }
    ) { subject in
        [
            subject.name, ready(subject), subject.status.count("updatedReplicas"),
            subject.status.count("availableReplicas"), subject.age,
        ] + template(subject).containerCells + [selector(subject)]
    }

    private static let replicas = template + ["spec.replicas", "status.replicas", "status.readyReplicas"]

    private static func replicaCells(_ subject: TableSubject) -> [JSONValue] {
        [
            subject.name, subject.spec.count("replicas"), subject.status.count("replicas"),
            subject.status.count("readyReplicas"), subject.age,
        ] + template(subject).containerCells
    }

    private static let replicaSet = Printer(replicas) { replicaCells($0) + [selector($0)] }

    private static let replicationController = Printer(replicas) { subject in
        replicaCells(subject) + [.string((subject.spec["selector"] ?? .null).labelText)]
    }

    private static let statefulSet = Printer(template + ["spec.replicas", "status.readyReplicas"]) { subject in
        [subject.name, ready(subject), subject.age] + template(subject).containerCells
    }

    private static let daemonSet = Printer(template + ["spec.template.spec.nodeSelector", "status"]) { subject in
        let counts = [
            "desiredNumberScheduled", "currentNumberScheduled", "numberReady", "updatedNumberScheduled",
            "numberAvailable",
        ].map { subject.status.count($0) }
        return [subject.name] + counts
            + [.string((template(subject)["spec", "nodeSelector"] ?? .null).labelText), subject.age]
            + template(subject).containerCells + [selector(subject)]
    }

    private static let revision = Printer(["metadata.ownerReferences", "revision"]) { subject in
        let owners = (subject.json["metadata"] ?? .null).list("ownerReferences")
        var owner = TableSubject.none
        if let controller = owners.first(where: { $0["controller"]?.bool == true }) {
            let group = controller.text("apiVersion").split(separator: "/").dropLast().first.map { "." + $0 } ?? ""
            owner = (controller.text("kind") + group).lowercased() + "/" + controller.text("name")
        }
        return [subject.name, .string(owner), subject.json.count("revision"), subject.age]
    }

    // MARK: Jobs

    private static let job = Printer(
        template + ["spec.completions", "spec.parallelism"]
            + ["succeeded", "startTime", "completionTime", "conditions"].map { "status." + $0 }
    ) { subject in
        [
            subject.name, .string(jobStatus(subject)), .string(completions(subject)), .string(duration(subject)),
            subject.age,
        ] + template(subject).containerCells + [selector(subject)]
    }

    private static func completions(_ subject: TableSubject) -> String {
        let succeeded = subject.status["succeeded"]?.integer ?? 0
        if let wanted = subject.spec["completions"]?.integer { return "\(succeeded)/\(wanted)" }
        let parallelism = subject.spec["parallelism"]?.integer ?? 0
        return parallelism > 1 ? "\(succeeded)/1 of \(parallelism)" : "\(succeeded)/1"
    }

    private static func duration(_ subject: TableSubject) -> String {
        guard let start = TableSubject.seconds(subject.status["startTime"]) else { return "" }
        let end = TableSubject.seconds(subject.status["completionTime"]) ?? subject.now
        return HumanDuration.text(seconds: end - start)
    }

    private static func jobStatus(_ subject: TableSubject) -> String {
        func holds(_ type: String) -> Bool { subject.status.condition(type)?["status"]?.string == "True" }
        if holds("Complete") { return "Complete" }
        if holds("Failed") { return "Failed" }
        if subject.isBeingDeleted { return "Terminating" }
        if holds("Suspended") { return "Suspended" }
        return holds("FailureTarget") ? "FailureTarget" : "Running"
    }

    private static let cronJob = Printer(
        ["spec.schedule", "spec.timeZone", "spec.suspend", "status.active", "status.lastScheduleTime"]
            + template.map { $0.replacingPrefix("spec.", "spec.jobTemplate.spec.") }
    ) { subject in
        let (spec, status) = (subject.spec, subject.status)
        let job = spec["jobTemplate", "spec"] ?? .null
        let last = status["lastScheduleTime"]
        return [
            subject.name, .string(spec.text("schedule")), .string(spec["timeZone"]?.string ?? TableSubject.none),
            .string(spec["suspend"]?.bool.map { $0 ? "True" : "False" } ?? TableSubject.unset),
            .integer(Int64(status.list("active").count)),
            .string(last.map { subject.since($0) } ?? TableSubject.none), subject.age,
        ] + (job["template"] ?? .null).containerCells + [.string((job["selector"] ?? .null).selectorText)]
    }
}

extension String {
    fileprivate func replacingPrefix(_ prefix: String, _ other: String) -> String {
        hasPrefix(prefix) ? other + dropFirst(prefix.count) : self
    }
}
