/// The access keys with which requests are signed: the secrets by their ids.
package struct AccessKeys: Sendable {
    /// Why a file of keys cannot be used.
    package struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// Says the line, never a secret.
        package var description: String
    }

    private let secrets: [String: String]

    package init(_ secrets: [String: String]) { self.secrets = secrets }

    /// Lines `ID SECRET`; empty lines and lines that begin with "#" are left out.
    package init(parsing text: String) throws(Failure) {
        var secrets: [String: String] = [:]
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let words = line.split(whereSeparator: \.isWhitespace)
            if words.isEmpty || words[0].hasPrefix("#") { continue }
            guard words.count == 2 else {
                throw Failure(description: "line \(index + 1) is not 'ID SECRET': it has \(words.count) words")
            }
            guard
                words[0].utf8.allSatisfy({
                    $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: ",")
                })
            else {
                throw Failure(
                    description: "line \(index + 1): the id of an access key has no '/', no ',' and only ASCII")
            }
            guard secrets.updateValue(String(words[1]), forKey: String(words[0])) == nil else {
                throw Failure(description: "line \(index + 1): the access key \(words[0]) is there twice")
            }
        }
        guard !secrets.isEmpty else { throw Failure(description: "there is no access key in it") }
        self.secrets = secrets
    }

    func secret(of id: String) -> String? { secrets[id] }
    package var ids: [String] { secrets.keys.sorted() }
}
