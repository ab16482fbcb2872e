import JSON

/// Rules for jobs and cron jobs (`pkg/apis/batch/validation`).
enum JobRules {
    static func job(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        check(spec, schema, &causes)
        guard spec["selector"].exists else { return }
        SelectorRules.check(spec["selector"], &causes)
        SelectorRules.checkMatch(spec["selector"], spec["template"], &causes)
    }

    private static let counts = [
        "parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
        "backoffLimitPerIndex", "maxFailedIndexes",
    ]
    private static let indexLimit: Int64 = 100_000

    private static func check(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        for field in counts { causes.nonNegative(spec[field]) }
        if spec["completionMode"].text == "Indexed" {
            indexed(spec, &causes)
        } else {
            for field in ["backoffLimitPerIndex", "maxFailedIndexes"] where spec[field].exists {
                causes.invalid(spec[field], "requires indexed completion mode")
            }
        }
        failurePolicy(spec["podFailurePolicy"], spec, &causes)
        guard spec["template"].exists else { return causes.required(spec["template"]) }
        PodRules.template(spec["template"], schema, &causes)
        let policy = spec["template"]["spec"]["restartPolicy"]
        if policy.isEmpty || policy.text == "Always" {
            causes.required(policy, "valid values: \"OnFailure\", \"Never\"")
        } else if spec["podFailurePolicy"].exists, policy.text != "Never" {
            causes.invalid(policy, "only \"Never\" is supported when podFailurePolicy is specified")
        }
    }

    private static func indexed(_ spec: Located, _ causes: inout Causes) {
        let completions = spec["completions"]
        if !completions.exists {
            causes.required(completions, "when completion mode is Indexed")
        }
        if let parallelism = spec["parallelism"].integer, parallelism > indexLimit, completions.exists {
            causes.invalid(
                spec["parallelism"], "must be less than or equal to \(indexLimit) when completion mode is Indexed")
        }
        if spec["maxFailedIndexes"].exists, !spec["backoffLimitPerIndex"].exists {
            causes.required(spec["backoffLimitPerIndex"], "when maxFailedIndexes is specified")
        }
    }

    private static func failurePolicy(_ policy: Located, _ spec: Located, _ causes: inout Causes) {
        let rules = policy["rules"].elements
        if rules.count > 20 {
            causes.invalid(policy["rules"], "must have at most 20 items", value: .integer(Int64(rules.count)))
        }
        let names = Set(
            ["containers", "initContainers"].flatMap { spec["template"]["spec"][$0].elements.map { $0["name"].text } })
        for rule in rules {
            let (codes, conditions) = (rule["onExitCodes"], rule["onPodConditions"])
            if rule["action"].isEmpty {
                causes.required(rule["action"], "valid values: [\"Count\" \"FailIndex\" \"FailJob\" \"Ignore\"]")
            }
            if codes.exists == !conditions.isEmpty {
                let problem =
                    codes.exists
                    ? "specifying both OnExitCodes and OnPodConditions is not supported"
                    : "specifying one of OnExitCodes and OnPodConditions is required"
                causes.invalid(rule, problem, value: rule.json)
            }
            guard codes.exists else { continue }
            if codes["operator"].isEmpty { causes.required(codes["operator"], "valid values: [\"In\" \"NotIn\"]") }
            if codes["values"].isEmpty { causes.invalid(codes["values"], "at least one value is required", value: []) }
            let isIn = codes["operator"].text == "In"
            for value in codes["values"].elements where isIn && value.integer == 0 {
                causes.invalid(value, "must not be 0 for the In operator")
            }
            let name = codes["containerName"]
            if name.exists, !names.contains(name.text) {
                causes.invalid(name, "must be one of the container or initContainer names in the pod template")
            }
        }
    }

    static func cronJob(_ spec: Located, _ schema: Schema, _ causes: inout Causes) {
        let schedule = spec["schedule"]
        if schedule.isEmpty {
            causes.required(schedule)
        } else {
            if schedule.text.contains("TZ") {
                causes.invalid(schedule, "cannot use TZ or CRON_TZ in schedule, use timeZone field instead")
            } else {
                do throws(CronScheduleError) { _ = try CronSchedule(schedule.text) } catch {
                    causes.invalid(schedule, error.description)
                }
            }
        }
        let zone = spec["timeZone"]
        if zone.exists {
            if zone.isEmpty { causes.invalid(zone, "timeZone must be nil or non-empty string") }
            if zone.text.lowercased() == "local" {
                causes.invalid(
                    zone, "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones")
            }
        }
        for field in ["startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
            causes.nonNegative(spec[field])
        }
        let job = spec["jobTemplate"]["spec"]
        MetadataRules.checkCommon(spec["jobTemplate"]["metadata"], &causes)
        if job["manualSelector"].isTrue {
            causes.notSupported(job["manualSelector"], ["nil", "false"])
        }
        check(job, schema, &causes)
    }
}
