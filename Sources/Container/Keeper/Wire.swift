/// Bytes of the keeper's protocol: little-endian numbers and length-prefixed blocks.
///
/// The reader checks every length against what is there and against a limit; it never traps on input.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func write(_ value: UInt8) { bytes.append(value) }
    package mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }
    package mutating func write(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    package mutating func write(_ value: Int32) { write(UInt32(bitPattern: value)) }
    package mutating func write(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { bytes += $0 } }
    package mutating func write(_ value: Int) { write(UInt64(bitPattern: Int64(value))) }

    package mutating func write(_ block: [UInt8]) {
        write(UInt32(block.count))
        bytes += block
    }

    package mutating func write(_ text: String) { write(Array(text.utf8)) }

    package mutating func write<Value>(_ value: Value?, _ body: (inout WireWriter, Value) -> Void) {
        write(value != nil)
        if let value { body(&self, value) }
    }

    package mutating func write<Element>(list: [Element], _ body: (inout WireWriter, Element) -> Void) {
        write(UInt32(list.count))
        for element in list { body(&self, element) }
    }
}

/// Reads what `WireWriter` wrote, from anybody.
package struct WireReader {
    private let bytes: [UInt8]
    private var at = 0

    /// Most elements of one list.
    package static let listLimit = 1 << 20

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { at == bytes.count }

    /// How many bytes are left.
    package var remaining: Int { bytes.count - at }

    package mutating func readByte() throws(WireError) -> UInt8 {
        guard at < bytes.count else { throw .short(wanted: 1, at: at) }
        defer { at += 1 }
        return bytes[at]
    }

    package mutating func readBool() throws(WireError) -> Bool {
        switch try readByte() {
        case 0: return false
        case 1: return true
        case let other: throw .unexpected("a truth value is 0 or 1, not \(other)", at: at - 1)
        }
    }

    package mutating func readUInt32() throws(WireError) -> UInt32 { UInt32(truncatingIfNeeded: try readNumber(bytes: 4)) }
    package mutating func readInt32() throws(WireError) -> Int32 { Int32(bitPattern: try readUInt32()) }
    package mutating func readUInt64() throws(WireError) -> UInt64 { try readNumber(bytes: 8) }
    package mutating func readInt() throws(WireError) -> Int { Int(Int64(bitPattern: try readUInt64())) }

    package mutating func readBlock() throws(WireError) -> [UInt8] {
        let count = Int(try readUInt32())
        guard count <= bytes.count - at else { throw .short(wanted: count, at: at) }
        defer { at += count }
        return Array(bytes[at..<(at + count)])
    }

    /// A text for the kernel: UTF-8 without NUL.
    package mutating func readText() throws(WireError) -> String {
        let start = at
        let block = try readBlock()
        guard !block.contains(0), let text = String(validating: block, as: UTF8.self) else {
            throw .unexpected("a text is UTF-8 without NUL", at: start)
        }
        return text
    }

    package mutating func readOptional<Value>(
        _ body: (inout WireReader) throws(WireError) -> Value
    ) throws(WireError) -> Value? {
        try readBool() ? try body(&self) : nil
    }

    package mutating func readList<Element>(
        _ body: (inout WireReader) throws(WireError) -> Element
    ) throws(WireError) -> [Element] {
        let count = Int(try readUInt32())
        // Every element takes a byte at least, so a length that the message cannot hold is refused before memory
        // is set aside for it.
        guard count <= min(Self.listLimit, remaining) else { throw .short(wanted: count, at: at) }
        var list: [Element] = []
        list.reserveCapacity(count)
        for _ in 0..<count { list.append(try body(&self)) }
        return list
    }

    /// Ends the reading: what is left over makes the message malformed.
    package func finish() throws(WireError) {
        guard isAtEnd else { throw .unexpected("\(remaining) bytes too many", at: at) }
    }

    private mutating func readNumber(bytes count: Int) throws(WireError) -> UInt64 {
        guard remaining >= count else { throw .short(wanted: count, at: at) }
        var value: UInt64 = 0
        for index in 0..<count { value |= UInt64(bytes[at + index]) << UInt64(8 * index) }
        at += count
        return value
    }
}

/// A message that is not as the protocol says.
package enum WireError: Error, Hashable, Sendable, CustomStringConvertible {
    case short(wanted: Int, at: Int)
    case unexpected(String, at: Int)

    package var description: String {
        switch self {
        case .short(let wanted, let at): "malformed message: \(wanted) bytes wanted at \(at), fewer are there"
        case .unexpected(let what, let at): "malformed message at byte \(at): \(what)"
        }
    }
}
