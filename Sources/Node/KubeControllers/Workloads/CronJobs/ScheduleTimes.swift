import KubeSchema

/// The times of a schedule in a zone, as robfig/cron v3 has them.
///
/// A time that a clock change leaves out is left out, one that it repeats comes twice.
///
/// Invariant: each time is later than the one before. (test: `times of any schedule go forward`)
struct ScheduleTimes {
    let schedule: CronSchedule
    let zone: ZoneRules

    /// How far ahead a time is looked for: "0 0 31 2 *" has none.
    private static let years: Int64 = 5

    /// The first time after a moment, in seconds since 1970; nil when there is none in the next years.
    func next(after seconds: Int64) -> Int64? {
        if let interval = schedule.interval { return seconds + interval }
        // A step of the search changes one field and begins again when that carries over into the next larger one.
        var moment = seconds + 1
        var isRounded = false
        let lastYear = local(moment).year + Self.years
        while local(moment).year <= lastYear {
            if let found = step(&moment, &isRounded) { return found }
        }
        return nil
    }

    private func local(_ moment: Int64) -> CivilDate { CivilDate(seconds: moment + zone.offset(at: moment)) }

    /// As Go's time.Date: a local time that does not exist, or twice, is one near it.
    private func utc(_ local: CivilDate) -> Int64 {
        let seconds = local.seconds
        let offset = zone.offset(at: seconds)
        let right = zone.offset(at: seconds - offset)
        return seconds - (offset == right ? offset : right)
    }

    /// - Returns: nil to begin again at `moment`.
    private func step(_ moment: inout Int64, _ isRounded: inout Bool) -> Int64? {
        guard seekMonth(&moment, &isRounded), seekDay(&moment, &isRounded), seekHour(&moment, &isRounded) else {
            return nil
        }
        while true {
            let date = local(moment)
            if Self.has(schedule.minutes, date.minute) {
                if date.second == 0 { return moment }
            }
            moment += 60 - date.second
            isRounded = true
            if local(moment).minute == 0 { return nil }
        }
    }

    private static func has(_ bits: UInt64, _ value: Int64) -> Bool { bits & 1 << UInt64(value) != 0 }

    private func seekMonth(_ moment: inout Int64, _ isRounded: inout Bool) -> Bool {
        while !Self.has(schedule.months, local(moment).month) {
            let date = local(moment)
            isRounded = true
            moment = utc(CivilDate(date.year, date.month + 1, 1))
            if local(moment).month == 1 { return false }
        }
        return true
    }

    private func seekDay(_ moment: inout Int64, _ isRounded: inout Bool) -> Bool {
        while !matchesDay(local(moment)) {
            var date = local(moment)
            if !isRounded { date = CivilDate(date.year, date.month, date.day) }
            isRounded = true
            let before = moment
            date.day += 1
            moment = utc(date)
            // The clock was changed at midnight.
            let hour = local(moment).hour
            if hour != 0 { moment += hour > 12 ? (24 - hour) * 3600 : -hour * 3600 }
            // Whatever a zone does, the search goes on.
            if moment <= before { moment = before + 86400 }
            if local(moment).day == 1 { return false }
        }
        return true
    }

    private func seekHour(_ moment: inout Int64, _ isRounded: inout Bool) -> Bool {
        while !Self.has(schedule.hours, local(moment).hour) {
            if !isRounded {
                let date = local(moment)
                moment -= date.minute * 60 + date.second
                isRounded = true
            }
            moment += 3600
            if local(moment).hour == 0 { return false }
        }
        return true
    }

    /// When both fields of days name some, one of them is enough.
    private func matchesDay(_ date: CivilDate) -> Bool {
        let ofMonth = Self.has(schedule.daysOfMonth, date.day)
        let ofWeek = Self.has(schedule.daysOfWeek, date.weekday)
        return schedule.hasAnyDayOfMonth || schedule.hasAnyDayOfWeek ? ofMonth && ofWeek : ofMonth || ofWeek
    }
}
