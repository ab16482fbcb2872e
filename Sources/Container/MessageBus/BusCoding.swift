/// Values as bytes, little-endian (D-Bus Specification, "Marshaling").
struct BusWriter {
    private(set) var bytes: [UInt8] = []

    mutating func align(to size: Int) {
        while bytes.count % size != 0 { bytes.append(0) }
    }

    mutating func put(_ value: BusValue) {
        switch value {
        case .byte(let byte): bytes.append(byte)
        case .boolean(let isTrue): number(UInt32(isTrue ? 1 : 0))
        case .int32(let number): self.number(number)
        case .uint32(let number): self.number(number)
        case .int64(let number): self.number(number)
        case .uint64(let number): self.number(number)
        case .double(let number): self.number(number.bitPattern)
        case .string(let text), .path(let text):
            number(UInt32(text.utf8.count))
            bytes += Array(text.utf8) + [0]
        case .signature(let text): bytes += [UInt8(text.utf8.count)] + Array(text.utf8) + [0]
        case .array(let element, let values): array(element, values)
        case .structure(let parts):
            align(to: 8)
            for part in parts { put(part) }
        case .entry(let key, let value):
            align(to: 8)
            put(key)
            put(value)
        case .variant(let inner):
            put(.signature(inner.signature))
            put(inner)
        }
    }

    private mutating func array(_ element: String, _ values: [BusValue]) {
        number(UInt32(0))
        let length = bytes.count - 4
        align(to: BusSignature.alignment(element.utf8.first!))
        let start = bytes.count
        for value in values { put(value) }
        let size = UInt32(bytes.count - start)
        for index in 0..<4 { bytes[length + index] = UInt8(truncatingIfNeeded: size >> (8 * UInt32(index))) }
    }

    private mutating func number(_ number: some FixedWidthInteger) {
        align(to: number.bitWidth / 8)
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }
}

/// Bytes as values. Whatever the other side sends is read or refused: nothing is read beyond the end.
struct BusReader {
    private let bytes: ArraySlice<UInt8>
    private let isLittleEndian: Bool
    /// From the start of the slice.
    private(set) var position = 0

    init(_ bytes: ArraySlice<UInt8>, isLittleEndian: Bool) {
        self.bytes = bytes
        self.isLittleEndian = isLittleEndian
    }

    /// Values of every type of a signature.
    mutating func values(_ signature: String) throws(BusFailure) -> [BusValue] {
        guard let types = BusSignature.types(signature) else { throw .malformed("signature \"\(signature)\"") }
        var values: [BusValue] = []
        for type in types { values.append(try value(type, depth: 0)) }
        return values
    }

    mutating func value(_ type: String, depth: Int) throws(BusFailure) -> BusValue {
        // Variants can hold each other without end.
        guard depth < BusSignature.depthLimit else { throw .malformed("values too deep in each other") }
        switch type.utf8.first {
        case UInt8(ascii: "y"): return .byte(try number())
        case UInt8(ascii: "b"): return .boolean(try number(as: UInt32.self) != 0)
        case UInt8(ascii: "n"): return .int32(Int32(try number(as: Int16.self)))
        case UInt8(ascii: "q"): return .uint32(UInt32(try number(as: UInt16.self)))
        case UInt8(ascii: "i"): return .int32(try number())
        case UInt8(ascii: "u"), UInt8(ascii: "h"): return .uint32(try number())
        case UInt8(ascii: "x"): return .int64(try number())
        case UInt8(ascii: "t"): return .uint64(try number())
        case UInt8(ascii: "d"): return .double(Double(bitPattern: try number()))
        case UInt8(ascii: "s"): return .string(try text(length: Int(try number(as: UInt32.self))))
        case UInt8(ascii: "o"): return .path(try text(length: Int(try number(as: UInt32.self))))
        case UInt8(ascii: "g"): return .signature(try text(length: Int(try number(as: UInt8.self))))
        case UInt8(ascii: "v"): return .variant(try variant(depth))
        case UInt8(ascii: "a"): return try array(String(type.dropFirst()), depth)
        case UInt8(ascii: "("), UInt8(ascii: "{"): return try compound(type, depth)
        default: throw .malformed("type \"\(type)\"")
        }
    }

    private mutating func variant(_ depth: Int) throws(BusFailure) -> BusValue {
        let type = try text(length: Int(try number(as: UInt8.self)))
        guard BusSignature.types(type)?.count == 1 else { throw .malformed("variant of type \"\(type)\"") }
        return try value(type, depth: depth + 1)
    }

    private mutating func array(_ element: String, _ depth: Int) throws(BusFailure) -> BusValue {
        let length = Int(try number(as: UInt32.self))
        guard let first = element.utf8.first else { throw .malformed("array of nothing") }
        try align(to: BusSignature.alignment(first))
        let end = position + length
        guard end <= bytes.count else { throw .malformed("array of \(length) bytes beyond the message") }
        var values: [BusValue] = []
        while position < end { values.append(try value(element, depth: depth + 1)) }
        guard position == end else { throw .malformed("array whose last element is cut off") }
        return .array(element, values)
    }

    private mutating func compound(_ type: String, _ depth: Int) throws(BusFailure) -> BusValue {
        try align(to: 8)
        let inner = String(type.dropFirst().dropLast())
        guard let types = BusSignature.types(inner) else { throw .malformed("type \"\(type)\"") }
        var parts: [BusValue] = []
        for type in types { parts.append(try value(type, depth: depth + 1)) }
        guard type.hasPrefix("{") else { return .structure(parts) }
        guard parts.count == 2 else { throw .malformed("entry of \(parts.count) parts") }
        return .entry(parts[0], parts[1])
    }

    private mutating func text(length: Int) throws(BusFailure) -> String {
        guard length < bytes.count - position else { throw .malformed("text of \(length) bytes beyond the message") }
        let start = bytes.startIndex + position
        position += length + 1
        guard let text = String(validating: bytes[start..<start + length], as: UTF8.self) else {
            throw .malformed("text that is no UTF-8")
        }
        return text
    }

    mutating func align(to size: Int) throws(BusFailure) {
        position = (position + size - 1) / size * size
        guard position <= bytes.count else { throw .malformed("message that ends too early") }
    }

    private mutating func number<Number: FixedWidthInteger>(as type: Number.Type = Number.self) throws(BusFailure)
        -> Number
    {
        let size = Number.bitWidth / 8
        try align(to: size)
        guard bytes.count - position >= size else { throw .malformed("message that ends too early") }
        var number: Number = 0
        for index in 0..<size {
            let at = isLittleEndian ? size - 1 - index : index
            number = number << 8 | Number(truncatingIfNeeded: bytes[bytes.startIndex + position + at])
        }
        position += size
        return number
    }
}
