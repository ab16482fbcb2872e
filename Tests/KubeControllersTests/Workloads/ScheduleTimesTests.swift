import KubeObjects
import KubeSchema
import Linux
import TestKit
import Testing

@testable import KubeControllers

@Suite(.timeLimit(.minutes(1)))
struct ScheduleTimesTests {
    private func zone(_ name: String) throws -> ZoneRules {
        let bytes = try Files.read("/usr/share/zoneinfo/\(name)")
        let rules = ZoneRules(bytes)
        return try #require(rules)
    }

    private func seconds(_ text: String) throws -> Int64 {
        let read = Linux.Timestamp(text)
        let moment = try #require(read)
        return Int64(moment.nanoseconds / 1_000_000_000)
    }

    private func times(_ schedule: String, _ zone: ZoneRules, after text: String, _ count: Int) throws -> [String] {
        let times = ScheduleTimes(schedule: try CronSchedule(schedule), zone: zone)
        var moment = try seconds(text)
        var found: [String] = []
        for _ in 0..<count {
            guard let next = times.next(after: moment) else { break }
            moment = next
            found.append(Linux.Timestamp(nanoseconds: Int(next) * 1_000_000_000).kubeTime)
        }
        return found
    }

    @Test func `offsets are those that are known`() throws {
        let berlin = try zone("Europe/Berlin")
        #expect(berlin.offset(at: try seconds("2026-01-15T12:00:00Z")) == 3600)
        #expect(berlin.offset(at: try seconds("2026-07-15T12:00:00Z")) == 7200)
        #expect(berlin.offset(at: try seconds("2026-03-29T00:59:59Z")) == 3600)
        #expect(berlin.offset(at: try seconds("2026-03-29T01:00:00Z")) == 7200)
        // Behind the table the rule at its end holds.
        #expect(berlin.offset(at: try seconds("2150-07-15T12:00:00Z")) == 7200)
        #expect(berlin.offset(at: try seconds("2150-12-15T12:00:00Z")) == 3600)
        let sydney = try zone("Australia/Sydney")
        #expect(sydney.offset(at: try seconds("2150-01-15T12:00:00Z")) == 39600)
        #expect(sydney.offset(at: try seconds("2150-07-15T12:00:00Z")) == 36000)
        #expect(try zone("Asia/Kolkata").offset(at: try seconds("2026-01-15T12:00:00Z")) == 19800)
        #expect(try zone("UTC").offset(at: 0) == 0)
    }

    @Test func `times go by minutes, days and words`() throws {
        #expect(
            try times("*/20 * * * *", .utc, after: "2026-03-01T12:05:00Z", 3)
                == ["2026-03-01T12:20:00Z", "2026-03-01T12:40:00Z", "2026-03-01T13:00:00Z"])
        #expect(try times("@daily", .utc, after: "2026-12-31T00:00:00Z", 1) == ["2027-01-01T00:00:00Z"])
        #expect(try times("0 0 29 2 *", .utc, after: "2026-03-01T12:00:00Z", 1) == ["2028-02-29T00:00:00Z"])
        #expect(try times("0 0 31 2 *", .utc, after: "2026-03-01T12:00:00Z", 1) == [])
        #expect(try times("@every 90s", .utc, after: "2026-03-01T12:00:00Z", 1) == ["2026-03-01T12:01:30Z"])
        // A Friday, or the thirteenth.
        #expect(
            try times("0 0 13 * 5", .utc, after: "2026-03-11T00:00:00Z", 2)
                == ["2026-03-13T00:00:00Z", "2026-03-20T00:00:00Z"])
    }

    @Test func `a time that a clock change leaves out is left out, and one that it repeats comes twice`() throws {
        let berlin = try zone("Europe/Berlin")
        #expect(
            try times("30 2 * * *", berlin, after: "2026-03-28T00:00:00Z", 2)
                == ["2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z"])
        #expect(
            try times("30 2 * * *", berlin, after: "2026-10-24T12:00:00Z", 3)
                == ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"])
    }

    @Test func `times of any schedule go forward`() throws {
        var chance = SeededChance(seed: 7)
        for name in ["Asia/Beirut", "America/Sao_Paulo", "Australia/Lord_Howe", "Africa/Cairo", "America/New_York"] {
            let zone = try zone(name)
            for _ in 0..<40 {
                let text =
                    "\(Int.random(in: 0..<60, using: &chance)) \(Int.random(in: 0..<24, using: &chance)) \(Int.random(in: 1...31, using: &chance)) * *"
                let times = ScheduleTimes(schedule: try CronSchedule(text), zone: zone)
                var moment = Int64.random(in: 0..<2_500_000_000, using: &chance)
                for _ in 0..<5 {
                    let found = times.next(after: moment)
                    let next = try #require(found, "\(name) \(text) \(chance)")
                    #expect(next > moment)
                    moment = next
                }
            }
        }
    }

    @Test func `no bytes trap the reader of zones`() throws {
        var chance = SeededChance(seed: 3)
        let whole = try Files.read("/usr/share/zoneinfo/Europe/Berlin")
        for _ in 0..<500 {
            var bytes = Array(whole.prefix(Int.random(in: 0...whole.count, using: &chance)))
            for _ in 0..<4 where !bytes.isEmpty {
                bytes[Int.random(in: 0..<bytes.count, using: &chance)] = .random(in: 0...255, using: &chance)
            }
            _ = ZoneRules(bytes)?.offset(at: 1_700_000_000)
        }
    }

    @Test func `of many missed times the last one is due`() throws {
        let times = ScheduleTimes(schedule: try CronSchedule("*/10 * * * *"), zone: .utc)
        let noon = try seconds("2026-03-01T12:00:00Z")
        #expect(MissedStarts(times, since: noon, now: noon + 599, deadline: nil).due == nil)
        #expect(MissedStarts(times, since: noon, now: noon + 600, deadline: nil).due == noon + 600)
        let few = MissedStarts(times, since: noon, now: noon + 3700, deadline: nil)
        #expect(few.due == noon + 3600)
        #expect(few.next == noon + 4200)
        #expect(!few.isMany)
        let many = MissedStarts(times, since: noon, now: noon + 200 * 600 + 5, deadline: nil)
        #expect(many.due == noon + 200 * 600)
        #expect(many.isMany)
        #expect(MissedStarts(times, since: noon, now: noon + 3700, deadline: 50).due == nil)
    }
}
