/// One of the types that a client takes (RFC 9110 section 12.5.1):
/// `application/json;as=Table;v=v1;g=meta.k8s.io;q=0.9`.
package struct MediaRange: Hashable, Sendable {
    /// In small letters: "application/json", "*/*".
    package let type: String
    /// Without `q`; the names in small letters.
    package let parameters: [String: String]
    /// Thousandths.
    package let quality: Int

    /// As many as one header may name: more is nobody's.
    package static let limit = 64

    /// The ranges of an Accept header, most wanted first. Parts that are no media range are left out, as Go does.
    package static func read(_ header: String) -> [MediaRange] {
        let parts = header.utf8.split(separator: UInt8(ascii: ","), maxSplits: limit).prefix(limit)
        let ranges = parts.compactMap { MediaRange($0) }
        // Those of the same quality keep their order.
        return ranges.enumerated().sorted { ($1.element.quality, $0.offset) < ($0.element.quality, $1.offset) }.map(
            \.element)
    }

    private init?(_ text: Substring.UTF8View) {
        let parts = text.split(separator: UInt8(ascii: ";")).map { Self.trimmed($0) }
        guard let type = parts.first?.lowercased(), type.contains("/") else { return nil }
        var parameters: [String: String] = [:]
        var quality = 1000
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1).map(String.init)
            guard pair.count == 2 else { continue }
            if pair[0].lowercased() == "q" {
                quality = Self.thousandths(pair[1])
            } else {
                parameters[pair[0].lowercased()] = pair[1]
            }
        }
        guard quality > 0 else { return nil }
        (self.type, self.parameters, self.quality) = (type, parameters, quality)
    }

    private static func trimmed(_ text: Substring.UTF8View) -> String {
        var part = text
        while part.first == 0x20 || part.first == 0x09 { part.removeFirst() }
        while part.last == 0x20 || part.last == 0x09 { part.removeLast() }
        return String(Substring(part))
    }

    private static func thousandths(_ text: String) -> Int {
        guard let value = Double(text), value.isFinite else { return 1000 }
        return Int(max(0, min(1, value)) * 1000)
    }
}
