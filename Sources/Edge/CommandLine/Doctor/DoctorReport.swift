import JSON

/// What a machine offers to Forkless, check by check: a pure judgement of facts.
///
/// Invariants
/// 1. Whatever is not as it should be says what that costs and how to get it. (test: `every finding that is not fine has advice`)
/// 2. Something is `missing` only when programs cannot be run, or not be held, without it. (test: `only what Forkless cannot do without makes the report fail`)
struct DoctorReport {
    struct Check: Hashable {
        enum Outcome: String, Hashable {
            case ok
            /// Forkless works, with less.
            case limited
            /// Forkless does not work, or not as it promises.
            case missing
        }

        var name: String
        var outcome: Outcome
        var finding: String
        /// What to do about it; empty when it is fine.
        var advice = ""
    }

    var checks: [Check]

    init(_ facts: DoctorFacts) {
        checks = [Self.kernel(facts)]
        checks += Self.calls(facts)
        checks.append(Self.namespaces(facts))
        checks += Self.cgroups(facts)
        checks.append(Self.overlay(facts))
        checks.append(Self.networks(facts))
        checks += Self.privileges(facts)
        checks += Self.limits(facts)
        checks.append(Self.keeper(facts))
        checks += facts.directories.map(Self.directory)
        checks.append(Self.node(facts))
    }

    /// Whether programs can be run as promised.
    var isUsable: Bool { !checks.contains { $0.outcome == .missing } }

    var json: JSONValue {
        [
            "usable": .bool(isUsable),
            "checks": .array(
                checks.map {
                    [
                        "name": .string($0.name), "outcome": .string($0.outcome.rawValue), "finding": .string($0.finding),
                        "advice": .string($0.advice),
                    ]
                }),
        ]
    }
}
