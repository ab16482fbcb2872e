/// Writes messages in the wire format of Protocol Buffers (protobuf.dev/programming-guides/encoding): varints and
/// length-delimited fields, which is all that OpenAPI documents have, and doubles.
struct ProtobufWriter {
    private(set) var bytes: [UInt8] = []

    /// An empty string is not written, as in proto3.
    mutating func string(_ number: Int, _ text: String?) {
        guard let text, !text.isEmpty else { return }
        field(number, Array(text.utf8))
    }

    /// An element of a repeated field stands also when it is empty.
    mutating func element(_ number: Int, _ text: String) { field(number, Array(text.utf8)) }

    mutating func bool(_ number: Int, _ value: Bool?) {
        guard value == true else { return }
        tag(number, wire: 0)
        bytes.append(1)
    }

    mutating func integer(_ number: Int, _ value: Int64?) {
        guard let value, value != 0 else { return }
        tag(number, wire: 0)
        varint(UInt64(bitPattern: value))
    }

    mutating func double(_ number: Int, _ value: Double?) {
        guard let value, value != 0 else { return }
        tag(number, wire: 1)
        var bits = value.bitPattern
        for _ in 0..<8 {
            bytes.append(UInt8(truncatingIfNeeded: bits))
            bits >>= 8
        }
    }

    /// A message, also an empty one.
    mutating func message(_ number: Int, _ write: (inout ProtobufWriter) -> Void) {
        var inner = ProtobufWriter()
        write(&inner)
        field(number, inner.bytes)
    }

    private mutating func field(_ number: Int, _ content: [UInt8]) {
        tag(number, wire: 2)
        varint(UInt64(content.count))
        bytes += content
    }

    private mutating func tag(_ number: Int, wire: UInt64) { varint(UInt64(number) << 3 | wire) }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
