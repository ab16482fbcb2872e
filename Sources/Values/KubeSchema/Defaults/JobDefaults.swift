import JSON

/// Defaults of jobs and cron jobs (`pkg/apis/batch/v1/defaults.go`).
enum JobDefaults {
    static func job(_ object: inout JSONValue) {
        let labels = object["spec", "template", "metadata", "labels"]
        if let labels, labels.object?.isEmpty == false { object["metadata", default: [:]].fill("labels", labels) }
        object.update("spec", jobSpec)
    }

    private static func jobSpec(_ spec: inout JSONValue) {
        // A job that says neither runs one pod once; one with only a parallelism is a work queue.
        if spec["completions"] == nil, spec["parallelism"] == nil { spec["completions"] = 1 }
        spec.fill("parallelism", 1)
        // Failures are counted for each index, and then not for the whole.
        spec.fill("backoffLimit", spec["backoffLimitPerIndex"] == nil ? 6 : .integer(Int64(Int32.max)))
        spec.fill("completionMode", "NonIndexed")
        spec.fill("suspend", false)
        spec.fill("manualSelector", false)
        spec.fill("podReplacementPolicy", spec["podFailurePolicy"] == nil ? "TerminatingOrFailed" : "Failed")
        spec.update("podFailurePolicy") { policy in
            policy.update("rules") { rules in
                rules.updateElements { rule in
                    rule.update("onPodConditions") { patterns in
                        patterns.updateElements { $0.fill("status", "True", emptyToo: true) }
                    }
                }
            }
        }
        spec.update("template", PodDefaults.template)
    }

    static func cronJob(_ object: inout JSONValue) {
        object.update("spec") { spec in
            spec.fill("concurrencyPolicy", "Allow", emptyToo: true)
            spec.fill("suspend", false)
            spec.fill("successfulJobsHistoryLimit", 3)
            spec.fill("failedJobsHistoryLimit", 1)
            // The job's own defaults come when the job is made; the pods' are filled in already here.
            spec.update("jobTemplate") { template in
                template.update("spec") { job in job.update("template", PodDefaults.template) }
            }
        }
    }
}
