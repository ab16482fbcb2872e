import Dashboard
import Linux
import Metering
import Metrics
import Store

/// How calls went over the last minute, from the newest records of the ledger.
///
/// At most so many records are looked at: where calls are more frequent, the time that they span is shorter, and the rates
/// are those of that time.
struct CallWindow: Sendable {
    static let nanoseconds = 60 * 1_000_000_000
    static let recordLimit = 1000

    private(set) var byFunction: [String: CallFigures] = [:]
    private(set) var all = CallFigures()

    init() {}

    /// - Parameter records: those of the last minute, the newest `recordLimit` of them.
    init(_ records: [LedgerRecord], now: Timestamp) {
        let calls = records.compactMap { $0.entry.call }.filter { !["shadow", "control"].contains($0.source) }
        let isWhole = records.count < Self.recordLimit
        let oldest = records.first?.recordedAt.nanoseconds ?? now.nanoseconds
        let span = Double(isWhole ? Self.nanoseconds : max(now.nanoseconds - oldest, 1_000_000)) / 1e9
        all = Self.figures(calls, span)
        byFunction = Dictionary(grouping: calls, by: \.function).mapValues { Self.figures($0, span) }
    }

    private static func figures(_ calls: [MeteredCall], _ span: Double) -> CallFigures {
        let runs = calls.filter(\.outcome.hasRun)
        // What the caller waited.
        let waits = runs.map { Double($0.queueMicroseconds + $0.durationMicroseconds) / 1e6 }.sorted()
        let failures = runs.count { $0.outcome != .success }
        return CallFigures(
            callsPerSecond: Double(calls.count) / span, p50Seconds: NearestRank.value(50, of: waits),
            p99Seconds: NearestRank.value(99, of: waits),
            errorShare: runs.isEmpty ? nil : Double(failures) / Double(runs.count))
    }
}

/// The window, made anew at most once a second however many pages are looked at.
actor RecentCalls {
    private static let lifeNanoseconds = 1_000_000_000

    private let database: StateDatabase
    private var window = CallWindow()
    private var madeAt: Int?

    init(_ database: StateDatabase) { self.database = database }

    func current() async throws(StoreFailure) -> CallWindow {
        let time = Clock.monotonicNanoseconds()
        if let madeAt, time - madeAt < Self.lifeNanoseconds { return window }
        madeAt = time
        let now = Clock.now()
        var filter = LedgerFilter()
        filter.from = Timestamp(nanoseconds: now.nanoseconds - CallWindow.nanoseconds)
        let records = try await LedgerQuery(database).newest(CallWindow.recordLimit, filter).map(\.record)
        window = CallWindow(records, now: now)
        return window
    }
}
