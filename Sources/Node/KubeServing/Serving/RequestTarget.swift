internal import HTTPServing
internal import KubeObjects

/// The target of a request, RFC 9112 section 3.2, in parts.
struct RequestTarget {
    /// Decoded; empty ones, of doubled slashes or one at the end, are left out.
    var path: [String]
    /// Decoded, in the order in which they came.
    var query: [(name: String, value: String)]

    /// nil for a target that is no path, or has a "%" that two digits do not follow.
    init?(_ target: String) {
        var rest = Substring(target)
        if !rest.hasPrefix("/") {
            // The absolute form, which clients use towards proxies.
            guard let scheme = rest.range(of: "://"), rest.hasPrefix("http") else { return nil }
            rest = rest[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
        }
        let path = rest.prefix { $0 != "?" && $0 != "#" }
        let query = rest.dropFirst(path.count).dropFirst().prefix { $0 != "#" }
        self.path = []
        self.query = []
        for part in path.split(separator: "/") {
            guard let part = Self.decoded(part, plusIsBlank: false) else { return nil }
            self.path.append(part)
        }
        for pair in query.split(separator: "&") {
            let name = pair.prefix { $0 != "=" }
            guard let decodedName = Self.decoded(name, plusIsBlank: true),
                let value = Self.decoded(pair.dropFirst(name.count).dropFirst(), plusIsBlank: true)
            else { return nil }
            self.query.append((decodedName, value))
        }
    }

    static func decoded(_ text: Substring, plusIsBlank: Bool) -> String? {
        guard text.utf8.contains(where: { $0 == 0x25 || ($0 == 0x2B && plusIsBlank) }) else { return String(text) }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.utf8.count)
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == 0x25 {
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte == 0x2B && plusIsBlank ? 0x20 : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
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

extension Substring {
    /// Where a text stands first.
    fileprivate func range(of text: String) -> Range<Index>? {
        var at = startIndex
        while at < endIndex {
            if self[at...].hasPrefix(text) { return at..<index(at, offsetBy: text.count) }
            at = index(after: at)
        }
        return nil
    }
}

extension HeaderFields {
    /// By names in small letters; fields of the same name are put together, RFC 9110 section 5.3.
    var byName: [String: String] {
        var headers: [String: String] = [:]
        headers.reserveCapacity(fields.count)
        for field in fields {
            let name = field.name.lowercased()
            if let before = headers[name] {
                headers[name] = before + (name == "cookie" ? "; " : ", ") + field.value
            } else {
                headers[name] = field.value
            }
        }
        return headers
    }
}
