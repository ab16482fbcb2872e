/// Numbers of a fixed count of hexadecimal digits, in small letters as trace ids have them. A call passes here: no text is made
/// but the one that is wanted.
enum HexText {
    /// nil unless all are digits, in small letters.
    static func number(_ bytes: Slice<UnsafeBufferPointer<UInt8>>) -> UInt64? {
        var number: UInt64 = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }

    static func text(_ number: UInt64, digits: Int) -> String { made(digits) { $0.write(number, digits: digits) } }

    /// - Parameter count: exactly as many bytes as `write` writes.
    static func made(_ count: Int, _ write: (inout Writer) -> Void) -> String {
        String(unsafeUninitializedCapacity: count) { room in
            var writer = Writer(room: room)
            write(&writer)
            precondition(writer.at == count)
            return count
        }
    }

    struct Writer {
        let room: UnsafeMutableBufferPointer<UInt8>
        private(set) var at = 0

        init(room: UnsafeMutableBufferPointer<UInt8>) { self.room = room }

        mutating func write(_ text: StaticString) {
            for index in 0..<text.utf8CodeUnitCount {
                room[at] = text.utf8Start[index]
                at += 1
            }
        }

        mutating func write(_ number: UInt64, digits: Int) {
            for index in 0..<digits {
                let digit = UInt8(truncatingIfNeeded: number >> UInt64(4 * (digits - 1 - index)) & 15)
                room[at] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                at += 1
            }
        }
    }
}
