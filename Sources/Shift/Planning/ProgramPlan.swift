package import Comparison
package import Observation

/// What is proposed for one program, and why.
package struct ProgramPlan: Hashable, Sendable {
    package var subject: PlanSubject
    package var recommended: PlannedRung
    /// What speaks for it.
    package var reasons: [String]
    /// What all rules found.
    package var findings: [Finding]
    /// What a call costs today.
    package var now: Reading<Prediction>
    package var predictions: [PlannedRung: Reading<Prediction>]

    package var program: RecordedProgram { subject.program }

    /// What stands between the program and a rung.
    package func blockers(of rung: PlannedRung) -> [Finding] {
        findings.filter { $0.kind == .blocker && $0.rungs.contains(rung) }
    }

    /// What has to be found out before it goes to a rung.
    package func unknowns(of rung: PlannedRung) -> [Finding] {
        findings.filter { $0.kind == .unknown && $0.rungs.contains(rung) }
    }

    package func conditions(of rung: PlannedRung) -> [Finding] {
        findings.filter { $0.kind == .condition && $0.rungs.contains(rung) }
    }

    /// Whether something that decides about the recommended rung is not known.
    package var isProvisional: Bool { !unknowns(of: recommended).isEmpty }

    package var predicted: Reading<Prediction> { predictions[recommended] ?? .unavailable("it was not predicted") }

    /// How many times faster a call would be; nil where either is not known.
    package var speedup: Double? {
        guard let now = now.value?.latency.total, let then = predicted.value?.latency.total, then > 0 else {
            return nil
        }
        return now / then
    }

    /// Time that callers would wait less, seconds in each second of the recording; negative: more.
    package var savedShare: Double? {
        guard let now = now.value?.latency.total, let then = predicted.value?.latency.total else { return nil }
        return (now - then) / 1e9 * program.callsPerSecond
    }
}
