/// An http or https address, taken apart strictly: what two parsers could read differently is refused, so that the
/// host that is checked is the host that is connected to.
///
/// Invariants
/// 1. `host` holds letters, digits, ".", "-" and "_" only, or is an IPv6 address in brackets; there is no user part.
///    (test: `an address that two parsers could read differently is refused`)
/// 2. `target` begins with "/" and holds printable ASCII only.
package struct WebAddress: Hashable, Sendable, CustomStringConvertible {
    package var isSecure: Bool
    /// In lower case.
    package var host: String
    package var port: Int
    /// Path and query.
    package var target: String

    /// Who answers there. Credentials belong to one of these.
    package struct Origin: Hashable, Sendable {
        package var isSecure: Bool
        package var host: String
        package var port: Int
    }

    package var origin: Origin { Origin(isSecure: isSecure, host: host, port: port) }

    /// The address of a registry as a reference names it ("example.org", "localhost:5000", "[::1]:5000"); nil when it
    /// is none.
    package init?(registry: String, isSecure: Bool) {
        guard let (host, port) = Self.split(authority: registry) else { return nil }
        self.isSecure = isSecure
        self.host = host
        self.port = port ?? (isSecure ? 443 : 80)
        target = "/"
    }

    /// Reads an absolute address; nil when it is none, or a doubtful one.
    package init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { return nil }
        let lower = text.lowercased()
        let rest: Substring
        if lower.hasPrefix("https://") {
            isSecure = true
            rest = text.dropFirst(8)
        } else if lower.hasPrefix("http://") {
            isSecure = false
            rest = text.dropFirst(7)
        } else {
            return nil
        }
        let end = rest.firstIndex { "/?#".contains($0) } ?? rest.endIndex
        guard let (host, port) = Self.split(authority: String(rest[..<end])) else { return nil }
        self.host = host
        self.port = port ?? (isSecure ? 443 : 80)
        // What stands after "#" is for the reader of a page (RFC 9110 section 4.1) and is not sent.
        let path = rest[end...].prefix { $0 != "#" }
        target = path.hasPrefix("/") ? String(path) : "/" + path
    }

    /// What a Location header means on this page: absolute, "//host/path", "/path" or a relative path (RFC 3986
    /// section 5.2, without "." and ".." segments, which are refused).
    package func resolving(_ location: String) -> WebAddress? {
        let resolved: WebAddress?
        if location.hasPrefix("//") {
            resolved = WebAddress((isSecure ? "https:" : "http:") + location)
        } else if location.hasPrefix("/") {
            resolved = WebAddress(root + location)
        } else if location.contains("://") {
            resolved = WebAddress(location)
        } else {
            let path = target.prefix { $0 != "?" }
            let directory = location.hasPrefix("?") ? path : path[...(path.lastIndex(of: "/") ?? path.startIndex)]
            resolved = WebAddress(root + directory + location)
        }
        guard let resolved else { return nil }
        let segments = resolved.target.prefix { $0 != "?" }.split(separator: "/")
        return segments.contains { $0 == "." || $0 == ".." } ? nil : resolved
    }

    /// The same with another path; `path` begins with "/".
    package func at(_ path: String) -> WebAddress {
        var address = self
        address.target = path
        return address
    }

    /// The same with names and values added to its query, percent-encoded.
    package func adding(_ query: [(name: String, value: String)]) -> WebAddress {
        var address = self
        for (name, value) in query {
            address.target +=
                (address.target.contains("?") ? "&" : "?") + Self.encoded(name) + "=" + Self.encoded(value)
        }
        return address
    }

    package var description: String { root + target }

    /// The host, with the port if it is not the scheme's own.
    package var authority: String { port == (isSecure ? 443 : 80) ? host : "\(host):\(port)" }

    private var root: String { (isSecure ? "https://" : "http://") + authority }

    /// Percent-encodes all but the unreserved characters of RFC 3986 section 2.3.
    package static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default: result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return result
    }

    private static func split(authority: String) -> (host: String, port: Int?)? {
        let lower = authority.lowercased()
        var host = Substring(lower)
        var port: Int?
        // The colons of an IPv6 address are in brackets.
        let colon = lower.lastIndex(of: ":")
        if let colon, !lower[colon...].contains("]") {
            host = lower[..<colon]
            let digits = lower[lower.index(after: colon)...]
            guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(digits), (1...65535).contains(number)
            else { return nil }
            port = number
        }
        return isHost(host) ? (String(host), port) : nil
    }

    private static func isHost(_ text: Substring) -> Bool {
        guard !text.isEmpty, text.utf8.count <= 253 else { return false }
        if text.hasPrefix("[") {
            guard text.hasSuffix("]"), text.utf8.count > 3 else { return false }
            return text.dropFirst().dropLast().utf8.allSatisfy {
                (0x30...0x39).contains($0) || (0x61...0x66).contains($0) || $0 == UInt8(ascii: ":")
                    || $0 == UInt8(ascii: ".")
            }
        }
        return text.utf8.allSatisfy {
            (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) || $0 == UInt8(ascii: ".")
                || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
        }
    }
}
