/// Why a text is no quantity, in the words of `resource.ParseQuantity`.
package enum QuantityError: Error, Hashable, Sendable, CustomStringConvertible {
    case format
    case number
    case suffix

    package var description: String {
        switch self {
        case .format:
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
        case .number: "unable to parse numeric part of quantity"
        case .suffix: "unable to parse quantity's suffix"
        }
    }
}

extension Quantity {
    /// Reads a quantity as `resource.ParseQuantity` does: fractions below a billionth are rounded away from zero.
    /// - Throws: `QuantityError`; `.number` also for decimals beyond 1e29, which Kubernetes would keep.
    package init(_ text: String) throws(QuantityError) {
        let parts = try QuantityParts(text)
        let unit = try QuantityUnit(parts.suffix)
        var format = unit.format
        let size: Int128
        switch unit.size {
        case .power10(let exponent): size = try parts.decimal(exponent: exponent)
        case .power2(let exponent):
            size = parts.binary(exponent: exponent)
            if size > 0, size < Self.unit { format = .decimalSI }
        }
        self.init(billionths: parts.isNegative ? -size : size, format: format)
    }
}

/// A text taken apart: `[+-] whole [. fraction] suffix`.
private struct QuantityParts {
    var isNegative = false
    var whole: [UInt8] = []
    var fraction: [UInt8] = []
    var suffix = ""

    init(_ text: String) throws(QuantityError) {
        var rest = Array(text.utf8)[...]
        guard let first = rest.first else { throw .format }
        if first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
            isNegative = first == UInt8(ascii: "-")
            rest.removeFirst()
        }
        whole = Self.digits(&rest)
        if rest.first == UInt8(ascii: ".") {
            rest.removeFirst()
            fraction = Self.digits(&rest)
        }
        let start = rest
        while let letter = rest.first, "eEinumkKMGTP".utf8.contains(letter) { rest.removeFirst() }
        if let sign = rest.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { rest.removeFirst() }
        _ = Self.digits(&rest)
        guard rest.isEmpty else { throw .format }
        suffix = String(decoding: start, as: UTF8.self)
    }

    private static func digits(_ rest: inout ArraySlice<UInt8>) -> [UInt8] {
        let digits = rest.prefix { (0x30...0x39).contains($0) }
        rest = rest[digits.endIndex...]
        return digits.map { $0 - 0x30 }
    }

    /// The number times a power of ten, in billionths, rounded up.
    func decimal(exponent: Int) throws(QuantityError) -> Int128 {
        let digits = Array((whole + fraction).drop { $0 == 0 })
        guard !digits.isEmpty else { return 0 }
        let shift = exponent - fraction.count + 9
        guard digits.count + shift <= 38 else { throw .number }
        let kept = max(0, min(digits.count, digits.count + shift))
        var value: Int128 = 0
        for digit in digits[..<kept] { value = value * 10 + Int128(digit) }
        if digits[kept...].contains(where: { $0 != 0 }) { value += 1 }
        for _ in 0..<max(0, shift) { value *= 10 }
        return value
    }

    /// The number times a power of two, in billionths, rounded up and cut down to the largest.
    func binary(exponent: Int) -> Int128 {
        let limit = Int128(Int64.max)
        var value: Int128 = 0
        for digit in whole {
            value = value * 10 + Int128(digit)
            if value > limit { return Quantity.largestBinary }
        }
        // 18 decimals are as many as times 2^60 leave room; of the rest it only counts whether there is one.
        var part: Int128 = 0
        for index in 0..<18 { part = part * 10 + Int128(index < fraction.count ? fraction[index] : 0) }
        let hasRest = fraction.dropFirst(18).contains { $0 != 0 }
        let (quotient, remainder) = (part << Int128(exponent)).quotientAndRemainder(dividingBy: 1_000_000_000)
        let billionths = (value << Int128(exponent)) * Quantity.unit + quotient + (remainder != 0 || hasRest ? 1 : 0)
        return min(billionths, Quantity.largestBinary)
    }
}

/// What a suffix multiplies by.
private struct QuantityUnit {
    enum Size {
        case power10(Int)
        case power2(Int)
    }

    var size: Size
    var format: Quantity.Format

    init(_ suffix: String) throws(QuantityError) {
        if let index = Quantity.decimalSuffixes.firstIndex(of: suffix) {
            size = .power10(index * 3 - 9)
            format = .decimalSI
        } else if let index = Quantity.binarySuffixes.firstIndex(of: suffix) {
            size = .power2(index * 10)
            format = .binarySI
        } else if suffix.first == "e" || suffix.first == "E", let exponent = Int(suffix.dropFirst()) {
            // Beyond this the number is too large, or rounds up to a billionth, whatever its digits are.
            size = .power10(max(-1_000_000, min(1_000_000, exponent)))
            format = .decimalExponent
        } else {
            throw .suffix
        }
    }
}
