/// IP addresses and ranges as text.
enum Addresses {
    static let problem = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    static let rangeProblem = "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)"

    static func isAddress(_ text: String) -> Bool { isIPv4(text) || isIPv6(text) }

    static func isRange(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let bits = number(parts[1]) else { return false }
        let address = String(parts[0])
        return isIPv4(address) && bits <= 32 || isIPv6(address) && bits <= 128
    }

    /// Four decimal numbers without leading zeros, which some programs read as octal (CVE-2021-29923).
    static func isIPv4(_ text: String) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { number($0).map { $0 <= 255 } ?? false }
    }

    /// RFC 4291 section 2.2: eight groups, "::" once in place of zeros, the last two perhaps as IPv4.
    static func isIPv6(_ text: String) -> Bool {
        let halves = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard halves.count >= 3, halves.count <= 9 else { return false }
        var groups = halves
        var size = 0
        if let last = groups.last, last.contains(".") {
            guard isIPv4(last) else { return false }
            groups.removeLast()
            size = 2
        }
        // A gap at an end leaves two empty groups there, in the middle one.
        if groups.first == "" { if groups.count > 1, groups[1] == "" { groups.removeFirst() } else { return false } }
        if size == 0, groups.last == "" {
            if groups.count > 1, groups[groups.count - 2] == "" { groups.removeLast() } else { return false }
        }
        let gaps = groups.count { $0.isEmpty }
        guard gaps <= 1, groups.allSatisfy({ $0.isEmpty || isGroup($0) }) else { return false }
        size += groups.count - gaps
        return gaps == 1 ? size <= 7 : size == 8
    }

    private static func isGroup(_ text: String) -> Bool {
        (1...4).contains(text.utf8.count)
            && text.utf8.allSatisfy { Names.isDigit($0) || ("a"..."f").contains(Character(Unicode.Scalar($0 | 0x20))) }
    }

    private static func number(_ text: Substring) -> Int? {
        guard (1...3).contains(text.utf8.count), text.utf8.allSatisfy(Names.isDigit) else { return nil }
        return text.first == "0" && text.utf8.count > 1 ? nil : Int(text)
    }
}
