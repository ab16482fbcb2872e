import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct CronScheduleTests {
    @Test(arguments: [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("61 * * * *", "end of range (61) above maximum (59): 61"),
        ("a * * * *", #"failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax"#),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("@often", "unrecognized descriptor: @often"), ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ])
    func `a schedule that is wrong says where`(_ schedule: String, _ problem: String) throws {
        let job: JSONValue = [
            "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "i"]]]]
        ]
        #expect(
            try causes(
                kind("batch/v1", "CronJob"), ["spec": ["schedule": .string(schedule), "jobTemplate": ["spec": job]]])
                == ["spec.schedule: Invalid value: \(quoted(schedule)): \(problem)"])
    }

    @Test func `schedules have the values of their fields`() throws {
        let schedule = try CronSchedule("*/15 8-10 1,15 jan-mar mon")
        #expect(schedule.minutes == 1 | 1 << 15 | 1 << 30 | 1 << 45 && schedule.hours == 0b111 << 8)
        #expect(
            schedule.daysOfMonth == 1 << 1 | 1 << 15 && schedule.months == 0b1110 && schedule.daysOfWeek == 0b10
                && !schedule.hasAnyDayOfWeek)
        #expect(
            try CronSchedule("@every 1h30m").interval == 5400 && CronSchedule("@daily") == CronSchedule("0 0 * * *"))
        #expect(try CronSchedule("5/20 * ? * *").minutes == 1 << 5 | 1 << 25 | 1 << 45)
    }

    @Test func `no text traps the parser of schedules`() {
        var chance = SeededChance(seed: 8)
        let letters = Array("0123456789*/-,? @everyhmsun.")
        for _ in 0..<20000 {
            let text = String(
                (0..<Int.random(in: 0..<25, using: &chance)).map { _ in letters.randomElement(using: &chance)! })
            _ = try? CronSchedule(text)
            _ = try? CronSchedule("@every " + text)
        }
    }
}
