import Linux

/// What the elements of a set or map are, as its declaration in nft's language says. Pure.
///
/// Only types whose elements are single values: an interval is two elements to the kernel, and nft makes them.
struct ElementType: Hashable, Sendable {
    enum Field: String, Hashable, Sendable {
        case transport = "inet_proto"
        case address4 = "ipv4_addr"
        case address6 = "ipv6_addr"
        case port = "inet_service"
    }

    var fields: [Field]
    var hasVerdict: Bool

    /// - Parameter declaration: "type inet_proto . ipv4_addr . inet_service : verdict;"
    /// - Returns: nil for what nft is left to write.
    init?(_ declaration: String) {
        let text = declaration.drop { $0 == " " }
        guard text.hasPrefix("type "), let end = text.firstIndex(of: ";"),
            text[end...].dropFirst().allSatisfy({ $0 == " " })
        else { return nil }
        let sides = text[..<end].dropFirst(5).split(separator: " : ")
        var fields: [Field] = []
        for word in (sides.first ?? "").split(separator: " . ") {
            guard let field = Field(rawValue: String(word)) else { return nil }
            fields.append(field)
        }
        guard !fields.isEmpty, sides.count == 1 || sides.count == 2 && sides[1] == "verdict" else { return nil }
        self.fields = fields
        hasVerdict = sides.count == 2
    }

    /// Declarations by name in the body of a table: lines such as "map NAME { DECLARATION }".
    static func declarations(in text: String) -> [String: String] {
        var found: [String: String] = [:]
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ", maxSplits: 3)
            guard words.count == 4, words[0] == "map" || words[0] == "set", words[2] == "{", words[3].hasSuffix("}")
            else {
                continue
            }
            found[String(words[1])] = String(words[3].dropLast())
        }
        return found
    }

    /// - Parameter text: "tcp . 10.96.0.1 . 443 : goto CHAIN"
    func element(_ text: String) -> PacketRuleBatch.Element? {
        let sides = text.split(separator: " : ")
        guard sides.count == (hasVerdict ? 2 : 1) else { return nil }
        let words = sides[0].split(separator: " . ")
        guard words.count == fields.count else { return nil }
        var key: [UInt8] = []
        for (word, field) in zip(words, fields) {
            guard let bytes = Self.bytes(word, field) else { return nil }
            key += bytes
            // Parts of a composed key are aligned; one that stands alone is not.
            while fields.count > 1, key.count % 4 != 0 { key.append(0) }
        }
        guard hasVerdict else { return PacketRuleBatch.Element(key: key) }
        guard let verdict = RuleLine.verdict(sides[1]) else { return nil }
        return PacketRuleBatch.Element(key: key, verdict: verdict)
    }

    private static func bytes(_ word: Substring, _ field: Field) -> [UInt8]? {
        switch field {
        case .transport: return RuleLine.transports[word].map { [$0] }
        case .address4, .address6:
            guard let address = IPAddress(word), address.isIPv6 == (field == .address6) else { return nil }
            return address.bytes
        case .port: return UInt16(word).map { [UInt8($0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        }
    }
}
