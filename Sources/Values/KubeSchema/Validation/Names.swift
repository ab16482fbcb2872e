/// Rules for names, with the sentences of `k8s.io/apimachinery/pkg/util/validation`. Each gives what is wrong; nothing
/// when all is well.
package enum Names {
    /// RFC 1123: at most 63 lower case letters, digits and "-", with a letter or digit at both ends.
    package static func dnsLabel(_ text: String) -> [String] {
        var problems = tooLong(text, 63)
        if !isLabel(text[...]) {
            if isSubdomain(text) {
                problems.append("must not contain dots")
            } else {
                problems.append(
                    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
                        + "end with an alphanumeric character"
                        + hint("[a-z0-9]([-a-z0-9]*[a-z0-9])?", "my-name", "123-abc"))
            }
        }
        return problems
    }

    /// RFC 1123: labels with dots between them, 253 characters in all.
    package static func dnsSubdomain(_ text: String) -> [String] {
        var problems = tooLong(text, 253)
        if !isSubdomain(text) {
            problems.append(
                "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
                    + "and end with an alphanumeric character"
                    + hint(#"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"#, "example.com"))
        }
        return problems
    }

    /// RFC 1035: like a label of RFC 1123, with a letter first.
    package static func dns1035Label(_ text: String) -> [String] {
        var problems = tooLong(text, 63)
        if !isLabel(text[...]) || !(text.utf8.first.map(isLower) ?? false) {
            problems.append(
                "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
                    + "character, and end with an alphanumeric character"
                    + hint("[a-z]([-a-z0-9]*[a-z0-9])?", "my-name", "abc-123"))
        }
        return problems
    }

    /// A name that stands in a path as one step, as those of roles do.
    package static func pathSegment(_ text: String) -> [String] {
        if text == "." || text == ".." { return ["may not be '\(text)'"] }
        return ["/", "%"].filter { text.contains($0) }.map { "may not contain '\($0)'" }
    }

    /// The key of a label: a name of at most 63 characters, before it a domain and "/" if one likes.
    package static func labelKey(_ text: String) -> [String] {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let form = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
        let rule =
            "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
            + hint(form, "MyName", "my.name", "123-abc")
        guard parts.count <= 2 else {
            return [
                "a valid label key \(rule) with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            ]
        }
        var problems: [String] = []
        if parts.count == 2 {
            if parts[0].isEmpty {
                problems.append("prefix part must be non-empty")
            } else {
                problems += dnsSubdomain(parts[0]).map { "prefix part " + $0 }
            }
        }
        let name = parts.last ?? ""
        if name.isEmpty {
            problems.append("name part must be non-empty")
        } else if name.utf8.count > 63 {
            problems.append("name part must be no more than 63 bytes")
        }
        if !isLabelName(name) { problems.append("name part \(rule)") }
        return problems
    }

    /// The value of a label: empty, or like the name of a key.
    package static func labelValue(_ text: String) -> [String] {
        var problems = text.utf8.count > 63 ? ["must be no more than 63 bytes"] : []
        if !text.isEmpty, !isLabelName(text) {
            problems.append(
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
                    + "and end with an alphanumeric character"
                    + hint("(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?", "MyValue", "my_value", "12345"))
        }
        return problems
    }

    /// The name of a port: at most 15 lower case letters, digits and single "-", at least one letter (RFC 6335).
    package static func portName(_ text: String) -> [String] {
        var problems = tooLong(text, 15)
        let bytes = Array(text.utf8)
        if bytes.isEmpty || !bytes.allSatisfy({ isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }) {
            problems.append("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)")
        }
        if !bytes.contains(where: isLower) { problems.append("must contain at least one letter (a-z)") }
        if text.contains("--") { problems.append("must not contain consecutive hyphens") }
        if bytes.first == UInt8(ascii: "-") || bytes.last == UInt8(ascii: "-") {
            problems.append("must not begin or end with a hyphen")
        }
        return problems
    }

    /// The key of a config map or secret.
    package static func configKey(_ text: String) -> [String] {
        var problems = tooLong(text, 253)
        if text.isEmpty || !text.utf8.allSatisfy({ isAlphanumeric($0) || "-_.".utf8.contains($0) }) {
            problems.append(
                "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
                    + hint("[-._a-zA-Z0-9]+", "key.name", "KEY_NAME", "key-name"))
        }
        if text == "." { problems.append("must not be '.'") }
        if text == ".." {
            problems.append("must not be '..'")
        } else if text.hasPrefix("..") {
            problems.append("must not start with '..'")
        }
        return problems
    }

    /// The name of an environment variable: printable ASCII but "=".
    package static func environmentVariable(_ text: String) -> [String] {
        if text.utf8.allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") }) { return [] }
        return ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
    }

    // MARK: Letters

    static func isLabel(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, first != UInt8(ascii: "-"),
            last != UInt8(ascii: "-")
        else { return false }
        return text.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    static func isSubdomain(_ text: String) -> Bool {
        text.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isLabel($0) }
    }

    private static func isLabelName(_ text: String) -> Bool {
        guard let first = text.utf8.first, let last = text.utf8.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return false
        }
        return text.utf8.allSatisfy { isAlphanumeric($0) || "-_.".utf8.contains($0) }
    }

    static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    static func isAlphanumeric(_ byte: UInt8) -> Bool { isLower(byte | 0x20) && byte >= 0x41 || isDigit(byte) }

    private static func tooLong(_ text: String, _ limit: Int) -> [String] {
        text.utf8.count > limit ? ["must be no more than \(limit) characters"] : []
    }

    /// What follows the rule: examples and the regular expression.
    static func hint(_ expression: String, _ examples: String...) -> String {
        let list = examples.map { "'\($0)', " }.joined(separator: " or ")
        return " (e.g. \(list)regex used for validation is '\(expression)')"
    }
}
