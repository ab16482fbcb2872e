internal import Linux

/// `cron(minutes hours day-of-month month day-of-week year)` as EventBridge has it, in UTC. Pure.
///
/// Day of month also takes `L` (the last day), `15W` (the weekday nearest to the 15th, in that month) and `LW` (the last
/// weekday); day of week `6L` (the last Friday), `6#3` (the third Friday) and `L` (Saturday). One of the two is `?`.
struct CronExpression: Hashable, Sendable {
    enum Day: Hashable, Sendable {
        case any
        case ofMonth([Int])
        case last
        case weekdayNearest(Int)
        case lastWeekday
        /// 1 is Sunday.
        case ofWeek([Int])
        case lastOfWeek(Int)
        case nthOfWeek(Int, Int)
    }

    var minutes: [Int]
    var hours: [Int]
    var days: Day
    var months: [Int]
    var years: [Int]

    init(_ text: Substring) throws(ScheduleError) {
        let fields = text.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count == 6 else {
            throw ScheduleError(
                "cron(\(text)) has \(fields.count) fields, not six: minutes, hours, day of month, month, day of week, year"
            )
        }
        minutes = try CronField.minutes.numbers(fields[0])
        hours = try CronField.hours.numbers(fields[1])
        months = try CronField.month.numbers(fields[3])
        years = try CronField.year.numbers(fields[5])
        switch (fields[2], fields[4]) {
        case ("?", "?"): throw ScheduleError("cron(\(text)): only one of day of month and day of week can be ?")
        case ("?", let week): days = try Self.week(week)
        case (let month, "?"): days = try Self.month(month)
        default:
            throw ScheduleError(
                "cron(\(text)): day of month and day of week cannot both be given; one of them must be ?")
        }
    }

    private static func month(_ text: Substring) throws(ScheduleError) -> Day {
        switch text.uppercased() {
        case "*": return .any
        case "L": return .last
        case "LW", "WL": return .lastWeekday
        default:
            guard text.last == "W" || text.last == "w" else { return .ofMonth(try CronField.dayOfMonth.numbers(text)) }
            return .weekdayNearest(try CronField.dayOfMonth.number(text.dropLast()))
        }
    }

    private static func week(_ text: Substring) throws(ScheduleError) -> Day {
        if text == "*" { return .any }
        if text.uppercased() == "L" { return .ofWeek([7]) }
        let parts = text.split(separator: "#", omittingEmptySubsequences: false)
        if parts.count == 2 {
            guard let nth = CronField.digits(parts[1]), (1...5).contains(nth) else {
                throw CronField.dayOfWeek.error(text)
            }
            return .nthOfWeek(try CronField.dayOfWeek.number(parts[0]), nth)
        }
        if text.count > 1, text.last == "L" || text.last == "l", text.uppercased() != "JUL" {
            return .lastOfWeek(try CronField.dayOfWeek.number(text.dropLast()))
        }
        return .ofWeek(try CronField.dayOfWeek.numbers(text))
    }

    /// The first time after `time`; nil when there is none before the year 2200.
    func next(after time: Timestamp) -> Timestamp? {
        let minute = Self.quotient(time.nanoseconds, 60_000_000_000) + 1
        let day = Self.quotient(minute, 1440)
        let start = CivilDate(daysSince1970: day)
        for year in years where year >= start.year {
            for month in months where year > start.year || month >= start.month {
                for date in dates(year, month) where date.daysSince1970 >= day {
                    if let found = first(on: date, notBefore: minute) { return found }
                }
            }
        }
        return nil
    }

    /// Rounded down, also before 1970. In whole numbers: a Double does not hold the nanoseconds of our days.
    private static func quotient(_ number: Int, _ divisor: Int) -> Int {
        number >= 0 ? number / divisor : -((divisor - 1 - number) / divisor)
    }

    private func first(on date: CivilDate, notBefore minute: Int) -> Timestamp? {
        let midnight = date.daysSince1970 * 1440
        for hour in hours {
            for minuteOfHour in minutes where midnight + hour * 60 + minuteOfHour >= minute {
                return Timestamp(nanoseconds: (midnight + hour * 60 + minuteOfHour) * 60_000_000_000)
            }
        }
        return nil
    }

    /// The matching days of a month, in order.
    private func dates(_ year: Int, _ month: Int) -> [CivilDate] {
        let count = CivilDate.days(inMonth: month, of: year)
        func date(_ day: Int) -> CivilDate { CivilDate(year: year, month: month, day: day) }
        let all = (1...count).map(date)
        switch days {
        case .any: return all
        case .ofMonth(let days): return days.filter { $0 <= count }.map(date)
        case .last: return [date(count)]
        case .lastWeekday: return [date(Self.nearestWeekday(count, count, year, month))]
        case .weekdayNearest(let day): return day > count ? [] : [date(Self.nearestWeekday(day, count, year, month))]
        case .ofWeek(let weekdays): return all.filter { weekdays.contains($0.weekday) }
        case .lastOfWeek(let weekday): return all.last { $0.weekday == weekday }.map { [$0] } ?? []
        case .nthOfWeek(let weekday, let nth):
            let matching = all.filter { $0.weekday == weekday }
            return matching.count >= nth ? [matching[nth - 1]] : []
        }
    }

    /// Saturday goes to Friday and Sunday to Monday, but never into another month.
    private static func nearestWeekday(_ day: Int, _ count: Int, _ year: Int, _ month: Int) -> Int {
        switch CivilDate(year: year, month: month, day: day).weekday {
        case 7: day > 1 ? day - 1 : day + 2
        case 1: day < count ? day + 1 : day - 2
        default: day
        }
    }
}
