internal import Crypto
package import KubeObjects

/// Bearer tokens that a file names, as `--token-auth-file` of kube-apiserver has them: a line each,
/// `token,user,uid,"group1,group2"`, the groups optional.
package struct StaticTokens: Sendable {
    /// By digest, so that no comparison tells how much of a guess was right.
    private var users: [[UInt8]: UserInfo] = [:]

    package init() {}

    package mutating func add(_ token: String, _ user: UserInfo) {
        users[Array(SHA256.hash(data: Array(token.utf8)))] = user
    }

    func user(_ token: String) -> UserInfo? { users[Array(SHA256.hash(data: Array(token.utf8)))] }

    /// - Throws: for a line that is none, which it names.
    package init(file text: String) throws(AuthorityFailure) {
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
            if line.allSatisfy(\.isWhitespace) { continue }
            let fields = Self.fields(line)
            guard fields.count >= 3, !fields[0].isEmpty, !fields[1].isEmpty else {
                throw AuthorityFailure(
                    "read tokens: line \(index + 1) needs at least a token, a user's name and a uid, divided by commas."
                )
            }
            let groups = fields.count > 3 ? fields[3].split(separator: ",").map { String($0.trimmed) } : []
            add(fields[0], UserInfo(name: fields[1], uid: fields[2].isEmpty ? nil : fields[2], groups: groups))
        }
    }

    /// RFC 4180, without fields that span lines.
    private static func fields(_ line: Substring) -> [String] {
        var fields = [""]
        var isQuoted = false
        var before: Character?
        for character in line {
            if character == "\"" {
                // Twice within quotes is one that is meant.
                if !isQuoted, before == "\"" { fields[fields.count - 1].append("\"") }
                isQuoted.toggle()
            } else if character == ",", !isQuoted {
                fields.append("")
            } else {
                fields[fields.count - 1].append(character)
            }
            before = character
        }
        return fields.map { String($0.trimmed) }
    }
}

extension StringProtocol {
    /// Without blanks at both ends.
    var trimmed: SubSequence {
        var part = self[...]
        while let first = part.first, first.isWhitespace { part = part.dropFirst() }
        while let last = part.last, last.isWhitespace { part = part.dropLast() }
        return part
    }
}
