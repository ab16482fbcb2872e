/// Sizes of images as Docker writes them (HumanSize of its units package): three digits, powers of 1000.
enum DecimalSize {
    private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

    /// "0B", "4.27MB", "123MB", "1.1GB".
    static func text(_ bytes: Int) -> String {
        // In hundredths of the unit, so that no digit depends on binary fractions.
        var unit = 0
        var divisor = 1
        while bytes / divisor >= 1000, unit < units.count - 1 {
            divisor *= 1000
            unit += 1
        }
        var hundredths = rounded(bytes, divisor)
        if hundredths >= 100_000, unit < units.count - 1 {
            unit += 1
            divisor *= 1000
            hundredths = rounded(bytes, divisor)
        }
        return digits(hundredths) + units[unit]
    }

    /// `bytes / divisor` in hundredths, rounded to three digits.
    private static func rounded(_ bytes: Int, _ divisor: Int) -> Int {
        let whole = bytes / divisor
        let step = whole >= 100 ? 100 : whole >= 10 ? 10 : 1
        let product = (bytes % divisor).multipliedFullWidth(by: 100)
        let hundredths = whole * 100 + divisor.dividingFullWidth(product).quotient
        return (hundredths + step / 2) / step * step
    }

    private static func digits(_ hundredths: Int) -> String {
        let whole = "\(hundredths / 100)"
        let fraction = hundredths % 100
        if fraction == 0 { return whole }
        if fraction % 10 == 0 { return "\(whole).\(fraction / 10)" }
        return fraction < 10 ? "\(whole).0\(fraction)" : "\(whole).\(fraction)"
    }
}
