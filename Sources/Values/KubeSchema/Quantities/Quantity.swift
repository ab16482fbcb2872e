/// An amount of a resource with its unit, as `resource.Quantity` in k8s.io/apimachinery: "100m", "1.5Gi", "2e3".
///
/// Kept as a whole number of billionths, since Kubernetes rounds up to them: sums and comparisons are exact.
///
/// Invariants (tests in QuantityTests):
/// 1. The canonical form reads back as the same quantity and is its own canonical form.
///    (`the canonical form is a fixed point`)
/// 2. No text traps. (`no text traps, and what reads is written`)
/// 3. Order and addition are those of the numbers. (`sums and order are those of numbers`)
package struct Quantity: Sendable {
    /// How it is written.
    package enum Format: Hashable, Sendable {
        /// 12e6
        case decimalExponent
        /// 12M
        case decimalSI
        /// 12Mi
        case binarySI
    }

    package private(set) var billionths: Int128
    package private(set) var format: Format

    package static let zero = Quantity(billionths: 0, format: .decimalSI)

    /// The largest amount in binary units; more is cut down to it (`maxAllowed`).
    static let largestBinary = Int128(Int64.max) * unit
    static let unit: Int128 = 1_000_000_000

    init(billionths: Int128, format: Format) {
        self.billionths = billionths
        self.format = format
    }

    package init(_ whole: Int64, format: Format = .decimalSI) {
        self.init(billionths: Int128(whole) * Self.unit, format: format)
    }

    package init(thousandths: Int64) {
        self.init(billionths: Int128(thousandths) * (Self.unit / 1000), format: .decimalSI)
    }

    /// The whole number, rounded away from zero; what does not fit Int64 is its bound.
    package var value: Int64 { scaled(to: Self.unit) }
    /// Thousandths, rounded likewise: CPU time is counted in these.
    package var milliValue: Int64 { scaled(to: Self.unit / 1000) }
    package var isZero: Bool { billionths == 0 }
    package var isNegative: Bool { billionths < 0 }
    package var isWhole: Bool { billionths % Self.unit == 0 }

    private func scaled(to size: Int128) -> Int64 {
        let (quotient, rest) = billionths.quotientAndRemainder(dividingBy: size)
        return Int64(clamping: quotient + rest.signum())
    }

    /// The sum stays at the bounds of Int128, 1.7e29, which no texts that are summed up reach.
    package static func + (a: Quantity, b: Quantity) -> Quantity {
        let (sum, overflow) = a.billionths.addingReportingOverflow(b.billionths)
        let bound = a.billionths < 0 ? Int128.min + 1 : Int128.max
        return Quantity(billionths: overflow ? bound : sum, format: a.isZero ? b.format : a.format)
    }

    package static func - (a: Quantity, b: Quantity) -> Quantity { a + -b }

    package static prefix func - (a: Quantity) -> Quantity {
        Quantity(billionths: a.billionths == .min ? .max : -a.billionths, format: a.format)
    }
}

extension Quantity: Comparable, Hashable {
    /// 1024 and 1Ki are equal: how a quantity is written does not count.
    package static func == (a: Quantity, b: Quantity) -> Bool { a.billionths == b.billionths }
    package static func < (a: Quantity, b: Quantity) -> Bool { a.billionths < b.billionths }
    package func hash(into hasher: inout Hasher) { hasher.combine(billionths) }
}

extension Quantity: CustomStringConvertible {
    /// The canonical form: no fraction, the largest unit that leaves none, binary units from 1024 on.
    package var description: String {
        guard billionths != 0 else { return "0" }
        if format == .binarySI, billionths.magnitude >= (1024 * Self.unit).magnitude, isWhole { return binaryText }
        var mantissa = billionths
        var exponent = -9
        while mantissa % 1000 == 0, exponent < 18 || format == .decimalExponent {
            mantissa /= 1000
            exponent += 3
        }
        let suffix =
            switch format {
            case .decimalExponent: exponent == 0 ? "" : "e\(exponent)"
            case .decimalSI, .binarySI: Self.decimalSuffixes[(exponent + 9) / 3]
            }
        return "\(mantissa)\(suffix)"
    }

    private var binaryText: String {
        var mantissa = billionths / Self.unit
        var steps = 0
        while mantissa % 1024 == 0, steps < Self.binarySuffixes.count - 1 {
            mantissa /= 1024
            steps += 1
        }
        return "\(mantissa)\(Self.binarySuffixes[steps])"
    }

    static let decimalSuffixes = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"]
    static let binarySuffixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]
}
