import Dashboard
import ExecDoor
import Linux
import Metering
import Store

/// Shifts, as the dashboard shows them.
struct ShiftWorkloads: Sendable {
    private static let historyLimit = 100

    let desk: ShiftDesk?

    func lines() -> [ShiftLine] { desk?.book.entries.map { Self.line($0.state) } ?? [] }

    static func line(_ state: ShiftState) -> ShiftLine {
        var tone = Tone.good
        var isOver = false
        switch state.phase {
        case .active: tone = state.counts.differing > 0 ? .warning : .good
        case .paused: tone = .warning
        case .rolledBack:
            tone = .bad
            isOver = true
        }
        var line = ShiftLine(
            id: state.id, program: state.spec.program, target: state.spec.target.map { "\($0)" } ?? "nothing yet", stage: "\(state.stage)",
            percent: state.stage.percent, phase: state.phaseText, tone: tone, since: state.since)
        line.calls = state.counts.calls
        line.compared = state.compared
        line.differing = state.differing
        line.detours = state.detours
        line.originalP95Seconds = seconds(state.original)
        let target = state.target.runs > 0 ? state.target : state.shadow
        line.targetP95Seconds = seconds(target)
        line.originalFailures = state.original.runs > 0 ? state.original.failureShare : nil
        line.targetFailures = target.runs > 0 ? target.failureShare : nil
        line.firstDifference = state.firstDifference
        line.canRollBack = !isOver
        line.canPause = state.isActive
        if case .paused = state.phase { line.canResume = true }
        return line
    }

    private static func seconds(_ tally: RunTally) -> Double? { tally.durations.percentile(95).map { Double($0) / 1e6 } }

    /// A shifted program stands on the rung that answers.
    func all() -> [Workload] {
        (desk?.book.entries ?? []).map { entry in
            let line = Self.line(entry.state)
            let rung: WorkloadRung =
                if !entry.state.isActive || entry.state.stage.percent == 0 {
                    .process
                } else {
                    switch entry.state.spec.target?.rung {
                    case .container: .container
                    case .service: .service
                    case .function, .standby: .function
                    case nil: .process
                    }
                }
            return Workload(
                WorkloadKey(.shift, line.id), name: line.program, rung: rung, tone: line.tone,
                state: entry.state.isActive ? line.stage : line.phase, what: "shift to \(line.target)", since: line.since)
        }
    }

    func details(_ id: String) async throws(DashboardFailure) -> ShiftDetails {
        guard let desk else { throw DashboardFailure(.unavailable, "This node cannot shift programs.") }
        guard let entry = desk.book.entry(id) else { throw DashboardFailure(.notFound, "There is no shift \(id) on this node.") }
        do throws(StoreFailure) {
            let history = try await desk.journal.history(of: id, limit: Self.historyLimit)
            return ShiftDetails(
                Self.line(entry.state), limits: entry.state.spec.limits.text, promotion: (entry.state.spec.promotion ?? []).map { "\($0)" },
                history: history.map { ShiftHistoryLine(at: $0.at, kind: $0.kind.rawValue, stage: $0.stage, text: $0.text) }
                    .sorted { $0.at > $1.at })
        } catch { throw DashboardFailure(.failed, "read what happened to the shift: \(error)") }
    }
}
