/// A number that is no Int64, as it was written: "0.10", "1e400", "18446744073709551616".
///
/// Money travels through JSON as decimals; a detour through Double would change some of them.
package struct JSONNumber: Hashable, Sendable {
    /// The digits, a number by the grammar of RFC 8259 section 6.
    package let text: String

    /// The scanner has checked the grammar, and that it is no Int64.
    init(checked text: String) { self.text = text }

    /// The shortest decimal that reads back as the same Double.
    ///
    /// JSON has no infinity and no not-a-number: passing one is a programmer error.
    package init(_ value: Double) {
        precondition(value.isFinite, "JSON has no way to write \(value)")
        text = value.description
    }

    /// The nearest Double; infinite when the number is beyond its range.
    package var double: Double { Double(text)! }
}

extension JSONValue {
    /// The number that `text` writes, in its one form; nil when it writes none.
    package init?(numberText text: String) {
        let bytes = Array(text.utf8)
        let value = bytes.withUnsafeBufferPointer { bytes -> JSONValue? in
            var scanner = JSONScanner(bytes)
            guard let value = try? scanner.number(), scanner.isAtEnd else { return nil }
            return value
        }
        guard let value else { return nil }
        self = value
    }
}
