/// How a caller names a function: `NAME`, `NAME:QUALIFIER`, `ACCOUNT:function:NAME` or an ARN, each with or without a
/// qualifier.
///
/// Invariants
/// 1. A name has 1 to 64 of A-Z, a-z, 0-9, "-" and "_"; a qualifier is $LATEST, a number or an alias: both are safe as
///    parts of a path and of an ARN. (test: `a reference is what it was written from, or is refused`)
package struct FunctionReference: Hashable, Sendable {
    package var name: String
    /// "$LATEST", a number, or an alias; nil when none was given.
    package var qualifier: String?
    /// Region and account of an ARN; an account alone of a partial one.
    package var region: String?
    package var account: String?

    package init(name: String, qualifier: String? = nil) {
        self.name = name
        self.qualifier = qualifier
    }

    /// - Throws: InvalidParameterValueException.
    package init(_ text: String) throws(LambdaFailure) {
        guard text.utf8.count <= 256 else { throw Self.refusal(text) }
        var parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count > 2, parts[0] == "arn" {
            guard parts.count >= 7, parts.count <= 8, parts[1].hasPrefix("aws"), parts[2] == "lambda", parts[5] == "function"
            else { throw Self.refusal(text) }
            guard Self.isRegion(parts[3]), Self.isAccount(parts[4]) else { throw Self.refusal(text) }
            (region, account) = (String(parts[3]), String(parts[4]))
            parts.removeFirst(6)
        } else if parts.count >= 3, parts[1] == "function" {
            guard Self.isAccount(parts[0]) else { throw Self.refusal(text) }
            account = String(parts[0])
            parts.removeFirst(2)
        } else if parts.count >= 2, parts[0] == "function" {
            parts.removeFirst()
        }
        guard parts.count <= 2, let name = parts.first, Self.isName(name), name.utf8.count <= 64 else {
            throw Self.refusal(text)
        }
        self.name = String(name)
        guard parts.count == 2 else { return }
        guard Self.isQualifier(parts[1]) else { throw Self.refusal(text) }
        qualifier = String(parts[1])
    }

    private static func refusal(_ text: String) -> LambdaFailure {
        // A hostile name must not fill a log.
        let shown = text.utf8.count <= 256 ? text : text.prefix(64) + "..."
        return .invalidParameter(
            "\(String(reflecting: shown)) names no function. Give NAME, NAME:QUALIFIER, ACCOUNT:function:NAME or an ARN; "
                + "a name has up to 64 letters, digits, \"-\" and \"_\", a qualifier is $LATEST, a version or an alias.")
    }

    package static func isName(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { Self.isWord($0) }
    }

    /// Whether it could be one; whether there is one only the catalogue knows.
    package static func isQualifier(_ text: some StringProtocol) -> Bool {
        text == "$LATEST" || (isName(text) && text.utf8.count <= 128)
    }

    /// A version's number, as 1 and not 01.
    package static func version(_ text: some StringProtocol) -> Int? {
        guard text.utf8.count <= 18, text.utf8.first != UInt8(ascii: "0"), text.utf8.allSatisfy({ 48...57 ~= $0 }) else {
            return nil
        }
        return Int(text)
    }

    /// A name that is no number.
    package static func isAlias(_ text: some StringProtocol) -> Bool {
        isName(text) && text.utf8.count <= 128 && !text.utf8.allSatisfy { 48...57 ~= $0 }
    }

    private static func isRegion(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { 97...122 ~= $0 || 48...57 ~= $0 || $0 == UInt8(ascii: "-") }
    }

    private static func isAccount(_ text: some StringProtocol) -> Bool {
        text.utf8.count == 12 && text.utf8.allSatisfy { 48...57 ~= $0 }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
