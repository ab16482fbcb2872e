import CKernel

/// An IPv4 or IPv6 address, written as RFC 5952 says: "10.9.0.2", "fd00::1".
///
/// Invariant: `bytes` are 4 or 16, in network order. (test: `addresses are read and written as RFC 5952 says`)
package struct IPAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// - Parameter bytes: 4 or 16 of them, in network order.
    package init(bytes: [UInt8]) {
        precondition(bytes.count == 4 || bytes.count == 16, "an address has 4 or 16 bytes")
        self.bytes = bytes
    }

    /// Reads "10.9.0.2" (four decimal numbers, none with a leading zero, which some readers take for octal) or IPv6.
    package init?(_ text: some StringProtocol) {
        let text = String(text)
        guard let bytes = text.utf8.contains(UInt8(ascii: ":")) ? Self.six(text) : Self.four(text) else { return nil }
        self.bytes = bytes
    }

    package var isIPv6: Bool { bytes.count == 16 }
    /// 0.0.0.0 or ::, which stands for every address of the machine.
    package var isUnspecified: Bool { bytes.allSatisfy { $0 == 0 } }
    package var isLoopback: Bool {
        isIPv6 ? bytes.dropLast().allSatisfy { $0 == 0 } && bytes[15] == 1 : bytes[0] == 127
    }
    package var isMulticast: Bool { isIPv6 ? bytes[0] == 0xff : bytes[0] & 0xf0 == 0xe0 }

    /// The address that an Ethernet link has without being given one, RFC 4291 appendix A.
    ///
    /// - Parameter hardwareAddress: six bytes.
    package init(linkLocalOf hardwareAddress: [UInt8]) {
        precondition(hardwareAddress.count == 6, "an Ethernet address has six bytes")
        let flipped = [hardwareAddress[0] ^ 2] + hardwareAddress[1...]
        self.init(bytes: [0xfe, 0x80, 0, 0, 0, 0, 0, 0] + flipped[..<3] + [0xff, 0xfe] + flipped[3...])
    }

    package static let anyIPv4 = IPAddress(bytes: [0, 0, 0, 0])
    package static let anyIPv6 = IPAddress(bytes: [UInt8](repeating: 0, count: 16))

    package static func < (a: IPAddress, b: IPAddress) -> Bool {
        a.bytes.count != b.bytes.count ? a.bytes.count < b.bytes.count : a.bytes.lexicographicallyPrecedes(b.bytes)
    }

    package var description: String { isIPv6 ? sixText : bytes.map { "\($0)" }.joined(separator: ".") }

    /// The address that lies `offset` above; nil past the last.
    package func advanced(by offset: UInt64) -> IPAddress? {
        var result = bytes
        var carry = offset
        for index in result.indices.reversed() where carry > 0 {
            let sum = UInt64(result[index]) + (carry & 0xff)
            result[index] = UInt8(truncatingIfNeeded: sum)
            carry = (carry >> 8) + (sum >> 8)
        }
        return carry == 0 ? IPAddress(bytes: result) : nil
    }

    private static func four(_ text: String) -> [UInt8]? {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (48...57).contains($0) }),
                part.count == 1 || part.first != 48, let byte = UInt8(String(part)!)
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func six(_ text: String) -> [UInt8]? {
        var halves: [[UInt8]] = [[]]
        var rest = Substring(text)
        while let gap = rest.firstRange(of: "::") {
            guard let half = groups(rest[..<gap.lowerBound]), halves.count == 1 else { return nil }
            halves = [half, []]
            rest = rest[gap.upperBound...]
        }
        guard let last = groups(rest, mayEndInIPv4: true) else { return nil }
        halves[halves.count - 1] = last
        let count = halves.reduce(0) { $0 + $1.count }
        if halves.count == 1 { return count == 16 ? halves[0] : nil }
        return count <= 14 ? halves[0] + [UInt8](repeating: 0, count: 16 - count) + halves[1] : nil
    }

    private static func groups(_ text: Substring, mayEndInIPv4: Bool = false) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        var bytes: [UInt8] = []
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if mayEndInIPv4, index == parts.count - 1, part.utf8.contains(UInt8(ascii: ".")) {
                guard let tail = four(String(part)) else { return nil }
                bytes += tail
                continue
            }
            guard (1...4).contains(part.utf8.count), part.utf8.allSatisfy(isHexadecimal),
                let group = UInt16(part, radix: 16)
            else { return nil }
            bytes += [UInt8(group >> 8), UInt8(group & 0xff)]
        }
        return bytes.count <= 16 ? bytes : nil
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (65...70).contains(byte) || (97...102).contains(byte)
    }

    /// The longest run of two or more zero groups (the first of equals) is "::".
    private var sixText: String {
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        var best = 0..<0
        var start = 0
        while start < 8 {
            guard groups[start] == 0 else {
                start += 1
                continue
            }
            let end = groups[start...].firstIndex { $0 != 0 } ?? 8
            if end - start > max(best.count, 1) { best = start..<end }
            start = end
        }
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        return best.isEmpty ? text(groups[...]) : text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}

/// Addresses that share their first bits, RFC 4632: "10.9.0.0/16".
package struct Subnet: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The first address: every bit after the prefix is 0.
    package let base: IPAddress
    /// How many bits they share.
    package let prefix: Int

    /// The subnet of this length in which an address lies.
    package init(containing address: IPAddress, prefix: Int) {
        precondition(prefix >= 0 && prefix <= address.bytes.count * 8, "a prefix is as long as the address at most")
        var bytes = address.bytes
        for index in bytes.indices {
            let kept = min(8, max(0, prefix - index * 8))
            bytes[index] &= UInt8(truncatingIfNeeded: 0xff00 >> kept)
        }
        base = IPAddress(bytes: bytes)
        self.prefix = prefix
    }

    /// Reads "10.9.0.0/16"; nil also when bits after the prefix are set.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(parts[0]), let prefix = Int(parts[1]),
            parts[1] == "\(prefix)", (0...address.bytes.count * 8).contains(prefix)
        else { return nil }
        self.init(containing: address, prefix: prefix)
        guard base == address else { return nil }
    }

    package var isIPv6: Bool { base.isIPv6 }
    /// How many bits tell its addresses apart.
    package var hostBits: Int { base.bytes.count * 8 - prefix }

    package func contains(_ address: IPAddress) -> Bool {
        address.isIPv6 == isIPv6 && Subnet(containing: address, prefix: prefix).base == base
    }

    package func overlaps(_ other: Subnet) -> Bool {
        prefix <= other.prefix ? contains(other.base) : other.contains(base)
    }

    package static func < (a: Subnet, b: Subnet) -> Bool { (a.base, a.prefix) < (b.base, b.prefix) }

    package var description: String { "\(base)/\(prefix)" }
}
