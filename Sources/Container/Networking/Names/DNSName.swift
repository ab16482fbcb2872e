/// A domain name: labels of up to 63 bytes, 255 in all. Equal whatever the case of ASCII letters, RFC 4343.
package struct DNSName: Hashable, Sendable, CustomStringConvertible {
    /// As they were written.
    package let labels: [[UInt8]]

    /// nil: a label is empty or too long, or all are too long together.
    package init?(labels: [[UInt8]]) {
        guard labels.allSatisfy({ (1...63).contains($0.count) }), labels.reduce(1, { $0 + $1.count + 1 }) <= 255 else {
            return nil
        }
        self.labels = labels
    }

    /// "name.example", with or without the dot at the end.
    package init?(_ text: some StringProtocol) {
        var bytes = Array(text.utf8)
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty else { return nil }
        self.init(labels: bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map(Array.init))
    }

    /// Whether a host may be called so: letters, digits, "-", "_" and dots, which go into files line by line.
    package static func isHostName(_ text: String) -> Bool {
        DNSName(text) != nil
            && text.utf8.allSatisfy { byte in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || "-_.".utf8.contains(byte)
            }
    }

    /// In small letters, joined by dots: what tables are searched by.
    package var folded: String { String(decoding: Array(labels.map { $0.map(Self.small) }.joined(separator: [46])), as: UTF8.self) }

    package var description: String { String(decoding: Array(labels.joined(separator: [46])), as: UTF8.self) }

    package static func == (a: DNSName, b: DNSName) -> Bool {
        a.labels.count == b.labels.count
            && zip(a.labels, b.labels).allSatisfy { $0.count == $1.count && zip($0, $1).allSatisfy { small($0) == small($1) } }
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(labels.map { $0.map(Self.small) }) }

    package var encoded: [UInt8] { labels.flatMap { [UInt8($0.count)] + $0 } + [0] }

    /// The address that "2.0.201.10.in-addr.arpa" or a name below ip6.arpa stands for, RFC 1035 3.5, RFC 3596 2.5.
    package var reversedAddress: [UInt8]? {
        let words = folded.split(separator: ".")
        if words.count == 6, words[4] == "in-addr", words[5] == "arpa" {
            let bytes = words[..<4].reversed().compactMap { UInt8($0) }
            return bytes.count == 4 ? bytes : nil
        }
        guard words.count == 34, words[32] == "ip6", words[33] == "arpa" else { return nil }
        let nibbles = words[..<32].reversed().compactMap { $0.utf8.count == 1 ? UInt8($0, radix: 16) : nil }
        guard nibbles.count == 32 else { return nil }
        return stride(from: 0, to: 32, by: 2).map { nibbles[$0] << 4 | nibbles[$0 + 1] }
    }

    private static func small(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte + 32 : byte }
}

/// Reads the parts of a message, bounds checked.
struct DNSReader {
    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func number16() -> UInt16? {
        guard bytes.count - at >= 2 else { return nil }
        defer { at += 2 }
        return UInt16(bytes[at]) << 8 | UInt16(bytes[at + 1])
    }

    mutating func number32() -> UInt32? {
        guard let high = number16(), let low = number16() else { return nil }
        return UInt32(high) << 16 | UInt32(low)
    }

    mutating func question() -> DNSQuestion? {
        guard let name = name(), let type = number16(), let `class` = number16() else { return nil }
        return DNSQuestion(name, type: type, class: `class`)
    }

    mutating func record() -> DNSRecord? {
        guard let name = name(), let type = number16(), let `class` = number16(), let time = number32(),
            let count = number16(), bytes.count - at >= Int(count)
        else { return nil }
        guard let data = data(type, until: at + Int(count)) else { return nil }
        return DNSRecord(name, type: type, class: `class`, timeToLive: time, data: data)
    }

    /// What a record holds. Names in it may point into the message, and are written out: it may go into another one.
    private mutating func data(_ type: UInt16, until end: Int) -> [UInt8]? {
        var data: [UInt8] = []
        switch type {
        case DNSQuestion.typeAlias, DNSQuestion.typeNameServer, DNSQuestion.typePointer:
            guard let name = name() else { return nil }
            data = name.encoded
        case DNSQuestion.typeAuthority:
            guard let server = name(), let contact = name() else { return nil }
            data = server.encoded + contact.encoded
        default: break
        }
        guard at <= end else { return nil }
        defer { at = end }
        return data + bytes[at..<end]
    }

    /// A record whose name may be the root's, which is no name here: its type and class.
    mutating func other() -> (type: UInt16, class: UInt16)? {
        if at < bytes.count, bytes[at] == 0 { at += 1 } else if name() == nil { return nil }
        guard let type = number16(), let `class` = number16(), number32() != nil, let count = number16(),
            bytes.count - at >= Int(count)
        else { return nil }
        at += Int(count)
        return (type, `class`)
    }

    /// Every pointer must lead to before where the last one led, so that there is an end.
    private mutating func name() -> DNSName? {
        var labels: [[UInt8]] = []
        var place = at
        var boundary = at
        var length = 1
        var hasJumped = false
        while place < bytes.count {
            let byte = bytes[place]
            switch byte >> 6 {
            case 0:
                let end = place + 1 + Int(byte)
                if !hasJumped { at = min(end, bytes.count) }
                if byte == 0 { return DNSName(labels: labels) }
                length += Int(byte) + 1
                guard end <= bytes.count, length <= 255 else { return nil }
                labels.append(Array(bytes[place + 1..<end]))
                place = end
            case 3:
                guard place + 1 < bytes.count else { return nil }
                let target = Int(byte & 0x3f) << 8 | Int(bytes[place + 1])
                if !hasJumped { at = place + 2 }
                hasJumped = true
                guard target < boundary else { return nil }
                boundary = target
                place = target
            default: return nil
            }
        }
        return nil
    }
}
