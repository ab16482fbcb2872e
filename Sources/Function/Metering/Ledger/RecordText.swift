internal import Linux

/// Builds the canonical text of a record: one JSON object, members in a fixed order, no white space, strings escaped only
/// where RFC 8259 section 7 demands it. Written by hand because thousands are written a second.
struct RecordText {
    private(set) var bytes: [UInt8] = [UInt8(ascii: "{")]

    init() { bytes.reserveCapacity(1024) }

    mutating func add(_ name: StaticString, _ text: String) {
        begin(name)
        quote(text)
    }

    /// Nothing at all when there is no text: the member is left out.
    mutating func add(_ name: StaticString, ifAny text: String?) {
        if let text { add(name, text) }
    }

    mutating func add(_ name: StaticString, _ number: Int) {
        begin(name)
        append(number)
    }

    mutating func add(_ name: StaticString, ifAny number: Int?) {
        if let number { add(name, number) }
    }

    mutating func add(_ name: StaticString, _ time: Timestamp) {
        begin(name)
        bytes.append(UInt8(ascii: "\""))
        bytes += time.utf8
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func add(_ name: StaticString, _ flag: Bool) {
        begin(name)
        put(flag ? "true" : "false")
    }

    /// The whole text.
    consuming func ended() -> [UInt8] {
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }

    private mutating func begin(_ name: StaticString) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "\""))
        put(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
    }

    private mutating func put(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private mutating func append(_ number: Int) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        if rest < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(rest)) }
        let start = bytes.count
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { utf8 in
            if utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x22 && $0 != 0x5C }) {
                bytes.append(contentsOf: utf8)
            } else {
                for byte in utf8 { escape(byte) }
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        switch byte {
        case 0x22: put("\\\"")
        case 0x5C: put("\\\\")
        case 0x08: put("\\b")
        case 0x09: put("\\t")
        case 0x0A: put("\\n")
        case 0x0C: put("\\f")
        case 0x0D: put("\\r")
        case 0..<0x20:
            put("\\u00")
            bytes.append(UInt8(ascii: "0") + byte >> 4)
            bytes.append(byte & 15 < 10 ? UInt8(ascii: "0") + byte & 15 : UInt8(ascii: "a") + (byte & 15 - 10))
        default: bytes.append(byte)
        }
    }
}
