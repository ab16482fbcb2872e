/// A value as D-Bus has them (D-Bus Specification, "Type System").
package indirect enum BusValue: Hashable, Sendable {
    case byte(UInt8)
    case boolean(Bool)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case path(String)
    case signature(String)
    /// The signature of its elements comes first: an empty array has one, too.
    case array(String, [BusValue])
    case structure([BusValue])
    /// A key and its value; only in arrays.
    case entry(BusValue, BusValue)
    case variant(BusValue)

    /// The letters of its type.
    package var signature: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .path: "o"
        case .signature: "g"
        case .array(let element, _): "a" + element
        case .structure(let parts): "(" + parts.map(\.signature).joined() + ")"
        case .entry(let key, let value): "{" + key.signature + value.signature + "}"
        case .variant: "v"
        }
    }

    /// The text of a string or a path.
    package var text: String? {
        switch self {
        case .string(let text), .path(let text), .signature(let text): text
        case .variant(let inner): inner.text
        default: nil
        }
    }
}

/// Types written as letters.
enum BusSignature {
    /// Arrays and structures in each other (D-Bus Specification, "Valid Signatures": 32 of each).
    static let depthLimit = 64

    /// What a type of these letters is aligned to, bytes.
    static func alignment(_ letter: UInt8) -> Int {
        switch letter {
        case UInt8(ascii: "y"), UInt8(ascii: "g"), UInt8(ascii: "v"): 1
        case UInt8(ascii: "n"), UInt8(ascii: "q"): 2
        case UInt8(ascii: "x"), UInt8(ascii: "t"), UInt8(ascii: "d"), UInt8(ascii: "("), UInt8(ascii: "{"): 8
        default: 4
        }
    }

    /// The single complete types of a signature, in order; nil when it is none.
    static func types(_ text: String) -> [String]? {
        var types: [String] = []
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            guard let length = lengthOfFirst(rest, depth: 0) else { return nil }
            types.append(String(decoding: rest.prefix(length), as: UTF8.self))
            rest = rest.dropFirst(length)
        }
        return types
    }

    private static func lengthOfFirst(_ letters: ArraySlice<UInt8>, depth: Int) -> Int? {
        guard let first = letters.first, depth < depthLimit else { return nil }
        switch first {
        case UInt8(ascii: "a"): return lengthOfFirst(letters.dropFirst(), depth: depth + 1).map { $0 + 1 }
        case UInt8(ascii: "("), UInt8(ascii: "{"):
            let end = first == UInt8(ascii: "(") ? UInt8(ascii: ")") : UInt8(ascii: "}")
            var length = 1
            while let next = letters.dropFirst(length).first, next != end {
                guard let inner = lengthOfFirst(letters.dropFirst(length), depth: depth + 1) else { return nil }
                length += inner
            }
            return length > 1 && letters.count > length ? length + 1 : nil
        default: return "ybnqiuxtdsoghv".utf8.contains(first) ? 1 : nil
        }
    }
}
