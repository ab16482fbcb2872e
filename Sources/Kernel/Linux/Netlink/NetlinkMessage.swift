/// A message to or from rtnetlink(7): a header, a fixed part and attributes in type-length-value form.
///
/// Pure. The kernel's answers are read with bounds checked: lengths that lie end the reading.
///
/// Invariants
/// 1. Everything is aligned to 4 bytes, and lengths are without the padding, as netlink(7) demands.
///    (test: `a request has the bytes that iproute2 sends`)
/// 2. No bytes make the reader trap. (test: `bytes that are no netlink messages are no messages`)
package struct NetlinkMessage: Hashable, Sendable {
    /// RTM_NEWLINK and the like, rtnetlink(7).
    package var type: UInt16
    /// NLM_F_*, netlink(7).
    package var flags: UInt16
    package var sequence: UInt32
    /// The fixed part and the attributes.
    package var payload: [UInt8]

    package init(type: UInt16, flags: UInt16, sequence: UInt32 = 0, payload: [UInt8]) {
        self.type = type
        self.flags = flags
        self.sequence = sequence
        self.payload = payload
    }

    static let headerBytes = 16

    /// As it is sent.
    package var encoded: [UInt8] {
        var writer = NetlinkWriter()
        writer.append(UInt32(Self.headerBytes + payload.count))
        writer.append(type)
        writer.append(flags)
        writer.append(sequence)
        writer.append(UInt32(0))
        writer.bytes += payload
        return writer.bytes
    }

    /// Every whole message at the beginning of what was received.
    package static func decode(_ bytes: ArraySlice<UInt8>) -> [NetlinkMessage] {
        var messages: [NetlinkMessage] = []
        var rest = bytes
        while rest.count >= headerBytes {
            let length = Int(NetlinkReader.number32(rest, at: 0))
            guard length >= headerBytes, length <= rest.count else { break }
            messages.append(
                NetlinkMessage(
                    type: NetlinkReader.number16(rest, at: 4), flags: NetlinkReader.number16(rest, at: 6),
                    sequence: NetlinkReader.number32(rest, at: 8),
                    payload: Array(rest.dropFirst(headerBytes).prefix(length - headerBytes))))
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return messages
    }
}

/// Appends numbers in the machine's order and attributes.
package struct NetlinkWriter {
    package var bytes: [UInt8] = []

    package init() {}

    package mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number) { bytes += $0 }
    }

    package mutating func attribute(_ type: UInt16, _ value: [UInt8]) {
        append(UInt16(4 + value.count))
        append(type)
        bytes += value
        while bytes.count % 4 != 0 { bytes.append(0) }
    }

    package mutating func attribute(_ type: UInt16, _ number: UInt32) {
        attribute(type, withUnsafeBytes(of: number) { Array($0) })
    }

    /// Text with its closing zero.
    package mutating func attribute(_ type: UInt16, _ text: String) { attribute(type, Array(text.utf8) + [0]) }

    /// An attribute made of attributes.
    package mutating func nested(_ type: UInt16, _ body: (inout NetlinkWriter) -> Void) {
        var inner = NetlinkWriter()
        body(&inner)
        attribute(type, inner.bytes)
    }
}

/// Reads attributes with bounds checked.
package enum NetlinkReader {
    /// The attributes behind a fixed part, the last of each type; what is cut off is left out.
    package static func attributes(_ payload: [UInt8], after fixed: Int) -> [UInt16: ArraySlice<UInt8>] {
        var found: [UInt16: ArraySlice<UInt8>] = [:]
        var rest = payload.dropFirst(fixed)
        while rest.count >= 4 {
            let length = Int(number16(rest, at: 0))
            guard length >= 4, length <= rest.count else { break }
            // The two highest bits say that it is nested or in network order.
            found[number16(rest, at: 2) & 0x3fff] = rest.dropFirst(4).prefix(length - 4)
            rest = rest.dropFirst((length + 3) & ~3)
        }
        return found
    }

    /// Text up to its closing zero.
    package static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self) }

    package static func number16(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: number(bytes, at: offset, 2))
    }

    package static func number32(_ bytes: ArraySlice<UInt8>, at offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: number(bytes, at: offset, 4))
    }

    /// In the order of the machines that Forkless runs on, lowest byte first; what is missing is 0.
    private static func number(_ bytes: ArraySlice<UInt8>, at offset: Int, _ count: Int) -> UInt64 {
        bytes.dropFirst(offset).prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}
