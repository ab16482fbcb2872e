/// A media type with its parameters, as Content-Type and Accept name it (RFC 9110, section 8.3).
struct MediaType: Hashable, Sendable {
    /// In small letters: "application/json".
    let name: String
    let parameters: [String: String]

    init(_ text: some StringProtocol) {
        var parts = text.split(separator: ";", omittingEmptySubsequences: true).map { Self.trimmed($0) }[...]
        name = parts.popFirst()?.lowercased() ?? ""
        var parameters: [String: String] = [:]
        for part in parts {
            let pair = part.split(separator: "=", maxSplits: 1)
            guard pair.count == 2 else { continue }
            var value = Self.trimmed(pair[1])
            if value.utf8.count > 1, value.hasPrefix("\""), value.hasSuffix("\"") {
                value = String(value.dropFirst().dropLast())
            }
            parameters[Self.trimmed(pair[0]).lowercased()] = value
        }
        self.parameters = parameters
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var bytes = Array(text.utf8)[...]
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        return String(decoding: bytes, as: UTF8.self)
    }

    static let json = "application/json"
    static let yaml = "application/yaml"
    static let protobuf = "application/vnd.kubernetes.protobuf"
}
