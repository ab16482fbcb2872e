internal import Lambda

/// A pattern of the service's model: how it is written there, and what it accepts.
struct TextPattern: Sendable {
    var pattern: String
    var accepts: @Sendable (String) -> Bool

    /// One or more of letters, digits and the characters of `others`.
    private static func words(_ others: String, _ pattern: String) -> TextPattern {
        TextPattern(pattern: pattern) { text in
            !text.isEmpty && text.utf8.allSatisfy { isLetterOrDigit($0) || others.utf8.contains($0) }
        }
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: false
        }
    }

    static let alias = TextPattern(pattern: "(?!^[0-9]+$)([a-zA-Z0-9-_]+)") { FunctionReference.isAlias($0) }
    static let version = TextPattern(pattern: "(\\$LATEST|[0-9]+)") { $0 == "$LATEST" || FunctionReference.version($0) != nil }
    static let handler = TextPattern(pattern: "[^\\s]+") { !$0.isEmpty && !$0.contains(where: \.isWhitespace) && !$0.utf8.contains(0) }
    static let noControls = TextPattern(pattern: "[^\\p{Cc}]*") { !$0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } }
    static let statement = words("-_", "([a-zA-Z0-9-_]+)")
    static let layerName = words("-_", "[a-zA-Z0-9-_]+")
    static let logGroup = words(".-_/#", "[\\.\\-_/#A-Za-z0-9]+")
    static let token = words("._-", "[a-zA-Z0-9._\\-]+")
    static let action = TextPattern(pattern: "(lambda:[*]|lambda:[a-zA-Z]+|[*])") { text in
        text == "*" || text == "lambda:*"
            || (text.hasPrefix("lambda:") && text.utf8.count > 7
                && text.dropFirst(7).utf8.allSatisfy { 65...90 ~= $0 || 97...122 ~= $0 })
    }
    static let principal = TextPattern(pattern: "[^\\s]+") { !$0.isEmpty && !$0.contains(where: \.isWhitespace) }
    static let account = TextPattern(pattern: "\\d{12}") { $0.utf8.count == 12 && $0.utf8.allSatisfy { 48...57 ~= $0 } }
    static let organization = TextPattern(pattern: "o-[a-z0-9]{10,32}") { text in
        text.hasPrefix("o-") && 12...34 ~= text.utf8.count
            && text.dropFirst(2).utf8.allSatisfy { 97...122 ~= $0 || 48...57 ~= $0 }
    }
    static let arn = TextPattern(pattern: "arn:(aws[a-zA-Z0-9-]*):([a-zA-Z0-9\\-])+:([a-z]{2}(-gov)?-[a-z]+-\\d{1})?:(\\d{12})?:(.*)") {
        $0.hasPrefix("arn:") && $0.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false).count == 6
    }
    static let role = TextPattern(pattern: "arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+") { text in
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[2] == "iam", parts[3].isEmpty else { return false }
        guard parts[1].isEmpty || parts[1].hasPrefix("aws"), account.accepts(String(parts[4])) else { return false }
        return parts[5].hasPrefix("role") && parts[5].utf8.count > 4 && parts[5].utf8.count <= 600
            && parts[5].utf8.allSatisfy { isLetterOrDigit($0) || "_+=,.@-/".utf8.contains($0) }
    }
    static let environmentName = TextPattern(pattern: "[a-zA-Z]([a-zA-Z0-9_])+") { text in
        guard let first = text.utf8.first, text.utf8.count >= 2, isLetterOrDigit(first), !(48...57 ~= first) else { return false }
        return text.utf8.allSatisfy { isLetterOrDigit($0) || $0 == UInt8(ascii: "_") }
    }
    static let mountPath = TextPattern(pattern: "/mnt/[a-zA-Z0-9-_.]+") { text in
        let name = text.dropFirst(5)
        return text.hasPrefix("/mnt/") && name != "." && name != ".." && words("-_.", "").accepts(String(name))
    }
    static let uuid = TextPattern(pattern: "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}") { text in
        text.utf8.count == 36 && text.utf8.allSatisfy { 48...57 ~= $0 || 97...102 ~= $0 || $0 == UInt8(ascii: "-") }
    }
}
