/// When a cron job is due: five fields as crontab(5) has them, or a word such as "@daily", in the grammar of
/// robfig/cron v3, which Kubernetes uses.
///
/// Invariant: any text gives a schedule or an error. (`no text traps the parser of schedules`)
package struct CronSchedule: Hashable, Sendable {
    /// The values of each field, as bits.
    package let minutes: UInt64
    package let hours: UInt64
    package let daysOfMonth: UInt64
    package let months: UInt64
    package let daysOfWeek: UInt64
    /// Whether the field was "*": when both are not, a day counts that one of them names.
    package let hasAnyDayOfMonth: Bool
    package let hasAnyDayOfWeek: Bool
    /// For "@every", in seconds; the fields are then empty.
    package let interval: Int64?

    /// - Throws: `CronScheduleError` in the words of robfig/cron.
    package init(_ text: String) throws(CronScheduleError) {
        var fields = text.split(whereSeparator: \.isWhitespace).map(String.init)
        if text.hasPrefix("@") {
            if text.hasPrefix("@every ") {
                interval = try Self.interval(String(text.dropFirst(7)))
                (minutes, hours, daysOfMonth, months, daysOfWeek) = (0, 0, 0, 0, 0)
                (hasAnyDayOfMonth, hasAnyDayOfWeek) = (true, true)
                return
            }
            guard let known = Self.words[text] else { throw CronScheduleError("unrecognized descriptor: \(text)") }
            fields = known.split(separator: " ").map(String.init)
        }
        guard fields.count == 5 else {
            throw CronScheduleError(
                "expected exactly 5 fields, found \(fields.count): [\(fields.joined(separator: " "))]")
        }
        interval = nil
        minutes = try CronField(0...59).bits(fields[0])
        hours = try CronField(0...23).bits(fields[1])
        daysOfMonth = try CronField(1...31).bits(fields[2])
        months = try CronField(1...12, names: Self.monthNames).bits(fields[3])
        daysOfWeek = try CronField(0...6, names: Self.dayNames).bits(fields[4])
        hasAnyDayOfMonth = fields[2].split(separator: ",").contains { $0 == "*" || $0 == "?" }
        hasAnyDayOfWeek = fields[4].split(separator: ",").contains { $0 == "*" || $0 == "?" }
    }

    private static let words = [
        "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *", "@monthly": "0 0 1 * *", "@weekly": "0 0 * * 0",
        "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@hourly": "0 * * * *",
    ]
    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]
    private static let dayNames = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]

    /// Go's durations: "1h30m", "10s". Parts below a second do not count, and it is a second at least.
    private static func interval(_ text: String) throws(CronScheduleError) -> Int64 {
        let wrong = CronScheduleError("failed to parse duration @every \(text): time: invalid duration \(quoted(text))")
        var rest = text[...]
        var seconds = 0.0
        guard !rest.isEmpty else { throw wrong }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest[digits.endIndex...]
            let unit = rest.prefix { $0.isLetter }
            rest = rest[unit.endIndex...]
            let sizes = ["h": 3600.0, "m": 60, "s": 1, "ms": 0.001, "us": 0.000_001, "ns": 0.000_000_001]
            guard let number = Double(digits), let size = sizes[String(unit)] else { throw wrong }
            seconds += number * size
        }
        guard seconds < 9_000_000_000 else { throw wrong }
        return max(1, Int64(seconds))
    }
}

/// Why a text is no schedule.
package struct CronScheduleError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}

/// One field: a list of `*`, numbers, names and ranges, each with a step.
private struct CronField {
    let range: ClosedRange<Int>
    let names: [String]

    init(_ range: ClosedRange<Int>, names: [String] = []) {
        self.range = range
        self.names = names
    }

    func bits(_ text: String) throws(CronScheduleError) -> UInt64 {
        var bits: UInt64 = 0
        for part in text.split(separator: ",") { bits |= try part == "" ? 0 : self.part(String(part)) }
        guard bits != 0 else {
            throw CronScheduleError("failed to parse int from : strconv.Atoi: parsing \"\": invalid syntax")
        }
        return bits
    }

    private func part(_ text: String) throws(CronScheduleError) -> UInt64 {
        let steps = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let ends = steps[0].split(separator: "-", omittingEmptySubsequences: false).map(String.init)
        guard steps.count <= 2 else { throw CronScheduleError("too many slashes: \(text)") }
        guard ends.count <= 2 else { throw CronScheduleError("too many hyphens: \(text)") }
        var (start, end) = (range.lowerBound, range.upperBound)
        let isAny = ends[0] == "*" || ends[0] == "?"
        if !isAny {
            start = try number(ends[0])
            end = ends.count == 2 ? try number(ends[1]) : steps.count == 2 ? range.upperBound : start
        }
        let step = steps.count == 2 ? try plainNumber(steps[1]) : 1
        guard start >= range.lowerBound else {
            throw CronScheduleError("beginning of range (\(start)) below minimum (\(range.lowerBound)): \(text)")
        }
        guard end <= range.upperBound else {
            throw CronScheduleError("end of range (\(end)) above maximum (\(range.upperBound)): \(text)")
        }
        guard start <= end else {
            throw CronScheduleError("beginning of range (\(start)) beyond end of range (\(end)): \(text)")
        }
        guard step > 0 else { throw CronScheduleError("step of range should be a positive number: \(text)") }
        var bits: UInt64 = 0
        for value in stride(from: start, through: end, by: step) { bits |= 1 << UInt64(value) }
        return bits
    }

    private func number(_ text: String) throws(CronScheduleError) -> Int {
        if let index = names.firstIndex(of: text.lowercased()) { return index + (range.lowerBound == 1 ? 1 : 0) }
        return try plainNumber(text)
    }

    private func plainNumber(_ text: String) throws(CronScheduleError) -> Int {
        guard let number = Int(text) else {
            throw CronScheduleError(
                "failed to parse int from \(text): strconv.Atoi: parsing \(quoted(text)): invalid syntax")
        }
        guard number >= 0 else { throw CronScheduleError("negative number (\(number)) not allowed: \(text)") }
        return number
    }
}
