/// An amount of money per unit, exact: whole picos (10^-12) of the currency.
package struct Price: Hashable, Sendable, CustomStringConvertible {
    /// Decimals that a price may have.
    package static let decimals = 12
    /// The highest price: more for a unit of these is a slip of the pen.
    static let highest = 1_000_000

    package var picos: Int

    package init(picos: Int) { self.picos = picos }

    /// Reads a decimal such as "0.0000166667" or "2e-7". nil: it is none, is negative, has more than 12 decimals or is
    /// above 1,000,000.
    package init?(_ text: String) {
        guard let decimal = Decimal(text) else { return nil }
        // Zeros at the end say nothing.
        var (digits, exponent) = (decimal.digits, decimal.exponent)
        while digits.last == 0 {
            digits.removeLast()
            exponent += 1
        }
        guard !digits.isEmpty else {
            picos = 0
            return
        }
        guard exponent >= -Self.decimals, digits.count + exponent <= 7 else { return nil }
        let scaled = digits + Array(repeating: 0, count: exponent + Self.decimals)
        picos = scaled.reduce(0) { $0 * 10 + $1 }
        guard picos <= Self.highest * 1_000_000_000_000 else { return nil }
    }

    package var description: String { Money.text(Int128(picos), decimals: Self.decimals, atLeast: 0) }

    /// The digits of a decimal, without leading zeros, and the power of ten of the last.
    private struct Decimal {
        var digits: [Int] = []
        var exponent = 0

        init?(_ text: String) {
            let parts = text.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
            guard (1...2).contains(parts.count) else { return nil }
            let mantissa = parts[0].split(separator: ".", omittingEmptySubsequences: false)
            guard (1...2).contains(mantissa.count), mantissa.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy(Self.isDigit) })
            else { return nil }
            digits = mantissa.joined().utf8.map { Int($0) - 0x30 }
            digits.removeFirst(digits.prefix { $0 == 0 }.count)
            if mantissa.count == 2 { exponent = -mantissa[1].utf8.count }
            guard parts.count == 2 else { return }
            guard let power = Int(parts[1]), abs(power) <= 100 else { return nil }
            exponent += power
        }

        private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    }
}

/// A sum of money, exact: what prices times quantities give, before anything is rounded.
package struct Money: Hashable, Sendable {
    /// MB milliseconds in a GB second.
    static let megabyteMillisecondsPerGBSecond: Int128 = 1024 * 1000
    /// Decimals that are shown.
    package static let shownDecimals = 9

    /// In units of 10^-12 of the currency, divided by `megabyteMillisecondsPerGBSecond`.
    private(set) var parts: Int128 = 0

    package init() {}

    package mutating func add(_ price: Price, times count: Int) {
        let picos = Int128(price.picos) * Int128(count)
        parts = parts.clampedAdding(picos.clampedMultiplying(by: Self.megabyteMillisecondsPerGBSecond))
    }

    /// A price per GB second times MB milliseconds.
    package mutating func add(_ price: Price, megabyteMilliseconds: Int) {
        parts = parts.clampedAdding(Int128(price.picos) * Int128(megabyteMilliseconds))
    }

    package static func + (a: Money, b: Money) -> Money {
        var sum = a
        sum.parts = a.parts.clampedAdding(b.parts)
        return sum
    }

    /// As a decimal with nine places, a half rounded up.
    package var text: String {
        let unit = Self.megabyteMillisecondsPerGBSecond * 1000
        let (whole, rest) = parts.quotientAndRemainder(dividingBy: unit)
        return Self.text(rest * 2 >= unit ? whole + 1 : whole, decimals: Self.shownDecimals, atLeast: Self.shownDecimals)
    }

    /// A whole number of 10^-decimals as a decimal, without zeros at its end beyond `atLeast` places.
    static func text(_ number: Int128, decimals: Int, atLeast: Int) -> String {
        var digits = Array(String(number).utf8)
        if digits.count <= decimals { digits = Array(repeating: 0x30, count: decimals + 1 - digits.count) + digits }
        var fraction = Array(digits.suffix(decimals))
        while fraction.count > atLeast, fraction.last == 0x30 { fraction.removeLast() }
        let whole = String(decoding: digits.dropLast(decimals), as: UTF8.self)
        return fraction.isEmpty ? whole : whole + "." + String(decoding: fraction, as: UTF8.self)
    }
}
