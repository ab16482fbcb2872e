/// A `traceparent`, read as https://www.w3.org/TR/trace-context-1/#traceparent-header has it: version, trace id, span id of the
/// caller, flags.
package struct TraceParent: Hashable, Sendable {
    package var trace: TraceID
    package var span: UInt64
    package var isSampled: Bool

    /// Where a value of version 00 ends.
    private static let length = 55

    /// nil for what a receiver has to take for nothing: a form that is not the specification's, version ff, an id of zeros.
    ///
    /// A higher version may be longer, and is read by the places of version 00; of its flags only "sampled" counts.
    package init?(_ text: String) {
        let read: TraceParent?? = text.utf8.withContiguousStorageIfAvailable { Self.read($0) }
        guard let found = read ?? Array(text.utf8).withUnsafeBufferPointer({ Self.read($0) }) else { return nil }
        self = found
    }

    private init(trace: TraceID, span: UInt64, isSampled: Bool) {
        self.trace = trace
        self.span = span
        self.isSampled = isSampled
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> TraceParent? {
        let dash = UInt8(ascii: "-")
        guard bytes.count >= length, bytes[2] == dash, bytes[35] == dash, bytes[52] == dash,
            let version = HexText.number(bytes[0..<2]), version != 0xFF,
            version == 0 ? bytes.count == length : bytes.count == length || bytes[length] == dash,
            let high = HexText.number(bytes[3..<19]), let low = HexText.number(bytes[19..<35]), high | low != 0,
            let span = HexText.number(bytes[36..<52]), span != 0, let flags = HexText.number(bytes[53..<55])
        else { return nil }
        return TraceParent(trace: TraceID(high: high, low: low), span: span, isSampled: flags & 1 == 1)
    }
}
