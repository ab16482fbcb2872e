/// Why bytes are no protobuf message of their type.
package struct ProtobufError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}

/// Reads the wire format of protocol buffers: tags, varints, lengths.
///
/// Invariant: any bytes give values or an error. (`no bytes trap the decoder`)
struct ProtobufReader {
    /// How a field's value is delimited.
    enum Wire: UInt64 {
        case varint = 0
        case fixed64 = 1
        case bytes = 2
        case fixed32 = 5
    }

    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    /// The next field's number and wire; nil at the end.
    mutating func tag() throws(ProtobufError) -> (number: Int, wire: Wire)? {
        guard !rest.isEmpty else { return nil }
        let tag = try varint()
        guard let wire = Wire(rawValue: tag & 7) else { throw ProtobufError("proto: illegal wireType \(tag & 7)") }
        guard let number = Int(exactly: tag >> 3), number > 0, number < 1 << 29 else {
            throw ProtobufError("proto: illegal tag \(tag >> 3)")
        }
        return (number, wire)
    }

    mutating func varint() throws(ProtobufError) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = rest.popFirst() else { throw Self.end }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        throw ProtobufError("proto: integer overflow")
    }

    mutating func bytes() throws(ProtobufError) -> ArraySlice<UInt8> {
        let length = try varint()
        guard length <= UInt64(rest.count) else { throw Self.end }
        return take(Int(length))
    }

    mutating func fixed(_ size: Int) throws(ProtobufError) -> UInt64 {
        guard rest.count >= size else { throw Self.end }
        return take(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func skip(_ wire: Wire) throws(ProtobufError) {
        switch wire {
        case .varint: _ = try varint()
        case .fixed64: _ = try fixed(8)
        case .bytes: _ = try bytes()
        case .fixed32: _ = try fixed(4)
        }
    }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8> {
        let taken = rest.prefix(count)
        rest = rest.dropFirst(count)
        return taken
    }

    private static let end = ProtobufError("unexpected EOF")
}
