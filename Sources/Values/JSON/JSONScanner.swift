/// A position in JSON text, and what can be read there: white space, words, strings, numbers.
///
/// The buffer outlives the scanner: both live inside one call of `withUnsafeBufferPointer`.
struct JSONScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    /// The next byte; 0, which begins nothing in JSON, at the end.
    var peek: UInt8 { at < bytes.count ? bytes[at] : 0 }

    /// How many bytes have been read.
    var offset: Int { at }

    mutating func skip(_ count: Int) { at += count }

    /// Takes the next byte if it is this one.
    mutating func take(_ byte: UInt8) -> Bool {
        guard peek == byte, !isAtEnd else { return false }
        at += 1
        return true
    }

    mutating func skipSpace() {
        while at < bytes.count {
            switch bytes[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    func error(expected: String, found: String? = nil, at offset: Int? = nil) -> JSONError {
        JSONError(at: offset ?? at, in: bytes, expected: expected, found: found)
    }

    /// "true", "false" or "null", whose first letter has been seen.
    mutating func word(_ word: StaticString) throws(JSONError) {
        for letter in UnsafeBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount) {
            guard take(letter) else { throw error(expected: "\(word)") }
        }
    }

    // MARK: Numbers

    /// A number, RFC 8259 section 6.
    mutating func number() throws(JSONError) -> JSONValue {
        let start = at
        let isNegative = take(UInt8(ascii: "-"))
        let digitsStart = at
        var magnitude: UInt64 = 0
        var isInteger = true
        while let digit = digit() {
            let (product, overflow) = magnitude.multipliedReportingOverflow(by: 10)
            let (sum, overflow2) = product.addingReportingOverflow(UInt64(digit))
            magnitude = sum
            if overflow || overflow2 { isInteger = false }
            at += 1
        }
        guard at > digitsStart else { throw error(expected: "a digit") }
        if bytes[digitsStart] == UInt8(ascii: "0"), at > digitsStart + 1 {
            throw error(expected: "no digit after a leading zero", at: digitsStart + 1)
        }
        if take(UInt8(ascii: ".")) {
            isInteger = false
            try digits()
        }
        if peek | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            at += 1
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try digits()
        }
        if isInteger, let value = Self.integer(isNegative, magnitude) { return .integer(value) }
        return .number(JSONNumber(checked: String(decoding: bytes[start..<at], as: UTF8.self)))
    }

    /// "-0" is no integer here: Int64 has no negative zero, and what was written would be lost.
    private static func integer(_ isNegative: Bool, _ magnitude: UInt64) -> Int64? {
        guard isNegative else { return Int64(exactly: magnitude) }
        guard magnitude != 0, magnitude <= Int64.min.magnitude else { return nil }
        return Int64(truncatingIfNeeded: 0 &- magnitude)
    }

    private mutating func digits() throws(JSONError) {
        guard digit() != nil else { throw error(expected: "a digit") }
        while digit() != nil { at += 1 }
    }

    private func digit() -> UInt8? {
        let digit = peek &- UInt8(ascii: "0")
        return digit <= 9 ? digit : nil
    }

    // MARK: Strings

    /// A string, at whose opening quotation mark the scanner stands.
    mutating func string() throws(JSONError) -> String { try name().text }

    /// A member's name, with the mark by which objects look it up.
    mutating func name() throws(JSONError) -> (text: String, mark: UInt32) {
        at += 1
        let start = at
        let isASCII = plainRun()
        guard peek == UInt8(ascii: "\""), !isAtEnd else { return try escapedString(from: start) }
        let run = UnsafeBufferPointer(rebasing: bytes[start..<at])
        at += 1
        return (try text(of: run, isASCII: isASCII, startingAt: start), JSONObject.mark(run))
    }

    /// The bytes of a member's name when they are all that stands between its quotation marks, as they nearly always are;
    /// else nil, and nothing is read.
    mutating func plainName() -> UnsafeBufferPointer<UInt8>? {
        let before = at
        at += 1
        let isASCII = plainRun()
        guard isASCII, peek == UInt8(ascii: "\""), !isAtEnd else {
            at = before
            return nil
        }
        at += 1
        return UnsafeBufferPointer(rebasing: bytes[before + 1..<at - 1])
    }

    // MARK: Passing over

    /// Goes behind a value of valid JSON; of others only brackets and strings are looked at.
    mutating func skipValue() throws(JSONError) {
        var depth = 0
        repeat {
            switch peek {
            case UInt8(ascii: "\""): try skipString()
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}") where depth > 0, UInt8(ascii: "]") where depth > 0:
                depth -= 1
                at += 1
            case UInt8(ascii: ",") where depth > 0, UInt8(ascii: ":") where depth > 0: at += 1
            default: try skipWord()
            }
        } while depth > 0
    }

    private mutating func skipString() throws(JSONError) {
        at += 1
        while true {
            _ = plainRun()
            guard !isAtEnd else { throw error(expected: "the end of the string, a quotation mark") }
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return
            case UInt8(ascii: "\\"): at = min(at + 2, bytes.count)
            default: throw error(expected: "an escape in place of a control character in a string")
            }
        }
    }

    /// A number, a word, or white space.
    private mutating func skipWord() throws(JSONError) {
        let start = at
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "}"), UInt8(ascii: "]"),
                UInt8(ascii: ","), UInt8(ascii: ":"):
                guard at > start else { throw error(expected: "a value") }
                return
            default: at += 1
            }
        }
        guard at > start else { throw error(expected: "a value") }
    }

    // MARK: Runs

    /// Goes on to the next quotation mark, backslash or control character (or the end), eight bytes at a time;
    /// returns whether all before it was ASCII.
    private mutating func plainRun() -> Bool {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var seen: UInt64 = 0
        let raw = UnsafeRawBufferPointer(bytes)
        while at + 8 <= bytes.count {
            let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: at, as: UInt64.self))
            let quote = word ^ (ones &* 0x22)
            let backslash = word ^ (ones &* 0x5C)
            // The lowest top bit set marks the first byte that is zero (or below 0x20): "Bit Twiddling Hacks",
            // "Determine if a word has a byte less than n". Those above it may be false.
            let stops =
                ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash | (word &- ones &* 0x20) & ~word) & tops
            guard stops == 0 else {
                let count = stops.trailingZeroBitCount / 8
                seen |= word & ((1 << UInt64(count * 8)) &- 1)
                at += count
                return seen & tops == 0
            }
            seen |= word
            at += 8
        }
        while at < bytes.count, bytes[at] >= 0x20, bytes[at] != 0x22, bytes[at] != 0x5C {
            seen |= UInt64(bytes[at])
            at += 1
        }
        return seen & tops == 0
    }

    /// The rest of a string in which something other than plain characters has been met.
    private mutating func escapedString(from start: Int) throws(JSONError) -> (text: String, mark: UInt32) {
        var result = Array(bytes[start..<at])
        while true {
            guard !isAtEnd else { throw error(expected: "the end of the string, a quotation mark") }
            switch bytes[at] {
            case UInt8(ascii: "\""):
                at += 1
                return try result.withUnsafeBufferPointer { result throws(JSONError) in
                    (try text(of: result, isASCII: false, startingAt: start), JSONObject.mark(result))
                }
            case UInt8(ascii: "\\"): try escape(into: &result)
            case ..<0x20: throw error(expected: "an escape in place of a control character in a string")
            default:
                let runStart = at
                _ = plainRun()
                result += bytes[runStart..<at]
            }
        }
    }

    private mutating func escape(into result: inout [UInt8]) throws(JSONError) {
        at += 1
        switch peek {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): result.append(peek)
        case UInt8(ascii: "b"): result.append(0x08)
        case UInt8(ascii: "f"): result.append(0x0C)
        case UInt8(ascii: "n"): result.append(0x0A)
        case UInt8(ascii: "r"): result.append(0x0D)
        case UInt8(ascii: "t"): result.append(0x09)
        case UInt8(ascii: "u"):
            at += 1
            result.append(contentsOf: Unicode.UTF8.encode(try escapedScalar())!)
            return
        default: throw error(expected: "an escape: one of \" \\ / b f n r t u")
        }
        at += 1
    }

    /// The four digits after "\u", and the second half where they are the first of a surrogate pair.
    private mutating func escapedScalar() throws(JSONError) -> Unicode.Scalar {
        let start = at
        let unit = try hexUnit()
        if let scalar = Unicode.Scalar(unit) { return scalar }
        guard unit < 0xDC00 else {
            throw error(expected: "a character", found: "the second half of a surrogate pair alone", at: start)
        }
        let second = at
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
            throw error(expected: "the second half of a surrogate pair", at: second)
        }
        let low = try hexUnit()
        guard 0xDC00...0xDFFF ~= low else {
            throw error(expected: "the second half of a surrogate pair", found: "another character", at: second)
        }
        return Unicode.Scalar(0x10000 + (UInt32(unit) - 0xD800) << 10 + (UInt32(low) - 0xDC00))!
    }

    private mutating func hexUnit() throws(JSONError) -> UInt16 {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            let value: UInt8
            switch peek {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = peek - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = peek - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): value = peek - UInt8(ascii: "A") + 10
            default: throw error(expected: "a hexadecimal digit")
            }
            unit = unit << 4 | UInt16(value)
            at += 1
        }
        return unit
    }

    private func text(
        of run: UnsafeBufferPointer<UInt8>, isASCII: Bool, startingAt start: Int
    ) throws(JSONError) -> String {
        // Decoding repairs what is invalid; of ASCII there is nothing to repair.
        if isASCII { return String(decoding: run, as: UTF8.self) }
        if let text = String(validating: run, as: UTF8.self) { return text }
        throw error(expected: "valid UTF-8", at: firstInvalidByte(from: start))
    }

    /// The first byte at or after `start` that begins no valid UTF-8 sequence.
    private func firstInvalidByte(from start: Int) -> Int {
        var decoder = Unicode.UTF8.ForwardParser()
        var rest = bytes[start...].makeIterator()
        var offset = start
        while case .valid(let sequence) = decoder.parseScalar(from: &rest) { offset += sequence.count }
        return offset
    }
}
