import JSON
import Linux
import Metering
import TestKit
import Testing

/// Totals are the sums over the records, however they are asked for.
struct ReportTests {
    @Test func `the totals are those of the records`() async throws {
        let fixture = try await LedgerFixture()
        var expected: [String: CallTotals] = [:]
        var chance = SeededChance(seed: 2)
        for number in 0..<500 {
            let function = ["pay", "score", "book"].randomElement(using: &chance)!
            var call = SampleCalls.plain(number, function: function, version: ["1", "2"].randomElement(using: &chance)!)
            call.outcome =
                [.success, .functionError("E"), .timedOut, .outOfMemory, .refused("TooMany"), .replayed].randomElement(using: &chance)!
            call.start = MeteredCall.Start.allCases.randomElement(using: &chance)!
            call.durationMicroseconds = Int.random(in: 0...3_000_000, using: &chance)
            call.billedMilliseconds = call.durationMicroseconds / 1000 + 1
            call.ephemeralMB = [512, 1024].randomElement(using: &chance)!
            expected[function, default: CallTotals()].add(.call(call))
            fixture.ledger.append(call)
            // Many groups, so that sums are added to sums.
            if number % 50 == 0 { try await fixture.ledger.flush() }
        }
        try await fixture.ledger.flush()
        let report = try await Report.make(fixture.database, from: nil, to: nil, by: [.function], prices: .aws)
        #expect(report.rows.map(\.labels) == [["book"], ["pay"], ["score"]])
        for row in report.rows { #expect(row.totals == expected[row.labels[0]]) }
        #expect(report.sum.totals.calls == 500)
        let walked = try await Report.make(fixture.database, from: nil, to: nil, by: [.function, .key], prices: .aws)
        #expect(walked.rows.map(\.totals) == report.rows.map(\.totals))
        #expect(try await fixture.verify().fault == nil)
    }

    @Test func `absurd numbers in a record stop nothing`() async throws {
        let fixture = try await LedgerFixture()
        for number in [Int.max, .min, -1, 0] {
            var call = SampleCalls.plain(1)
            call.queueMicroseconds = number
            call.initMicroseconds = number
            call.durationMicroseconds = number
            call.billedMilliseconds = number
            call.memoryMB = number
            call.ephemeralMB = number
            call.peakMemoryBytes = number
            call.cpuMicroseconds = number
            fixture.ledger.append(call)
            fixture.ledger.append(
                ProvisionedCapacity(
                    function: "pay", version: "1", memoryMB: number, instances: number, from: Timestamp(nanoseconds: .min),
                    to: Timestamp(nanoseconds: .max)))
        }
        try await fixture.ledger.flush()
        #expect(try await fixture.verify().fault == nil)
        let report = try await Report.make(fixture.database, from: nil, to: nil, by: [.function, .day], prices: .aws)
        #expect(report.sum.totals.calls == 4)
        #expect(!JSONWriter.text(report.json).isEmpty)
    }

    @Test func `days are told apart, and a span of days is all of each`() async throws {
        for (time, day) in [("2026-11-23T23:59:59.999999999Z", "2026-11-23"), ("2026-11-24T00:00:00Z", "2026-11-24")] {
            let now = try #require(Timestamp(time))
            let fixture = try await LedgerFixture(now: { now })
            try await fixture.fill(1)
            for (from, to, count) in [(day, day, 1), ("2026-11-20", day, 1), ("2026-11-25", "2026-11-26", 0), ("2020-01-01", "2026-11-22", 0)] {
                for by in [[ReportDimension.day], [.day, .key]] {
                    let report = try await Report.make(fixture.database, from: Day(from), to: Day(to), by: by, prices: .aws)
                    #expect(report.rows.map { $0.labels[0] } == Array(repeating: day, count: count), "\(from) \(to) \(by)")
                }
            }
        }
    }

    @Test func `percentiles are within a sixteenth`() {
        var histogram = DurationHistogram()
        for value in 1...1000 { histogram.add(microseconds: value * 997) }
        for share in [1, 50, 90, 99, 100] {
            let exact = Double(share * 10 * 997)
            let found = Double(histogram.percentile(share)!)
            #expect(abs(found - exact) / exact <= 0.0625, "\(share)")
        }
        #expect(DurationHistogram().percentile(50) == nil)
        for extreme in [Int.min, -1, 0, 1, 15, 16, 17, 1 << 40, .max] {
            var one = DurationHistogram()
            one.add(microseconds: extreme)
            let found = one.percentile(99)!
            let kept = min(max(extreme, 0), 1 << 40)
            #expect(abs(found - kept) <= kept / 16, "\(extreme)")
        }
    }

    @Test func `a report is written as JSON and as CSV`() async throws {
        let fixture = try await LedgerFixture()
        var call = SampleCalls.plain(0, function: "a,\"b\"")
        call.durationMicroseconds = 10
        fixture.ledger.append(call)
        try await fixture.ledger.flush()
        let report = try await Report.make(fixture.database, from: nil, to: nil, by: [.function], prices: .aws)
        let text = JSONWriter.text(report.json, .indented(2)) + "\n" + report.csv.replacing("\r\n", with: "\n")
        #expect(try Snapshot.difference(of: text, from: "report.txt") == nil)
    }
}
