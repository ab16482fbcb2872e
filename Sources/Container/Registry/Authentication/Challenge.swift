/// One way to authenticate that a registry offers in WWW-Authenticate (RFC 9110 section 11.6.1).
///
/// Invariants
/// 1. Any text gives challenges or none, and never traps. (test: `headers of any shape are read or passed over`)
package struct Challenge: Hashable, Sendable {
    /// In lower case: "bearer", "basic".
    package var scheme: String
    /// Names in lower case.
    package var parameters: [String: String]

    package init(scheme: String, parameters: [String: String] = [:]) {
        self.scheme = scheme
        self.parameters = parameters
    }

    /// The challenges of one header field, in order. What cannot be read ends the list.
    package static func parse(_ header: String) -> [Challenge] {
        var scanner = Scanner(rest: Array(header.utf8)[...])
        var challenges: [Challenge] = []
        while true {
            scanner.skip { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: ",") || $0 == 9 }
            let mark = scanner.rest
            guard let word = scanner.token() else { return challenges }
            scanner.skip { $0 == UInt8(ascii: " ") || $0 == 9 }
            if scanner.take(UInt8(ascii: "=")), !challenges.isEmpty {
                scanner.skip { $0 == UInt8(ascii: " ") || $0 == 9 }
                guard let value = scanner.value() else { return challenges }
                // The first of two wins: what comes later must not displace what was there.
                let name = word.lowercased()
                if challenges[challenges.count - 1].parameters[name] == nil {
                    challenges[challenges.count - 1].parameters[name] = value
                }
            } else {
                guard mark.count > scanner.rest.count else { return challenges }
                challenges.append(Challenge(scheme: word.lowercased()))
            }
        }
    }

    private struct Scanner {
        var rest: ArraySlice<UInt8>

        mutating func skip(_ isSkipped: (UInt8) -> Bool) { rest = rest.drop(while: isSkipped) }

        mutating func take(_ byte: UInt8) -> Bool {
            guard rest.first == byte else { return false }
            rest = rest.dropFirst()
            return true
        }

        /// A token of RFC 9110 section 5.6.2; nil when there is none.
        mutating func token() -> String? {
            let token = rest.prefix { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
            guard !token.isEmpty else { return nil }
            rest = rest[token.endIndex...]
            return String(decoding: token, as: UTF8.self)
        }

        /// A token or a quoted string.
        mutating func value() -> String? {
            guard take(UInt8(ascii: "\"")) else { return token() }
            var bytes: [UInt8] = []
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
                guard byte == UInt8(ascii: "\\") else {
                    bytes.append(byte)
                    continue
                }
                guard let escaped = rest.popFirst() else { return nil }
                bytes.append(escaped)
            }
            return nil
        }
    }
}
