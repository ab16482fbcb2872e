import EventSources
import Functions
import JSON
import Lambda
import Linux
import TestKit
import Testing

@testable import EventSources

@Suite struct ScheduleTests {
    static func next(_ expression: String, _ from: String, _ count: Int = 1) throws -> [String] {
        let schedule = try Schedule(expression)
        var at = Timestamp(from)!
        var times: [String] = []
        for _ in 0..<count {
            guard let time = schedule.next(after: at, origin: Timestamp(nanoseconds: 0)) else { break }
            times.append(String(time.description.prefix(16)))
            at = time
        }
        return times
    }

    @Test(arguments: [
        ("cron(0 10 * * ? *)", "2026-11-29T10:00:00Z", ["2026-11-30T10:00"]),
        ("cron(0 10 * * ? *)", "2026-11-29T09:59:59.999Z", ["2026-11-29T10:00"]),
        ("cron(15 12 * * ? *)", "2026-12-31T12:15:00Z", ["2027-01-01T12:15"]),
        ("cron(0 18 ? * MON-FRI *)", "2026-11-27T18:00:00Z", ["2026-11-30T18:00", "2026-12-01T18:00"]),
        ("cron(0 8 1 * ? *)", "2026-11-29T00:00:00Z", ["2026-12-01T08:00", "2027-01-01T08:00"]),
        ("cron(0/15 * * * ? *)", "2026-11-29T23:31:00Z", ["2026-11-29T23:45", "2026-11-30T00:00", "2026-11-30T00:15"]),
        ("cron(0/10 * ? * MON-FRI *)", "2026-11-27T23:55:00Z", ["2026-11-30T00:00"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", "2026-11-30T17:55:00Z", ["2026-12-01T08:00"]),
        ("cron(0 0 29 2 ? *)", "2026-11-29T00:00:00Z", ["2028-02-29T00:00", "2032-02-29T00:00"]),
        ("cron(0 0 29 2 ? *)", "2096-03-01T00:00:00Z", ["2104-02-29T00:00"]),
        ("cron(0 0 L * ? *)", "2027-01-31T00:00:00Z", ["2027-02-28T00:00", "2027-03-31T00:00", "2027-04-30T00:00"]),
        ("cron(0 0 L 2 ? *)", "2027-03-01T00:00:00Z", ["2028-02-29T00:00"]),
        ("cron(0 0 31 * ? *)", "2026-12-31T00:00:00Z", ["2027-01-31T00:00", "2027-03-31T00:00", "2027-05-31T00:00"]),
        // 15 August 2026 is a Saturday, 1 August too; 30 and 31 May 2026 are a weekend; 3 W of May: a Sunday.
        ("cron(0 9 15W 8 ? 2026)", "2026-01-01T00:00:00Z", ["2026-08-14T09:00"]),
        ("cron(0 9 1W 8 ? 2026)", "2026-01-01T00:00:00Z", ["2026-08-03T09:00"]),
        ("cron(0 9 31W 5 ? 2026)", "2026-01-01T00:00:00Z", ["2026-05-29T09:00"]),
        ("cron(0 9 3W 5 ? 2026)", "2026-01-01T00:00:00Z", ["2026-05-04T09:00"]),
        ("cron(0 9 LW 5 ? 2026)", "2026-01-01T00:00:00Z", ["2026-05-29T09:00"]),
        ("cron(0 9 ? * 6L *)", "2026-11-01T00:00:00Z", ["2026-11-27T09:00", "2026-12-25T09:00"]),
        ("cron(0 9 ? * FRIL *)", "2026-11-01T00:00:00Z", ["2026-11-27T09:00"]),
        ("cron(0 9 ? * 2#1 *)", "2026-11-01T00:00:00Z", ["2026-11-02T09:00", "2026-12-07T09:00"]),
        ("cron(0 9 ? * SUN#5 *)", "2026-11-01T00:00:00Z", ["2026-11-29T09:00", "2027-01-31T09:00"]),
        ("cron(0 9 ? * L *)", "2026-11-29T00:00:00Z", ["2026-12-05T09:00"]),
        ("cron(0 9 ? JAN,jul 1 2027)", "2026-01-01T00:00:00Z", ["2027-01-03T09:00"]),
        ("cron(30 6 ? * 2,4,6 2026-2027)", "2026-11-29T00:00:00Z", ["2026-11-30T06:30", "2026-12-02T06:30"]),
        ("cron(5-7 0 1 1 ? *)", "2026-01-01T00:05:00Z", ["2026-01-01T00:06", "2026-01-01T00:07", "2027-01-01T00:05"]),
        ("cron(0 0 1 1 ? 1970)", "2026-01-01T00:00:00Z", []),
        ("cron(59 23 31 12 ? 2199)", "2026-01-01T00:00:00Z", ["2199-12-31T23:59"]),
    ])
    func `cron finds the next times`(_ expression: String, _ from: String, _ times: [String]) throws {
        #expect(try Self.next(expression, from, max(times.count, 1)) == times)
    }

    @Test func `a rate runs from its beginning on`() throws {
        let origin = Timestamp("2026-11-29T12:00:30Z")!
        for (text, seconds) in [
            ("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(1 hour)", 3600), ("rate(7 days)", 604_800),
        ] {
            let schedule = try Schedule(text)
            #expect(schedule.next(after: origin, origin: origin) == origin + .seconds(seconds))
            #expect(schedule.next(after: origin + .seconds(seconds), origin: origin) == origin + .seconds(2 * seconds))
            #expect(schedule.next(after: origin + .seconds(seconds - 1), origin: origin) == origin + .seconds(seconds))
        }
    }

    @Test(arguments: [
        "", "rate", "rate()", "rate(0 minutes)", "rate(1 minutes)", "rate(5 minute)", "rate(-5 minutes)",
        "rate(5 weeks)",
        "rate(1.5 hours)", "cron()", "cron(* * * * *)", "cron(* * * * * *)", "cron(0 0 ? * ? *)", "cron(0 0 1 * MON *)",
        "cron(60 0 * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 1 13 ? *)",
        "cron(0 0 ? * 8 *)", "cron(0 0 ? * 2#6 *)", "cron(0 0 30 2 ? *)", "cron(0 0 * * ? 1969)", "cron(5-1 0 * * ? *)",
        "cron(*/0 0 * * ? *)", "cron(a 0 * * ? *)", "cron(+1 0 * * ? *)", "cron(1, 0 * * ? *)",
        "at(2026-11-29T00:00:00)",
        "cron(0 0 * * ? *) ",
    ])
    func `what is no schedule is refused`(_ text: String) {
        #expect(throws: ScheduleError.self) { try Schedule(text) }
    }

    @Test func `cron agrees with a search minute by minute`() throws {
        var chance = SeededChance(seed: 7)
        let fields = [
            ["*", "0", "0/20", "5,50"], ["*", "3", "8-17", "0/6"], ["*", "?", "L", "15W", "1,31"],
            ["*", "2", "JAN-MAR"],
            ["?", "MON-FRI", "6L", "3#2", "*"], ["*", "2026-2028"],
        ]
        for _ in 0..<150 {
            var words = fields.map { $0.randomElement(using: &chance)! }
            if words[2] != "?" { words[4] = "?" } else if words[4] == "?" { words[4] = "*" }
            let text = "cron(\(words.joined(separator: " ")))"
            let cron = try CronExpression(words.joined(separator: " ")[...])
            let start = Timestamp(
                nanoseconds: Int.random(in: 1_790_000_000...1_830_000_000, using: &chance) * 1_000_000_000)
            guard let found = cron.next(after: start) else { continue }
            #expect(found > start)
            // Between the two nothing matches: a search that begins later in between finds the same.
            let gap = (found.nanoseconds - start.nanoseconds) / 1_000_000_000
            for _ in 0..<5 {
                let between = start + .seconds(Int.random(in: 0..<max(gap, 1), using: &chance))
                #expect(cron.next(after: between) == found, "\(text) from \(start), \(chance)")
            }
            let minute = found.nanoseconds / 60_000_000_000
            #expect(cron.minutes.contains(minute % 60) && cron.hours.contains(minute / 60 % 24), "\(text)")
            #expect(cron.next(after: Timestamp(nanoseconds: found.nanoseconds - 1)) == found, "\(text)")
        }
    }

    @Test func `schedules survive whatever comes`() {
        var chance = SeededChance(seed: 3)
        let letters = Array("cronrate()0123456789*?/-,#LW MONFRIJAN minutes".unicodeScalars)
        for _ in 0..<20_000 {
            var text = "cron(0 0 ? * MON *)"
            for _ in 0..<Int.random(in: 1...6, using: &chance) {
                let at = text.unicodeScalars.indices.randomElement(using: &chance) ?? text.startIndex
                text.unicodeScalars.insert(letters.randomElement(using: &chance)!, at: at)
                if Bool.random(using: &chance) { text.removeLast() }
            }
            if let schedule = try? Schedule(text) {
                _ = schedule.next(after: Timestamp("2026-11-29T00:00:00Z")!, origin: Timestamp(nanoseconds: 0))
            }
        }
    }

    @Test func `missed runs are skipped, made once or all made`() throws {
        let schedule = try Schedule("rate(10 minutes)")
        let origin = Timestamp("2026-11-29T12:00:00Z")!
        func due(_ missed: EventSource.Missed, after minutes: Double) -> [Int] {
            let runs = DueRuns(
                schedule, origin: origin, settledThrough: origin, missed: missed, now: origin + .seconds(60) * minutes)
            return runs.runs.map { ($0.nanoseconds - origin.nanoseconds) / 60_000_000_000 }
        }
        #expect(due(.skip, after: 35) == [])
        #expect(due(.once, after: 35) == [30])
        #expect(due(.all, after: 35) == [10, 20, 30])
        #expect(due(.skip, after: 30.5) == [30])
        #expect(due(.once, after: 30.5) == [20, 30])
        #expect(due(.once, after: 9) == [])
        var through = origin
        var count = 0
        repeat {
            let runs = DueRuns(
                schedule, origin: origin, settledThrough: through, missed: .all, now: origin + .seconds(86_400 * 30))
            #expect(runs.through > through)
            through = runs.through
            count += runs.runs.count
            if !runs.isPartial { break }
        } while true
        #expect(count == 30 * 144)
    }

    @Test func `a run is made once although the node dies`() async throws {
        let first = try EventBench()
        try await first.start()
        let mapping = try mapping("arn:forkless:schedule:us-east-1:000000000000:rate(5 minutes)?missed=all")
        first.mappings.put(mapping)
        try await eventually { try await first.rows("schedule") == 1 }
        first.clock.advance(by: .seconds(300))
        try await eventually { first.invoker.calls.count == 1 }
        // One whose end was not written down when the node dies is made again, under the same id.
        try await eventually { try await first.rows("async_event") == 0 }
        await first.stop()
        first.clock.advance(by: .seconds(900))
        let second = try first.reopened()
        try await second.start()
        second.mappings.put(mapping)
        try await eventually { second.invoker.calls.count == 3 }
        let calls = first.invoker.calls + second.invoker.calls
        #expect(
            calls.map(\.messageID) == [
                "m1/2026-11-29T12:05:00Z", "m1/2026-11-29T12:10:00Z", "m1/2026-11-29T12:15:00Z",
                "m1/2026-11-29T12:20:00Z",
            ])
        let event = try JSONParser.parse(calls[0].payload)
        #expect(event["detail-type"]?.string == "Scheduled Event" && event["source"]?.string == "aws.events")
        #expect(event["time"]?.string == "2026-11-29T12:05:00Z" && event["detail"] == [:])
        #expect(
            event.object?.keys == [
                "version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail",
            ])
        await second.stop()
    }

    @Test func `runs of a schedule wait for each other`() async throws {
        let bench = try EventBench(invoker: ScriptedInvoker { _, _ in nil })
        try await bench.start()
        bench.mappings.put(try mapping("arn:forkless:schedule:us-east-1:000000000000:rate(1 minute)"))
        bench.mappings.put(
            try mapping("arn:forkless:schedule:us-east-1:000000000000:rate(1 minute)?overlap=allow", id: "m2"))
        try await eventually { try await bench.rows("schedule") == 2 }
        for round in 1...3 {
            bench.clock.advance(by: .seconds(60))
            // One that comes a minute late is no run of its own any more.
            try await eventually { bench.events.counters.waiting == 2 * round }
        }
        // The last run of the one may be called before that of the other is on the disk.
        try await eventually { bench.events.counters.waiting == 6 && bench.invoker.heldCount == 4 }
        await bench.stop()
    }
}
