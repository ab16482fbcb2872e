/// A certificate and its key as PEM texts. Both stand in one file, so that one never comes without the other.
package struct PEMPair: Hashable, Sendable {
    package var certificate: String
    package var key: String

    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    init(file text: String) throws(AuthorityFailure) {
        let certificates = PEMText.blocks(of: text) { $0 == "CERTIFICATE" }
        let keys = PEMText.blocks(of: text) { $0.hasSuffix("PRIVATE KEY") }
        guard let certificate = certificates.first, let key = keys.first, certificates.count == 1, keys.count == 1
        else {
            throw AuthorityFailure(
                "it holds \(certificates.count) certificates and \(keys.count) keys instead of one of each")
        }
        self.init(certificate: certificate, key: key)
    }

    /// What the file holds.
    var fileText: String { Self.line(certificate) + Self.line(key) }

    private static func line(_ text: String) -> String { text.hasSuffix("\n") ? text : text + "\n" }
}

/// Texts of RFC 7468.
enum PEMText {
    /// The blocks whose label is wanted, each with its own boundaries.
    static func blocks(of text: String, where isWanted: (String) -> Bool) -> [String] {
        var blocks: [String] = []
        var lines: [Substring]?
        var label = ""
        for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
            if line.hasPrefix("-----BEGIN "), line.hasSuffix("-----") {
                label = String(line.dropFirst(11).dropLast(5))
                lines = [line]
            } else if lines != nil {
                lines!.append(line)
                if line == "-----END \(label)-----" {
                    if isWanted(label) { blocks.append(lines!.joined(separator: "\n") + "\n") }
                    lines = nil
                }
            }
        }
        return blocks
    }
}
