/// Sizes of images as Docker writes them (HumanSize of its units package): three digits, powers of 1000.
enum DecimalSize {
    private static let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]

    /// "0B", "4.27MB", "123MB", "1.1GB".
    static func text(_ bytes: Int) -> String {
        var unit = 0
        var divisor = 1
        while bytes / divisor >= 1000, unit < units.count - 1 {
            divisor *= 1000
            unit += 1
        }
        let thousandths = rounded(bytes, divisor)
        // Rounded up to a thousand: one of the next unit.
        if thousandths >= 1_000_000, unit < units.count - 1 { return "1" + units[unit + 1] }
        return digits(thousandths / 10) + units[unit]
    }

    /// `bytes / divisor` in thousandths, rounded to three digits. In whole numbers: no digit depends on binary fractions.
    private static func rounded(_ bytes: Int, _ divisor: Int) -> Int {
        let whole = bytes / divisor
        let step = whole >= 100 ? 1000 : whole >= 10 ? 100 : 10
        let product = (bytes % divisor).multipliedFullWidth(by: 1000)
        let thousandths = whole * 1000 + divisor.dividingFullWidth(product).quotient
        return (thousandths + step / 2) / step * step
    }

    private static func digits(_ hundredths: Int) -> String {
        let whole = "\(hundredths / 100)"
        let fraction = hundredths % 100
        if fraction == 0 { return whole }
        if fraction % 10 == 0 { return "\(whole).\(fraction / 10)" }
        return fraction < 10 ? "\(whole).0\(fraction)" : "\(whole).\(fraction)"
    }
}
