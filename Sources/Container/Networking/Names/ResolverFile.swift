package import Linux

/// What /etc/resolv.conf says, resolv.conf(5). Pure.
package struct ResolverFile: Hashable, Sendable {
    package var nameServers: [IPAddress] = []
    package var searchDomains: [String] = []
    package var options: [String] = []

    package init() {}

    /// Reads a file; lines that it does not know are passed over, as the resolver does.
    package init(_ text: String) {
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split { $0 == " " || $0 == "\t" }.map(String.init)
            guard let key = words.first, !key.hasPrefix("#"), !key.hasPrefix(";") else { continue }
            switch key {
            // An address with a zone ("fe80::1%eth0") means something on its own link only.
            case "nameserver": if words.count > 1, let address = IPAddress(words[1]) { nameServers.append(address) }
            case "search", "domain": searchDomains = Array(words.dropFirst())
            case "options": options += words.dropFirst()
            default: break
            }
        }
    }

    package var text: String {
        var lines = nameServers.map { "nameserver \($0)" }
        if !searchDomains.isEmpty { lines.append("search " + searchDomains.joined(separator: " ")) }
        if !options.isEmpty { lines.append("options " + options.joined(separator: " ")) }
        return lines.map { $0 + "\n" }.joined()
    }
}
