import Linux
import Synchronization

@testable import Dashboard

/// A node that is not there: what tests put in is what pages show; what pages do is written down.
final class FakeSource: DashboardSource {
    struct State {
        var workloads: [Workload] = []
        var performed: [DashboardAction] = []
        var failure: DashboardFailure?
        /// What is waited for before a page is given.
        var gate: (@Sendable () async -> Void)?
    }

    let state = Mutex(State())
    static let now = Timestamp("2026-11-30T06:12:03Z")!
    /// What stands wherever a node says a name.
    let word: String

    init(word: String = "scorer") { self.word = word }

    func overview() async throws(DashboardFailure) -> Overview {
        await state.withLock { $0.gate }?()
        var overview = Overview(version: word, startedAt: Self.now)
        overview.rungs = WorkloadRung.allCases.map { Overview.RungCount($0, running: 3, all: 1004) }
        overview.figures = CallFigures(callsPerSecond: 12.5, p50Seconds: 0.0012, p99Seconds: 0.25, errorShare: 0.015)
        overview.courses = [Course(word, .perSecond, [1, 2, nil, 4], span: "last hour")]
        overview.pools = pools
        overview.shifts = [shiftLine]
        overview.workloads = [workload]
        overview.events = [event]
        overview.remarks = [word]
        return overview
    }

    private var pools: [PoolLine] {
        var pool = PoolLine(function: word, version: word)
        pool.problem = word
        return [pool]
    }

    var shiftLine: ShiftLine {
        var line = ShiftLine(id: word, program: word, target: word, stage: word, percent: 10, phase: word, tone: .warning, since: Self.now)
        line.differing = 2
        line.firstDifference = word
        (line.canRollBack, line.canPause, line.canResume) = (true, true, true)
        return line
    }

    private var workload: Workload {
        Workload(WorkloadKey(.container, word), name: word, rung: .container, tone: .good, state: word, what: word, since: Self.now)
    }

    private var event: EventLine { EventLine(at: Self.now, kind: word, action: word, subject: word, text: word, isWarning: true) }

    func workloads() async throws(DashboardFailure) -> [Workload] { state.withLock { $0.workloads.isEmpty ? [workload] : $0.workloads } }
    func measured(_ workloads: [Workload]) async -> [Workload] { workloads }

    func workload(_ key: WorkloadKey) async throws(DashboardFailure) -> WorkloadDetails {
        if let failure = state.withLock({ $0.failure }) { throw failure }
        var details = WorkloadDetails(workload, facts: [Fact(word, word)])
        details.log = [word]
        details.problem = word
        details.actions = [.stopContainer(word), .removeContainer(word)]
        return details
    }

    func functions() async throws(DashboardFailure) -> FunctionsModel {
        var line = FunctionLine(name: word, runtime: word, memoryMB: 128)
        line.cost = word
        line.qualifiers = [word]
        var model = FunctionsModel(functions: [line], pools: pools)
        model.costNote = word
        return model
    }

    func shifts() async throws(DashboardFailure) -> [ShiftLine] { [shiftLine] }

    func shift(_ id: String) async throws(DashboardFailure) -> ShiftDetails {
        ShiftDetails(
            shiftLine, limits: word, promotion: [word], history: [ShiftHistoryLine(at: Self.now, kind: word, stage: word, text: word)])
    }

    func images() async throws(DashboardFailure) -> ImagesModel {
        ImagesModel(
            images: [ImageLine(id: word, names: [word], bytes: 5, created: word)],
            disk: [DiskLine(name: word, count: 1, active: 1, bytes: 2, reclaimableBytes: 3)])
    }

    func events(limit: Int) async throws(DashboardFailure) -> [EventLine] { [event] }

    func ledger(_ search: LedgerSearch) async throws(DashboardFailure) -> LedgerModel {
        var line = LedgerLine(sequence: 1, at: Self.now, workload: word, requestID: word, source: word, start: word, outcome: word, tone: .bad)
        line.durationSeconds = 0.002
        var model = LedgerModel(records: [line], outcomes: [word], check: LedgerCheck(at: Self.now, good: 1, head: word, fault: word))
        model.problem = word
        return model
    }

    func reports() async throws(DashboardFailure) -> [ReportLine] { [ReportLine(name: word, title: word, savedAt: Self.now, bytes: 9, problem: word)] }
    func report(_ name: String) async throws(DashboardFailure) -> [UInt8] { Array("<h1>report</h1>".utf8) }

    func perform(_ action: DashboardAction) async throws(DashboardFailure) -> String {
        let failure = state.withLock { state in
            state.performed.append(action)
            return state.failure
        }
        if let failure { throw failure }
        return "It was done to \(word)."
    }

    var performed: [DashboardAction] { state.withLock { $0.performed } }
}
