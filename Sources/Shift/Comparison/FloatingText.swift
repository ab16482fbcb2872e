/// Numbers as people read them: two significant digits, the unit that fits, thousands grouped.
///
/// Written here because Foundation's formatting is not linked (it brings 44 MB), and so that the same
/// number reads the same in a terminal, in Markdown and in a test. Nothing depends on the locale.
package enum FloatingText {
    /// A number with exactly so many decimals, rounded half away from zero; "inf" and "nan" where it is none.
    package static func fixed(_ value: Double, decimals: Int) -> String {
        precondition((0...9).contains(decimals), "0 to 9 decimals")
        guard value.isFinite else { return value.isNaN ? "nan" : value < 0 ? "-inf" : "inf" }
        var power = 1
        for _ in 0..<decimals { power *= 10 }
        let scaled = (value.magnitude * Double(power)).rounded()
        guard scaled < 1e15 else { return "\(value)" }
        let units = Int(scaled)
        // A value that rounds to zero loses its sign: "-0.0" is nothing that anybody measured.
        let sign = value < 0 && units > 0 ? "-" : ""
        let whole = sign + grouped(units / power)
        guard decimals > 0 else { return whole }
        let digits = String(units % power)
        return whole + "." + String(repeating: "0", count: decimals - digits.count) + digits
    }

    /// A whole number with a comma between thousands: "1,234,567".
    package static func grouped(_ value: Int) -> String {
        let digits = Array(String(value.magnitude))
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// One decimal below ten, none above: "1.3", "9.9", "10", "287", "1,024".
    package static func short(_ value: Double) -> String {
        fixed(value, decimals: roundsBelowTen(value) ? 1 : 0)
    }

    /// A duration: "850 ns", "412 µs", "1.3 ms", "287 ms", "1.3 s", "2 min 5 s", "3 h 2 min".
    package static func duration(nanoseconds: Double) -> String {
        guard nanoseconds.isFinite else { return fixed(nanoseconds, decimals: 0) }
        if nanoseconds < 0 { return "-" + duration(nanoseconds: -nanoseconds) }
        if nanoseconds.rounded() < 1000 { return fixed(nanoseconds, decimals: 0) + " ns" }
        for (unit, size) in [("µs", 1e3), ("ms", 1e6)] where (nanoseconds / size).rounded() < 1000 {
            return short(nanoseconds / size) + " " + unit
        }
        let seconds = nanoseconds / 1e9
        if seconds.rounded() < 60 { return short(seconds) + " s" }
        guard seconds < 1e12 else { return fixed(seconds, decimals: 0) + " s" }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
        return "\(grouped(whole / 3600)) h \(whole % 3600 / 60) min"
    }

    /// The same of a whole number of nanoseconds.
    package static func duration(nanoseconds: Int) -> String { duration(nanoseconds: Double(nanoseconds)) }

    /// An amount of memory: "512 B", "1.4 MiB", "287 MiB".
    package static func bytes(_ count: Double) -> String {
        guard count.isFinite else { return fixed(count, decimals: 0) }
        if count < 0 { return "-" + bytes(-count) }
        if count.rounded() < 1024 { return fixed(count, decimals: 0) + " B" }
        var size = count / 1024
        for unit in ["KiB", "MiB", "GiB"] {
            if size.rounded() < 1024 { return short(size) + " " + unit }
            size /= 1024
        }
        return short(size) + " TiB"
    }

    /// The same of a whole number of bytes.
    package static func bytes(_ count: Int) -> String { bytes(Double(count)) }

    /// How often something happens: "1,234/s", "13/s", "0.5/s".
    package static func rate(perSecond: Double) -> String { short(perSecond) + "/s" }

    /// How many times as much: "×0.8", "×1.3", "×12", "×0.034".
    ///
    /// Two significant digits; below a ten-thousandth it says only that.
    package static func ratio(_ value: Double) -> String {
        guard value.isFinite, value >= 0 else { return "×" + fixed(value, decimals: 1) }
        if value == 0 { return "×0" }
        if value < 0.0001 { return "×<0.0001" }
        if value >= 0.95 { return "×" + short(value) }
        var decimals = 2
        var smallest = 0.0995
        while value < smallest {
            decimals += 1
            smallest /= 10
        }
        var text = fixed(value, decimals: decimals)
        while text.last == "0" { text.removeLast() }
        return "×" + text
    }

    // 9.96 is "10", not "10.0": what counts is the number after rounding.
    private static func roundsBelowTen(_ value: Double) -> Bool { (value.magnitude * 10).rounded() < 100 }
}
