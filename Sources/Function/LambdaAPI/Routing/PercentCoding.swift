/// Percent-encoding, RFC 3986 section 2.
package enum PercentCoding {
    /// The text that an encoded one stands for; nil when an escape is broken or the bytes are no UTF-8.
    ///
    /// - Parameter plusIsSpace: as in forms: for queries.
    package static func decode(_ text: some StringProtocol, plusIsSpace: Bool = false) -> String? {
        let utf8 = text.utf8
        guard utf8.contains(where: { $0 == UInt8(ascii: "%") || (plusIsSpace && $0 == UInt8(ascii: "+")) }) else {
            return String(text)
        }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(utf8.count)
        var rest = utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit) else { return nil }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    /// Everything but A-Z, a-z, 0-9, "-", ".", "_", "~" and what else is told becomes an escape.
    package static func encode(_ bytes: some Sequence<UInt8>, keeping kept: UInt8? = nil) -> String {
        var result: [UInt8] = []
        for byte in bytes {
            if isUnreserved(byte) || byte == kept {
                result.append(byte)
            } else {
                result += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

/// The parameters of a query, in their order.
package struct QueryItems: Hashable, Sendable {
    package struct Item: Hashable, Sendable {
        package var name: String
        package var value: String
    }

    package var items: [Item] = []

    /// nil when an escape is broken.
    package init?(_ rawQuery: some StringProtocol, plusIsSpace: Bool = true) {
        guard !rawQuery.isEmpty else { return }
        for part in rawQuery.split(separator: "&") {
            let halves = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = PercentCoding.decode(halves[0], plusIsSpace: plusIsSpace),
                let value = PercentCoding.decode(halves.count == 2 ? halves[1] : "", plusIsSpace: plusIsSpace)
            else { return nil }
            items.append(Item(name: name, value: value))
        }
    }

    package subscript(name: String) -> String? { items.first { $0.name == name }?.value }
}
