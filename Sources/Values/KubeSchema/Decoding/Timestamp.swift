/// A point in time as metav1.Time and metav1.MicroTime write it: RFC 3339, in UTC.
///
/// Invariant: what is written reads back as the same instant. (`times are kept in UTC, and wrong ones say where`)
package struct Timestamp: Hashable, Sendable {
    package enum Precision: Sendable {
        case seconds
        case micro

        /// The layout, in Go's notation, which its messages name.
        var layout: String {
            switch self {
            case .seconds: "2006-01-02T15:04:05Z07:00"
            case .micro: "2006-01-02T15:04:05.000000Z07:00"
            }
        }
    }

    /// The years 0 to 9999, which four digits can write.
    static let range: ClosedRange<Int64> = -62_167_219_200...253_402_300_799

    /// Since 1970-01-01T00:00:00Z.
    package var seconds: Int64
    package var microseconds: Int64

    package init(seconds: Int64, microseconds: Int64 = 0) {
        self.seconds = seconds
        self.microseconds = microseconds
    }

    package func text(_ precision: Precision) -> String {
        let days = seconds.floored(by: 86400)
        let time = seconds - days * 86400
        let (year, month, day) = Self.date(days)
        var text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(time / 3600, 2)):"
        text += "\(padded(time / 60 % 60, 2)):\(padded(time % 60, 2))"
        if precision == .micro { text += "." + padded(microseconds, 6) }
        return text + "Z"
    }

    private func padded(_ number: Int64, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }

    /// Days since 1970 of a date in the Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = y.floored(by: 400)
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    static func date(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = z.floored(by: 146_097)
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}

extension Int64 {
    /// Division that rounds down.
    fileprivate func floored(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

/// Why a text is no time, in the words of Go's `time.ParseError`.
package struct TimestampError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String
}

extension Timestamp {
    /// - Throws: `TimestampError`, which names the first part that does not fit.
    package init(_ text: String, _ precision: Precision) throws(TimestampError) {
        var reader = TimestampReader(text, layout: precision.layout)
        let year = try reader.number(4, "2006", 0...9999)
        try reader.mark("-")
        let month = try reader.number(2, "01", 1...12, range: "month out of range")
        try reader.mark("-")
        let day = try reader.number(2, "02", 1...31, range: "day out of range")
        try reader.mark("T")
        let hour = try reader.number(2, "15", 0...23, range: "hour out of range")
        try reader.mark(":")
        let minute = try reader.number(2, "04", 0...59, range: "minute out of range")
        try reader.mark(":")
        let second = try reader.number(2, "05", 0...59, range: "second out of range")
        microseconds = try reader.fraction(isRequired: precision == .micro)
        let offset = try reader.zone()
        try reader.end()
        let days = Self.days(year, month, day)
        guard Self.date(days) == (year, month, day) else { throw reader.error("day out of range") }
        seconds = days * 86400 + hour * 3600 + minute * 60 + second - offset
        guard Self.range.contains(seconds) else {
            throw reader.error("year out of range")
        }
    }
}

private struct TimestampReader {
    let text: String
    let layout: String
    var rest: Substring.UTF8View

    init(_ text: String, layout: String) {
        self.text = text
        self.layout = layout
        rest = text[...].utf8
    }

    func error(_ what: String) -> TimestampError {
        TimestampError(description: "parsing time \(quoted(text)): \(what)")
    }

    func misfit(_ element: String) -> TimestampError {
        let left = String(Substring(rest))
        return TimestampError(
            description:
                "parsing time \(quoted(text)) as \(quoted(layout)): cannot parse \(quoted(left)) as \(quoted(element))")
    }

    mutating func number(
        _ width: Int, _ element: String, _ range: ClosedRange<Int64>, range problem: String = ""
    ) throws(TimestampError) -> Int64 {
        let digits = rest.prefix(width)
        guard digits.count == width, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { throw misfit(element) }
        let value = digits.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
        guard range.contains(value) else { throw error(problem) }
        rest = rest.dropFirst(width)
        return value
    }

    mutating func mark(_ mark: Unicode.Scalar) throws(TimestampError) {
        guard rest.first == UInt8(ascii: mark) else { throw misfit(String(Character(mark))) }
        rest.removeFirst()
    }

    mutating func fraction(isRequired: Bool) throws(TimestampError) -> Int64 {
        guard rest.first == UInt8(ascii: ".") else {
            if isRequired { throw misfit(".000000") }
            return 0
        }
        let digits = rest.dropFirst().prefix { (0x30...0x39).contains($0) }
        guard !digits.isEmpty, !isRequired || digits.count == 6 else { throw misfit(isRequired ? ".000000" : "Z07:00") }
        rest = rest.dropFirst(1 + digits.count)
        let padded = Array(digits.prefix(6)) + Array(repeating: 0x30, count: max(0, 6 - digits.count))
        return padded.reduce(Int64(0)) { $0 * 10 + Int64($1 - 0x30) }
    }

    mutating func zone() throws(TimestampError) -> Int64 {
        guard let first = rest.first else { throw misfit("Z07:00") }
        if first == UInt8(ascii: "Z") {
            rest.removeFirst()
            return 0
        }
        let parts = Array(rest.prefix(6))
        guard first == UInt8(ascii: "+") || first == UInt8(ascii: "-"), parts.count == 6, parts[3] == UInt8(ascii: ":"),
            [1, 2, 4, 5].allSatisfy({ (0x30...0x39).contains(parts[$0]) })
        else { throw misfit("Z07:00") }
        let numbers = parts.map { Int64($0) - 0x30 }
        let (hours, minutes) = (numbers[1] * 10 + numbers[2], numbers[4] * 10 + numbers[5])
        guard hours <= 24, minutes <= 60 else { throw error("time zone offset out of range") }
        rest = rest.dropFirst(6)
        return (hours * 3600 + minutes * 60) * (first == UInt8(ascii: "-") ? -1 : 1)
    }

    func end() throws(TimestampError) {
        guard rest.isEmpty else { throw error("extra text: \(quoted(String(Substring(rest))))") }
    }
}
