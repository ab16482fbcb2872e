import Dashboard
import Linux
import Metering
import Store
import Synchronization

/// The ledger, as the dashboard searches and verifies it.
///
/// Invariants
/// 1. It is verified by one at a time, however often somebody asks. (test: `the ledger is verified from the page, and a damaged one shows`)
final class LedgerView: Sendable {
    private struct State {
        var check: LedgerCheck?
        var underWay: Task<Result<LedgerCheck, DashboardFailure>, Never>?
    }

    private let ledger: Ledger
    private let headFile: String
    private let state = Mutex(State())

    init(_ ledger: Ledger, headFile: String) {
        self.ledger = ledger
        self.headFile = headFile
    }

    func model(_ search: LedgerSearch) async throws(DashboardFailure) -> LedgerModel {
        let (check, isVerifying) = state.withLock { ($0.check, $0.underWay != nil) }
        var model = LedgerModel(records: [], outcomes: MeteredCall.Outcome.names, check: check)
        model.isVerifying = isVerifying
        var filter = LedgerFilter()
        filter.function = search.workload.isEmpty ? nil : search.workload
        filter.requestID = search.requestID.isEmpty ? nil : search.requestID
        filter.outcome = search.outcome.isEmpty ? nil : search.outcome
        for (text, bound) in [(search.from, LedgerFilter.Bound.from), (search.to, .to)] where !text.isEmpty {
            guard let time = LedgerFilter.time(text, as: bound) else {
                model.problem = "\"\(text)\" is no time: write a day such as 2026-11-23, or a moment such as 2026-11-23T06:00:00Z."
                return model
            }
            if bound == .from { filter.from = time } else { filter.to = time }
        }
        do throws(StoreFailure) {
            // What ends now is here within 100 ms, and on the page with its next update.
            model.records = try await LedgerQuery(ledger.database).newest(LedgerSearch.limit, filter).reversed().map { Self.line($0.record) }
            return model
        } catch { throw DashboardFailure(.failed, "read the ledger: \(error)") }
    }

    static func line(_ record: LedgerRecord) -> LedgerLine {
        switch record.entry {
        case .call(let call):
            let tone: Tone =
                switch call.outcome {
                case .success: .good
                case .replayed: .idle
                case .refused: .warning
                case .functionError, .timedOut, .outOfMemory: .bad
                }
            var outcome = call.outcome.name
            switch call.outcome {
            case .functionError(let text), .refused(let text): outcome += ": \(text)"
            default: break
            }
            var line = LedgerLine(
                sequence: record.sequence, at: record.recordedAt, workload: call.function, version: call.version, requestID: call.requestID,
                source: call.source, start: call.start.rawValue, outcome: outcome, tone: tone)
            if call.outcome.hasRun {
                line.queueSeconds = Double(call.queueMicroseconds) / 1e6
                line.durationSeconds = Double(call.durationMicroseconds) / 1e6
                line.peakMemoryBytes = call.peakMemoryBytes > 0 ? call.peakMemoryBytes : nil
            }
            return line
        case .provisioned(let capacity):
            return LedgerLine(
                sequence: record.sequence, at: record.recordedAt, workload: capacity.function, version: capacity.version,
                outcome: "kept ready: \(capacity.instances)", tone: .idle)
        case .lost(let calls):
            return LedgerLine(sequence: record.sequence, at: record.recordedAt, workload: "", outcome: "\(calls) calls not known", tone: .bad)
        }
    }

    /// Reads the whole ledger, or waits for whoever does already.
    func verify() async throws(DashboardFailure) -> LedgerCheck {
        let task = state.withLock { state in
            if let underWay = state.underWay { return underWay }
            let task = Task { await self.read() }
            state.underWay = task
            return task
        }
        return try await task.value.get()
    }

    private func read() async -> Result<LedgerCheck, DashboardFailure> {
        let result: Result<LedgerCheck, DashboardFailure>
        do throws(StoreFailure) {
            let found = try await ledger.verify(headFile: headFile)
            result = .success(LedgerCheck(at: Clock.now(), good: found.good, head: "\(found.head)", fault: found.fault.map { "\($0)" }))
        } catch { result = .failure(DashboardFailure(.failed, "verify the ledger: \(error)")) }
        state.withLock { state in
            if case .success(let check) = result { state.check = check }
            state.underWay = nil
        }
        return result
    }

    /// What a fault of the ledger has to say on the first page.
    var fault: String? { state.withLock { $0.check?.fault.map { "The ledger is damaged: \($0)" } } }
}
