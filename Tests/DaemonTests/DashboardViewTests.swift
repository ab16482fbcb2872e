import Dashboard
import History
import Linux
import Metering
import TestKit
import Testing

@testable import Daemon

@Suite struct RecentCallTests {
    private let now = Timestamp("2026-11-30T06:00:00Z")!

    private func record(_ function: String, secondsAgo: Double, microseconds: Int, _ outcome: MeteredCall.Outcome = .success, source: String = "invoke") -> LedgerRecord {
        let at = Timestamp(nanoseconds: now.nanoseconds - Int(secondsAgo * 1e9))
        var call = MeteredCall(requestID: "r", function: function, version: "1", invokedARN: "", source: source, arrivedAt: at)
        call.durationMicroseconds = microseconds
        call.queueMicroseconds = 1000
        call.outcome = outcome
        return LedgerRecord(sequence: 1, recordedAt: at, entry: .call(call))
    }

    @Test func `rates are those of the minute, latency is what the caller waited`() {
        let records = (1...30).map { record("a", secondsAgo: Double(60 - $0), microseconds: $0 * 1000) }
        let window = CallWindow(records + [record("b", secondsAgo: 1, microseconds: 5, .functionError("E"))], now: now)
        #expect(window.byFunction["a"]?.callsPerSecond == 0.5)
        #expect(window.byFunction["a"]?.p50Seconds == 0.016)
        #expect(window.byFunction["a"]?.p99Seconds == 0.031)
        #expect(window.byFunction["a"]?.errorShare == 0)
        #expect(window.byFunction["b"]?.errorShare == 1)
        #expect(window.all.callsPerSecond == 31.0 / 60)
    }

    @Test func `where more came than is looked at, the time is what they span`() {
        let count = CallWindow.recordLimit
        let records = (0..<count).map { record("a", secondsAgo: 2 - Double($0) / Double(count), microseconds: 1) }
        let rate = CallWindow(records, now: now).all.callsPerSecond ?? 0
        #expect(abs(rate - Double(count) / 2) < 1)
    }

    @Test func `the other side of a comparison is no call, and what did not run has no latency`() {
        let window = CallWindow(
            [
                record("a", secondsAgo: 1, microseconds: 9, source: "shadow"), record("a", secondsAgo: 1, microseconds: 9, source: "control"),
                record("a", secondsAgo: 1, microseconds: 0, .refused("TooManyRequestsException")),
            ], now: now)
        #expect(window.all.callsPerSecond == 1.0 / 60)
        #expect(window.all.p50Seconds == nil && window.all.errorShare == nil)
        #expect(CallWindow([], now: now).all.callsPerSecond == 0)
    }
}

@Suite struct CourseGridTests {
    private func series(_ values: [(Int, Double)]) -> MeasuredSeries {
        MeasuredSeries(
            "x", labels: [], points: values.map { MeasuredPoint(at: Timestamp(nanoseconds: $0.0), minimum: $0.1, mean: $0.1, maximum: $0.1) })
    }

    private func grid(_ series: [MeasuredSeries]) -> CourseGrid {
        CourseGrid(series, from: Timestamp(nanoseconds: 100), to: Timestamp(nanoseconds: 200), count: 4)
    }

    @Test func `series are laid over each other, part by part`() {
        let found = grid([series([(100, 1), (110, 3), (150, 5)]), series([(120, 4), (199, 7)])])
        #expect(found.sum() == [6, nil, 5, 7])
        #expect(found.mean() == [3, nil, 5, 7])
        #expect(found.highest() == [4, nil, 5, 7])
    }

    @Test func `the highest of a part is the highest that was measured, not a mean`() {
        func point(_ at: Int, _ mean: Double, _ maximum: Double) -> MeasuredPoint {
            MeasuredPoint(at: Timestamp(nanoseconds: at), minimum: 0, mean: mean, maximum: maximum)
        }
        let calm = MeasuredSeries("x", labels: [], points: [point(100, 1, 2), point(150, 1, 1)])
        let spiky = MeasuredSeries("x", labels: [], points: [point(101, 1, 9), point(110, 1, 1), point(180, 2, 3)])
        #expect(grid([calm, spiky]).highest() == [9, nil, 1, 3])
        #expect(grid([calm, spiky]).mean() == [1, nil, 1, 2])
    }

    @Test func `what lies outside, or is no number, does not count`() {
        #expect(grid([series([(99, 1), (200, 1), (120, .nan)])]).sum() == [nil, nil, nil, nil])
        #expect(grid([]).sum() == [nil, nil, nil, nil])
    }
}

@Suite struct ReportShelfTests {
    @Test func `a report's name leads nowhere else`() async throws {
        let state = try TemporaryDirectory("reports")
        try Files.makeDirectories(state.path("reports"))
        try Files.replace(state.path("secret.html"), with: Array("secret".utf8), mode: 0o600)
        try Files.replace(state.path("reports/first.html"), with: Array("report".utf8), mode: 0o600)
        let shelf = ReportShelf(state: state.path)
        #expect(try await shelf.page("first") == Array("report".utf8))
        for name in ["../secret", "..", "", "/etc/passwd", "a/../first", "first\u{0}", "nothing", String(repeating: "x", count: 300)] {
            await #expect(throws: DashboardFailure.self) { try await shelf.page(name) }
        }
    }

    @Test func `a file that is no report is listed with what is wrong, and a node without reports has none`() async throws {
        let state = try TemporaryDirectory("reports")
        let shelf = ReportShelf(state: state.path)
        #expect(try await shelf.all() == [])
        try Files.makeDirectories(state.path("reports"))
        try Files.replace(state.path("reports/broken.json"), with: Array("{".utf8), mode: 0o600)
        let all = try await shelf.all()
        #expect(all.map(\.name) == ["broken"] && all[0].problem != nil && all[0].savedAt == nil)
    }
}
