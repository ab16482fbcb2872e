/// The rule for all later years at the end of a TZif file: "CET-1CEST,M3.5.0,M10.5.0/3" (POSIX TZ).
struct PosixZone: Sendable, Hashable {
    /// A day of the year and the second of that day, in local time before the change.
    struct Change: Sendable, Hashable {
        enum Day: Sendable, Hashable {
            /// 1...365, without February 29.
            case julian(Int64)
            /// 0...365.
            case ofYear(Int64)
            /// The week-th (5: the last) weekday of a month.
            case weekday(month: Int64, week: Int64, day: Int64)
        }
        var day: Day
        var second: Int64
    }

    private let standard: Int64
    private let summer: (offset: Int64, start: Change, end: Change)?

    static func == (a: PosixZone, b: PosixZone) -> Bool {
        a.standard == b.standard && a.summer?.offset == b.summer?.offset && a.summer?.start == b.summer?.start
            && a.summer?.end == b.summer?.end
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(standard)
        hasher.combine(summer?.offset)
    }

    init?(_ text: String) {
        var reader = Reader(rest: Array(text.utf8)[...])
        guard reader.name(), let west = reader.time() else { return nil }
        standard = -west
        guard !reader.rest.isEmpty else {
            summer = nil
            return
        }
        guard reader.name() else { return nil }
        var offset = standard + 3600
        if reader.rest.first != UInt8(ascii: ",") {
            guard let west = reader.time() else { return nil }
            offset = -west
        }
        guard reader.take(","), let start = reader.change(), reader.take(","), let end = reader.change(),
            reader.rest.isEmpty
        else { return nil }
        summer = (offset, start, end)
    }

    func offset(at seconds: Int64) -> Int64 {
        guard let summer else { return standard }
        let year = CivilDate(seconds: seconds &+ standard).year
        let start = Self.moment(summer.start, year) - standard
        let end = Self.moment(summer.end, year) - summer.offset
        let isSummer = start < end ? seconds >= start && seconds < end : seconds >= start || seconds < end
        return isSummer ? summer.offset : standard
    }

    /// Local seconds since 1970.
    private static func moment(_ change: Change, _ year: Int64) -> Int64 {
        let first = CivilDate.days(year, 1, 1)
        let day: Int64
        switch change.day {
        case .julian(let number): day = first + number - 1 + (CivilDate.isLeap(year) && number >= 60 ? 1 : 0)
        case .ofYear(let number): day = first + number
        case .weekday(let month, let week, let weekday):
            let begin = CivilDate.days(year, month, 1)
            let toFirst = (weekday - CivilDate.weekday(begin) + 7) % 7
            var found = begin + toFirst + (week - 1) * 7
            if found >= begin + CivilDate.length(of: month, in: year) { found -= 7 }
            day = found
        }
        return day * 86400 + change.second
    }

    private struct Reader {
        var rest: ArraySlice<UInt8>

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard rest.first == UInt8(ascii: character) else { return false }
            rest.removeFirst()
            return true
        }

        mutating func name() -> Bool {
            if take("<") {
                rest = rest.drop { $0 != UInt8(ascii: ">") }
                return take(">")
            }
            let letters = rest.prefix { (0x41...0x5A).contains($0 & 0xDF) }
            rest = rest[letters.endIndex...]
            return letters.count >= 3
        }

        mutating func number(_ range: ClosedRange<Int64>) -> Int64? {
            let digits = rest.prefix { (0x30...0x39).contains($0) }
            guard !digits.isEmpty, digits.count < 6 else { return nil }
            rest = rest[digits.endIndex...]
            let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
            return range.contains(value) ? value : nil
        }

        /// [+-]hh[:mm[:ss]], in seconds.
        mutating func time() -> Int64? {
            let isNegative = take("-")
            if !isNegative { _ = take("+") }
            guard var seconds = number(0...167).map({ $0 * 3600 }) else { return nil }
            if take(":") {
                guard let minutes = number(0...59) else { return nil }
                seconds += minutes * 60
                if take(":") {
                    guard let rest = number(0...59) else { return nil }
                    seconds += rest
                }
            }
            return isNegative ? -seconds : seconds
        }

        mutating func change() -> Change? {
            let day: Change.Day
            if take("M") {
                guard let month = number(1...12), take("."), let week = number(1...5), take("."),
                    let weekday = number(0...6)
                else { return nil }
                day = .weekday(month: month, week: week, day: weekday)
            } else if take("J") {
                guard let number = number(1...365) else { return nil }
                day = .julian(number)
            } else {
                guard let number = number(0...365) else { return nil }
                day = .ofYear(number)
            }
            guard take("/") else { return Change(day: day, second: 7200) }
            return time().map { Change(day: day, second: $0) }
        }
    }
}
