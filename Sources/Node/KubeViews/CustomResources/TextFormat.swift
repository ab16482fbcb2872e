import JSON
import KubeSchema
import Linux

/// Formats of strings that schemas name (`format`), as far as kube-openapi knows them too.
enum TextFormat {
    /// nil for a format that is not known, which says nothing.
    static func accepts(_ text: String, _ format: String) -> Bool? {
        switch format {
        case "date-time", "datetime": (try? KubeSchema.Timestamp(text, .seconds)) != nil
        case "date": (try? KubeSchema.Timestamp(text + "T00:00:00Z", .seconds)) != nil && text.utf8.count == 10
        case "byte": Base64.bytes(text) != nil && text.utf8.count % 4 == 0
        case "uuid", "uuid3", "uuid4", "uuid5": isUUID(text)
        case "ipv4": isIPv4(text)
        case "ipv6": IPAddress(text) != nil && text.contains(":")
        case "cidr": isCIDR(text)
        case "email": isEmail(text)
        case "hostname": isHostName(text)
        case "uri": isURI(text)
        case "duration": isDuration(text)
        default: nil
        }
    }

    private static func isUUID(_ text: String) -> Bool {
        let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
        return digits.count == 32 && digits.allSatisfy { isHex($0) } && (text.utf8.count == 32 || text.utf8.count == 36)
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }

    private static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                part.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8(part) != nil
                    && (part == "0" || part.first != "0")
            }
    }

    private static func isCIDR(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let length = UInt8(parts[1]), "\(length)" == parts[1] else { return false }
        return isIPv4(parts[0]) ? length <= 32 : IPAddress(parts[0]) != nil && length <= 128
    }

    private static func isEmail(_ text: String) -> Bool {
        let parts = text.split(separator: "@", omittingEmptySubsequences: false)
        return parts.count == 2
            && parts.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F }
            }
    }

    private static func isHostName(_ text: String) -> Bool {
        text.utf8.count <= 253 && Names.dnsSubdomain(text.lowercased()).isEmpty
    }

    /// A scheme and something behind it, or a path, without white space.
    private static func isURI(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return false }
        if text.hasPrefix("/") { return true }
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { return false }
        let scheme = text.utf8[..<colon]
        return scheme.first.map { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A } == true
            && scheme.allSatisfy { Names.isSchemeByte($0) }
    }

    /// As Go writes durations: "1h30m", "1.5s".
    private static func isDuration(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        if rest.elementsEqual("0".utf8) { return true }
        guard !rest.isEmpty else { return false }
        while !rest.isEmpty {
            let number = rest.prefix { (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") }
            guard number.contains(where: { $0 != UInt8(ascii: ".") }),
                number.count(where: { $0 == UInt8(ascii: ".") }) < 2
            else { return false }
            rest = rest[number.endIndex...]
            let unit = rest.prefix { !(0x30...0x39).contains($0) && $0 != UInt8(ascii: ".") }
            guard ["ns", "us", "µs", "ms", "s", "m", "h"].contains(String(decoding: unit, as: UTF8.self)) else {
                return false
            }
            rest = rest[unit.endIndex...]
        }
        return true
    }
}

extension Names {
    fileprivate static func isSchemeByte(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte | 0x20) || (0x30...0x39).contains(byte) || "+-.".utf8.contains(byte)
    }
}
