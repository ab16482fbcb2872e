/// Amounts of memory as Docker writes them (RAMInBytes of its units package): a number, an optional unit b, k,
/// m, g, t or p, each with an optional "b" or "ib". Every unit is a power of 1024: "1GB" is "1GiB" is "1g".
enum ByteAmount {
    /// The number of bytes; nil when the text is no such amount or does not fit 63 bits.
    static func parse(_ text: String) -> Int? {
        var rest = text.lowercased()[...]
        let whole = take(&rest) { $0.isASCII && $0.isNumber }
        guard !whole.isEmpty else { return nil }
        var fraction: Substring = ""
        if rest.first == "." {
            rest.removeFirst()
            fraction = take(&rest) { $0.isASCII && $0.isNumber }
            guard !fraction.isEmpty else { return nil }
        }
        if rest.first == " " { rest.removeFirst() }
        guard let unit = multiplier(rest) else { return nil }
        guard let units = Int(whole) else { return nil }
        let (bytes, overflow) = units.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        guard !fraction.isEmpty else { return bytes }
        guard let part = Double("0." + fraction) else { return nil }
        let (sum, tooMuch) = bytes.addingReportingOverflow(Int(part * Double(unit)))
        return tooMuch ? nil : sum
    }

    /// The amount that `flag` gives.
    static func parse(_ text: String, flag: String) throws(FlagError) -> Int {
        guard let bytes = parse(text) else {
            throw FlagError(
                flag, text, "not an amount of memory", advice: "Write a number and a unit: 512m, 2g, 1.5GiB.")
        }
        return bytes
    }

    private static func multiplier(_ suffix: Substring) -> Int? {
        var suffix = suffix
        var unit = 1
        if let first = suffix.first, let power = ["k": 1, "m": 2, "g": 3, "t": 4, "p": 5][first] {
            suffix.removeFirst()
            for _ in 0..<power { unit *= 1024 }
            return ["", "b", "ib"].contains(suffix) ? unit : nil
        }
        return ["", "b"].contains(suffix) ? unit : nil
    }

    private static func take(_ text: inout Substring, while wanted: (Character) -> Bool) -> Substring {
        let part = text.prefix(while: wanted)
        text = text[part.endIndex...]
        return part
    }
}

/// Amounts of CPU: a decimal number of processors, down to a thousandth.
enum CPUAmount {
    /// Thousandths of a processor; nil for what is no positive decimal number.
    static func parse(_ text: String) -> Int? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }) else { return nil }
        guard parts.contains(where: { !$0.isEmpty }) else { return nil }
        guard let whole = parts[0].isEmpty ? 0 : Int(parts[0]), whole <= 1_000_000 else { return nil }
        var thousandths = 0
        if parts.count == 2 {
            // A finer fraction is refused rather than rounded: nobody would see that it was.
            guard parts[1].dropFirst(3).allSatisfy({ $0 == "0" }) else { return nil }
            let digits = parts[1].prefix(3)
            thousandths = (Int(digits) ?? 0) * [1: 100, 2: 10][digits.count, default: 1]
        }
        let amount = whole * 1000 + thousandths
        return amount > 0 ? amount : nil
    }

    /// The amount that `flag` gives.
    static func parse(_ text: String, flag: String) throws(FlagError) -> Int {
        guard let amount = parse(text) else {
            throw FlagError(
                flag, text, "not an amount of CPU",
                advice: "Write a number of processors above 0 with at most three decimals: 2, 1.5, 0.125.")
        }
        return amount
    }
}
