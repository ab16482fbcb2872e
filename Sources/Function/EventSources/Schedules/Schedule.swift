internal import Linux

/// When runs take place: `rate(5 minutes)` or `cron(...)`. Pure.
enum Schedule: Hashable, Sendable {
    /// Seconds from one run to the next, counted from the moment the schedule was made.
    case rate(Int)
    case cron(CronExpression)

    init(_ text: String) throws(ScheduleError) {
        guard text.hasSuffix(")"), let open = text.firstIndex(of: "(") else {
            throw ScheduleError("\(text) is neither rate(...) nor cron(...)")
        }
        let inner = text[text.index(after: open)...].dropLast()
        switch text[..<open] {
        case "rate": self = .rate(try Self.seconds(inner))
        case "cron":
            let cron = try CronExpression(inner)
            guard cron.next(after: Timestamp(nanoseconds: -1)) != nil else {
                throw ScheduleError("cron(\(inner)) names no day that there is")
            }
            self = .cron(cron)
        default: throw ScheduleError("\(text) is neither rate(...) nor cron(...)")
        }
    }

    private static func seconds(_ text: Substring) throws(ScheduleError) -> Int {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        let units = ["minute": 60, "hour": 3600, "day": 86_400]
        guard words.count == 2, let value = Int(words[0]), words[0].utf8.count <= 6, value > 0, words[0].first != "+"
        else {
            throw ScheduleError("rate(\(text)) is no rate: a whole number above 0, and minute(s), hour(s) or day(s)")
        }
        let unit = value == 1 ? String(words[1]) : words[1].hasSuffix("s") ? String(words[1].dropLast()) : ""
        guard let seconds = units[unit] else {
            throw ScheduleError(
                "rate(\(text)) is no rate: the unit is minute, hour or day for 1, and minutes, hours or days for more")
        }
        return value * seconds
    }

    /// The first run after `time` of a schedule that was made at `origin`; nil when there is none any more.
    func next(after time: Timestamp, origin: Timestamp) -> Timestamp? {
        switch self {
        case .cron(let cron): return cron.next(after: max(time, origin))
        case .rate(let seconds):
            let interval = seconds * 1_000_000_000
            let passed = max(time.nanoseconds - origin.nanoseconds, 0) / interval
            return Timestamp(nanoseconds: origin.nanoseconds + (passed + 1) * interval)
        }
    }
}
