/// A date and time of day in the Gregorian calendar, without a zone.
struct CivilDate: Equatable {
    var year: Int64
    var month: Int64
    var day: Int64
    var hour: Int64
    var minute: Int64
    var second: Int64

    /// Of local seconds since 1970.
    init(seconds: Int64) {
        let days = (seconds - ((seconds % 86400) + 86400) % 86400) / 86400
        let time = seconds - days * 86400
        (year, month, day) = Self.date(days)
        (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
    }

    init(_ year: Int64, _ month: Int64, _ day: Int64, hour: Int64 = 0) {
        (self.year, self.month, self.day) = (year, month, day)
        (self.hour, minute, second) = (hour, 0, 0)
    }

    /// Local seconds since 1970; months and days beyond their range go on into the next year or month.
    var seconds: Int64 {
        let months = year * 12 + month - 1
        let carried = (months >= 0 ? months : months - 11) / 12
        let days = Self.days(carried, months - carried * 12 + 1, 1) + day - 1
        return days * 86400 + hour * 3600 + minute * 60 + second
    }

    var weekday: Int64 { Self.weekday(Self.days(year, month, day)) }

    /// 0 is Sunday.
    static func weekday(_ days: Int64) -> Int64 { ((days + 4) % 7 + 7) % 7 }

    static func isLeap(_ year: Int64) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    static func length(of month: Int64, in year: Int64) -> Int64 {
        month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    /// Days since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    private static func date(_ days: Int64) -> (Int64, Int64, Int64) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month >= 10 ? 1 : 0), month + (month < 10 ? 3 : -9), day)
    }
}
