internal import Glibc

/// What an axis measures, which decides its units, what is a round number of it, and how it is written.
package enum PlotQuantity: Hashable, Sendable {
    /// Nanoseconds.
    case duration
    /// Bytes; powers of two are round.
    case bytes
    /// A number per second.
    case rate
    case count
    /// A fraction from 0 to 1.
    case percentile
    /// Seconds since 1970, in UTC.
    case clock

    /// The size of a unit and what is written behind its number.
    struct Unit: Hashable, Sendable {
        var size: Double
        var name: String
    }

    /// The unit in which a number of this magnitude is short.
    func unit(for magnitude: Double) -> Unit {
        let units: [Unit] =
            switch self {
            case .duration:
                [
                    Unit(size: 1e9, name: " s"), Unit(size: 1e6, name: " ms"), Unit(size: 1e3, name: " µs"),
                    Unit(size: 1, name: " ns"),
                ]
            case .bytes:
                [
                    Unit(size: 0x1p40, name: " TiB"), Unit(size: 0x1p30, name: " GiB"),
                    Unit(size: 0x1p20, name: " MiB"),
                    Unit(size: 0x1p10, name: " KiB"), Unit(size: 1, name: " B"),
                ]
            case .rate: [Unit(size: 1e6, name: " M/s"), Unit(size: 1, name: "/s")]
            case .count: [Unit(size: 1e6, name: " M"), Unit(size: 1, name: "")]
            case .percentile: [Unit(size: 0.01, name: " %")]
            case .clock: [Unit(size: 1, name: "")]
            }
        return units.first { magnitude.magnitude >= $0.size } ?? units[units.count - 1]
    }

    /// A value of an axis whose values are `step` apart, in a unit; exact for multiples of the step.
    func text(_ value: Double, in unit: Unit, step: Double) -> String {
        if self == .clock { return ClockText.text(value, step: step) }
        if value == 0 && self != .percentile { return "0" }
        return DecimalText.fixed(value / unit.size, decimals: Self.decimals(of: step / unit.size)) + unit.name
    }

    /// The decimals that a number needs, at most 6.
    static func decimals(of number: Double) -> Int {
        var scaled = number
        for decimals in 0..<6 {
            if abs(scaled - scaled.rounded()) < 1e-6 * max(1, abs(scaled)) { return decimals }
            scaled *= 10
        }
        return 6
    }

    /// The round step that divides a range into about `parts` parts, never more.
    func step(over range: Double, parts: Int) -> Double {
        precondition(parts > 0, "a range has parts")
        let least = range / Double(parts)
        guard least > 0, least.isFinite else { return 1 }
        switch self {
        case .bytes: return max(1, exp2(log2(least).rounded(.up)))
        case .clock: return ClockText.steps.first { $0 >= least } ?? (least / 86_400).rounded(.up) * 86_400
        case .count where least <= 1: return 1
        case .duration, .rate, .count, .percentile:
            let power = pow(10, log10(least).rounded(.down))
            return ([1, 2, 5, 10].first { $0 * power >= least * (1 - 1e-9) } ?? 10) * power
        }
    }

    /// The largest round number not above a value, on a ladder of 1, 2, 5, 10 or of powers of two.
    func rung(atMost value: Double) -> Double {
        if self == .bytes { return exp2(log2(value).rounded(.down)) }
        let power = pow(10, log10(value).rounded(.down))
        return ([5, 2, 1].first { $0 * power <= value * (1 + 1e-9) } ?? 1) * power
    }

    /// The smallest round number not below a value.
    func rung(atLeast value: Double) -> Double {
        if self == .bytes { return exp2(log2(value).rounded(.up)) }
        let power = pow(10, log10(value).rounded(.down))
        return ([1, 2, 5, 10].first { $0 * power >= value * (1 - 1e-9) } ?? 10) * power
    }
}

/// Numbers in figures, without a locale.
enum DecimalText {
    /// With exactly so many decimals and a comma between thousands.
    static func fixed(_ value: Double, decimals: Int) -> String {
        guard value.isFinite, value.magnitude < 1e12 else { return "\(value)" }
        let power = (0..<decimals).reduce(1) { product, _ in product * 10 }
        let units = Int((value.magnitude * Double(power)).rounded())
        let digits = Array(String(units / power))
        var text = value < 0 && units > 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        guard decimals > 0 else { return text }
        let fraction = String(units % power)
        return text + "." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    /// A coordinate, to a tenth: "12", "12.5".
    static func coordinate(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(sign)\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}

/// Moments, in UTC.
enum ClockText {
    /// Steps between ticks, in seconds: what divides minutes, hours and days.
    static let steps: [Double] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    ]

    /// "13:05", with seconds where steps are shorter than a minute, "11-30" where they are days.
    static func text(_ seconds: Double, step: Double) -> String {
        guard seconds.magnitude < 1e12 else { return "\(seconds)" }
        let whole = Int(seconds.rounded(.down))
        let day = whole >= 0 ? whole / 86_400 : (whole - 86_399) / 86_400
        let time = whole - day * 86_400
        if step >= 86_400 {
            let (month, dayOfMonth) = monthAndDay(day)
            return two(month) + "-" + two(dayOfMonth)
        }
        let text = two(time / 3600) + ":" + two(time / 60 % 60)
        return step < 60 ? text + ":" + two(time % 60) : text
    }

    /// The civil date of a day since 1970: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
    static func monthAndDay(_ days: Int) -> (month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let year = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let month = (5 * dayOfYear + 2) / 153
        return (month < 10 ? month + 3 : month - 9, dayOfYear - (153 * month + 2) / 5 + 1)
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
