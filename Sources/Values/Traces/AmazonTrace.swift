/// An `X-Amzn-Trace-Id`: `Root=1-TIME-REST;Parent=SPAN;Sampled=1`, in any order, with further fields such as Self and Lineage.
package struct AmazonTrace: Hashable, Sendable {
    package var trace: TraceID
    package var parent: UInt64?
    /// nil: left to whoever reads it ("Sampled=?" or nothing).
    package var isSampled: Bool?
    /// All other fields as they came.
    package var others = ""

    /// Of the whole text; X-Ray's own bound for what is added by users is 256.
    private static let byteLimit = 1024
    /// Of the other fields together.
    private static let othersLimit = 512

    /// nil without a valid Root: what stands beside it means nothing then.
    ///
    /// A Parent or Sampled that cannot be read is as good as none.
    package init?(_ text: String) {
        guard text.utf8.count <= Self.byteLimit else { return nil }
        if let plain = text.utf8.withContiguousStorageIfAvailable({ Self.plain($0) }) ?? nil {
            (trace, parent, isSampled) = plain
            return
        }
        var root: TraceID?
        var others: [Substring] = []
        for part in text.utf8.split(separator: UInt8(ascii: ";")) {
            let field = Substring(part).trimmedBlanks
            guard let equals = field.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let (name, value) = (field[..<equals], field[field.index(after: equals)...])
            switch name {
            case "Root":
                // Two roots are no root.
                guard root == nil, let read = Self.root(value) else { return nil }
                root = read
            case "Parent": parent = Self.span(value)
            case "Sampled": isSampled = value == "1" ? true : value == "0" ? false : nil
            default: if Self.isPlain(name), Self.isPlain(value), !name.isEmpty { others.append(field) }
            }
        }
        guard let root else { return nil }
        trace = root
        while others.reduce(others.count, { $0 + $1.utf8.count }) > Self.othersLimit { others.removeLast() }
        self.others = others.joined(separator: ";")
    }

    /// Trace and span of a field as texts; nil without a valid Root.
    package static func ids(in text: String) -> (trace: String?, span: String?)? {
        guard let read = AmazonTrace(text) else { return nil }
        return (read.trace.description, read.parent.map { HexText.text($0, digits: 16) })
    }

    /// Reads "Root=1-TIME-REST", with ";Parent=SPAN" and ";Sampled=1" behind it or not, and nothing else: what nearly every field is,
    /// and every one that a `TraceContext` without other fields has written. nil: it is another, or invalid.
    private static func plain(_ bytes: UnsafeBufferPointer<UInt8>) -> (TraceID, UInt64?, Bool?)? {
        func says(_ text: StaticString, at place: Int) -> Bool {
            guard bytes.count >= place + text.utf8CodeUnitCount else { return false }
            for index in 0..<text.utf8CodeUnitCount where bytes[place + index] != text.utf8Start[index] { return false }
            return true
        }
        guard bytes.count >= 40, says("Root=1-", at: 0), bytes[15] == UInt8(ascii: "-"), let time = HexText.number(bytes[7..<15]),
            let middle = HexText.number(bytes[16..<24]), let low = HexText.number(bytes[24..<40]), time | middle | low != 0
        else { return nil }
        var (place, parent, isSampled) = (40, UInt64?.none, Bool?.none)
        if says(";Parent=", at: place), bytes.count >= place + 24 {
            guard let span = HexText.number(bytes[place + 8..<place + 24]), span != 0 else { return nil }
            parent = span
            place += 24
        }
        if says(";Sampled=1", at: place) || says(";Sampled=0", at: place) {
            isSampled = bytes[place + 9] == UInt8(ascii: "1")
            place += 10
        }
        return place == bytes.count ? (TraceID(high: time << 32 | middle, low: low), parent, isSampled) : nil
    }

    /// "1-5759e988-bd862e3fe1be46a994272793"
    private static func root(_ text: Substring) -> TraceID? {
        let bytes = Array(text.utf8)
        guard bytes.count == 35, bytes[0] == UInt8(ascii: "1"), bytes[1] == UInt8(ascii: "-"), bytes[10] == UInt8(ascii: "-")
        else { return nil }
        return bytes.withUnsafeBufferPointer { bytes in
            guard let time = HexText.number(bytes[2..<10]), let middle = HexText.number(bytes[11..<19]),
                let low = HexText.number(bytes[19..<35]), time | middle | low != 0
            else { return nil }
            return TraceID(high: time << 32 | middle, low: low)
        }
    }

    private static func span(_ text: Substring) -> UInt64? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16 else { return nil }
        let number = bytes.withUnsafeBufferPointer { HexText.number($0[0..<16]) }
        return number == 0 ? nil : number
    }

    private static func isPlain(_ text: Substring) -> Bool {
        text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "\"") }
    }
}

extension Substring {
    fileprivate var trimmedBlanks: Substring {
        var rest = self
        while rest.utf8.first == 0x20 { rest = rest.dropFirst() }
        while rest.utf8.last == 0x20 { rest = rest.dropLast() }
        return rest
    }
}
