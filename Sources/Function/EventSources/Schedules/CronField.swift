/// A field of a cron expression that is a set of numbers: `*`, `5`, `1-5`, `*/15`, `3/10`, `MON-FRI`, `1,15,30`.
struct CronField {
    var name: String
    var range: ClosedRange<Int>
    /// Names of the numbers from the range's beginning on: JAN, FEB ...
    var words: [String] = []

    static let minutes = CronField(name: "minutes", range: 0...59)
    static let hours = CronField(name: "hours", range: 0...23)
    static let dayOfMonth = CronField(name: "day of month", range: 1...31)
    static let month = CronField(
        name: "month", range: 1...12,
        words: ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"])
    static let dayOfWeek = CronField(
        name: "day of week", range: 1...7, words: ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])
    static let year = CronField(name: "year", range: 1970...2199)

    /// The numbers that a text names, in order.
    func numbers(_ text: Substring) throws(ScheduleError) -> [Int] {
        var numbers: Set<Int> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            numbers.formUnion(try self.part(part))
        }
        return numbers.sorted()
    }

    private func part(_ text: Substring) throws(ScheduleError) -> [Int] {
        let steps = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard steps.count == 2 else { return Array(try span(text)) }
        guard let step = Self.digits(steps[1]), step > 0 else { throw error(text) }
        // "3/10" begins at 3 and goes to the end.
        let span =
            steps[0].contains("-") || steps[0] == "*" ? try span(steps[0]) : try number(steps[0])...range.upperBound
        return Array(stride(from: span.lowerBound, through: span.upperBound, by: step))
    }

    private func span(_ text: Substring) throws(ScheduleError) -> ClosedRange<Int> {
        if text == "*" { return range }
        let ends = text.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2 else {
            let number = try number(text)
            return number...number
        }
        let (first, last) = (try number(ends[0]), try number(ends[1]))
        guard first <= last else { throw error(text) }
        return first...last
    }

    func number(_ text: Substring) throws(ScheduleError) -> Int {
        if let index = words.firstIndex(of: text.uppercased()) { return range.lowerBound + index }
        guard let number = Self.digits(text), range.contains(number) else { throw error(text) }
        return number
    }

    /// Plain digits: no sign, and no more than a year has.
    static func digits(_ text: Substring) -> Int? {
        guard (1...4).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(text)
    }

    func error(_ text: Substring) -> ScheduleError {
        ScheduleError(
            "\"\(text)\" cannot stand in the field for the \(name): it takes \(range.lowerBound) to \(range.upperBound)"
                + (words.isEmpty ? "" : " or \(words[0]) to \(words.last!)")
                + ", lists (1,2), spans (1-5), steps (0/15) and *")
    }
}

/// Why a text is no schedule.
struct ScheduleError: Error, Hashable, CustomStringConvertible {
    var description: String

    init(_ description: String) { self.description = description }
}
