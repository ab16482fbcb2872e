import Comparison
package import Observation

/// Plans: a recorded program and this machine's figures in, a rung with its reasons out. Pure.
///
/// Invariants
/// 1. A rung with a blocker is never recommended, but for the process that it is already.
///    (test: `no rung that is blocked is ever recommended`)
/// 2. What is not known blocks nothing and is never left out: the plan then says that it is provisional.
///    (test: `what was not traced is unknown, and the plan provisional`)
/// 3. The same input gives the same plan. (test: `the same recording gives the same plan`)
package struct Planner: Sendable {
    package var calibration: Calibration
    package var rules: [PlanningRule]

    /// A call that comes more seldom than this waits for nothing that stands ready: keeping it costs more than it gives.
    package static let readyFromCallsPerSecond = 1.0 / 60
    /// And fewer calls are no habit.
    package static let readyFromCalls = 3
    /// Less than this is within what measuring varies by.
    package static let worthwhile = 1.1
    /// A slower call is accepted up to here for what a container gives beside: isolation, limits, figures.
    package static let acceptedSlowdown = 1.25
    /// So many times faster than what needs no change of code: from there on a handler is worth writing.
    package static let handlerFromSpeedup = 3.0

    package init(_ calibration: Calibration, rules: [PlanningRule] = PlanningRule.all) {
        self.calibration = calibration
        self.rules = rules
    }

    package func plan(_ program: RecordedProgram, file: ProgramFile, origins: [ProgramOrigin] = []) -> ProgramPlan {
        plan(PlanSubject(program, file: file, origins: origins))
    }

    package func plan(_ subject: PlanSubject) -> ProgramPlan {
        let findings = rules.flatMap { $0.judge(subject) }
        let predictor = Predictor(subject, calibration)
        var plan = ProgramPlan(
            subject: subject, recommended: .process, reasons: [], findings: findings, now: predictor.now(),
            predictions: Dictionary(uniqueKeysWithValues: PlannedRung.allCases.map { ($0, predictor.on($0)) }))
        plan.reasons = Self.circumstances(plan, predictor)
        recommend(&plan)
        return plan
    }

    // MARK: - The choice

    private func recommend(_ plan: inout ProgramPlan) {
        let program = plan.program
        func isFree(_ rung: PlannedRung) -> Bool { plan.blockers(of: rung).isEmpty }
        if staysUp(plan), isFree(.service) {
            plan.recommended = .service
            return plan.reasons.append(
                "It stays rather than answers calls: a container that is kept running and restarted suits it.")
        }
        let isFrequent = program.calls >= Self.readyFromCalls && program.callsPerSecond >= Self.readyFromCallsPerSecond
        let spawned = gain(plan, .process)
        if isFrequent, isFree(.standby), gain(plan, .standby) > Self.worthwhile * max(1, gain(plan, .container)),
            gain(plan, .standby) * Self.acceptedSlowdown >= spawned
        {
            plan.recommended = .standby
            return plan.reasons.append(
                "It reads standard input and is always called the same way, so that a copy can wait in its first read: "
                    + "nothing of it has to be changed.")
        }
        if isFrequent, isFree(.runtime),
            gain(plan, .runtime) >= Self.handlerFromSpeedup * max(1, gain(plan, .container), spawned)
        {
            plan.recommended = .runtime
            return plan.reasons.append(
                "Most of a call is start, which a function that waits has behind it. That needs a handler in its code"
                    + (isFree(.container) ? "; a container is the step before." : "."))
        }
        guard isFree(.container) else {
            return plan.reasons.append("It stays a process: \(plan.blockers(of: .container)[0].sentence).")
        }
        guard gain(plan, .container) >= 1 / Self.acceptedSlowdown else {
            return plan.reasons.append(
                "It stays a process: in a container a call would take \(FloatingText.ratio(1 / gain(plan, .container))) of its time, "
                    + "and nothing better is open to it.")
        }
        plan.recommended = .container
        plan.reasons.append(containerReason(plan, isFrequent: isFrequent))
    }

    /// How many times faster a rung is; 0 where it is not known.
    private func gain(_ plan: ProgramPlan, _ rung: PlannedRung) -> Double {
        guard let now = plan.now.value?.latency.total, let then = plan.predictions[rung]?.value?.latency.total, then > 0
        else {
            // Without figures a container is judged by what blocks it alone.
            return rung == .container ? 1 : 0
        }
        return now / then
    }

    private func staysUp(_ plan: ProgramPlan) -> Bool {
        let program = plan.program
        if program.lifetime.isEmpty { return program.unfinished > 0 }
        let serves = program.deep?.sockets.contains { [.listen, .accept].contains($0.action) } ?? false
        return program.lifetime.p50 >= PlanningRule.serviceFromNanoseconds && (serves || program.unfinished > 0)
    }

    private func containerReason(_ plan: ProgramPlan, isFrequent: Bool) -> String {
        let standby = plan.blockers(of: .standby).first?.sentence
        if !isFrequent {
            return "It is called less than once a minute: a container for each call costs nothing in between."
        }
        guard let standby else {
            return "A container for each call isolates and counts it; a function would gain no more."
        }
        return "A container for each call isolates and counts it. It cannot stand by: \(standby)."
    }

    // MARK: - What is so

    private static func circumstances(_ plan: ProgramPlan, _ predictor: Predictor) -> [String] {
        let program = plan.program
        var reasons: [String] = []
        if program.callsPerSecond > 0 {
            reasons.append(
                "Called \(FloatingText.grouped(program.calls)) times, \(rate(program.callsPerSecond)), living "
                    + (program.lifetime.isEmpty
                        ? "longer than the recording."
                        : "\(FloatingText.duration(nanoseconds: program.lifetime.p50)) (median)."))
        }
        if let bytes = predictor.parentBytes, let now = plan.now.value, bytes > 64 << 20 {
            let copy = now.latency.terms.first { $0.what.hasPrefix("copying") }?.amount ?? 0
            let share = now.latency.total > 0 ? copy / now.latency.total : 0
            reasons.append(
                "Its callers have \(FloatingText.bytes(bytes)) resident: where they fork, \(FloatingText.fixed(share * 100, decimals: 0)) % "
                    + "of a call is copying page tables (posix_spawn and vfork copy none; the recording cannot tell which it was)."
            )
        }
        if let interpreter = predictor.interpreter, program.lifetime.p50 > 0 {
            let share = min(1, Double(interpreter.timing.nanoseconds) / Double(program.lifetime.p50))
            reasons.append(
                "\(FloatingText.fixed(share * 100, decimals: 0)) % of its life is the start of \(interpreter.name) "
                    + "(\(FloatingText.duration(nanoseconds: interpreter.timing.nanoseconds)) here).")
        }
        for origin in plan.subject.origins.prefix(3) {
            reasons.append("It comes from \(origin.title)\(schedule(origin)).")
        }
        return reasons
    }

    private static func schedule(_ origin: ProgramOrigin) -> String {
        origin.schedule.isEmpty ? "" : " (\(origin.schedule))"
    }

    /// "12/s", "3 a minute", "2 an hour".
    package static func rate(_ perSecond: Double) -> String {
        if perSecond >= 1 { return FloatingText.rate(perSecond: perSecond) }
        if perSecond * 60 >= 1 { return FloatingText.short(perSecond * 60) + " a minute" }
        return FloatingText.short(perSecond * 3600) + " an hour"
    }
}
