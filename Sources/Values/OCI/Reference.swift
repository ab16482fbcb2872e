package import JSON

/// The name of an image: "[HOST[:PORT]/]PATH[:TAG][@DIGEST]", the grammar of the distribution project's "reference".
///
/// A first component is a host when it holds "." or ":", or is "localhost". Without a host a name is local: it says
/// what an image is called here, and no registry is assumed.
///
/// Invariants (each with a test in ReferenceTests):
/// 1. `Reference(text).description` is `text`: nothing is added or normalised by reading.
/// 2. The path is lower-case letters, digits and separators: no "..", no empty component, nothing that a URL or a file
///    name would understand otherwise.
/// 3. 64 hexadecimal digits are never a name: they would be taken for an image's id.
package struct Reference: Hashable, Sendable, CustomStringConvertible {
    /// "registry.example:5000"; nil for a local name.
    package let host: String?
    /// "team/app".
    package let path: String
    package let tag: String?
    package let digest: Digest?

    /// - Throws: `ReferenceError`, which says what is wrong with the text.
    package init(_ text: some StringProtocol) throws(ReferenceError) {
        let text = String(text)
        var rest = text[...]
        var digest: Digest?
        if let at = rest.firstIndex(of: "@") {
            guard let value = Digest(rest[rest.index(after: at)...]) else {
                throw ReferenceError(text, "what follows \"@\" is no digest such as sha256: and 64 digits 0-9a-f")
            }
            digest = value
            rest = rest[..<at]
        }
        var tag: String?
        if let colon = rest.lastIndex(of: ":"), !rest[colon...].contains("/") {
            tag = String(rest[rest.index(after: colon)...])
            rest = rest[..<colon]
        }
        var host: String?
        if let slash = rest.firstIndex(of: "/"), Self.isHost(rest[..<slash]) {
            host = String(rest[..<slash])
            rest = rest[rest.index(after: slash)...]
        }
        try self.init(host: host, path: String(rest), tag: tag, digest: digest, text: text)
    }

    /// The same with another tag or digest.
    ///
    /// - Throws: `ReferenceError` when `tag` is none.
    package func with(tag: String?, digest: Digest? = nil) throws(ReferenceError) -> Reference {
        let text = repository + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
        return try Reference(host: host, path: path, tag: tag, digest: digest, text: text)
    }

    /// The same with ":latest" when it has neither a tag nor a digest.
    package var tagged: Reference {
        tag == nil && digest == nil ? Reference(checked: host, path, "latest", nil) : self
    }

    /// Host and path, without tag and digest.
    package var repository: String { host.map { "\($0)/\(path)" } ?? path }

    package var description: String {
        repository + (tag.map { ":\($0)" } ?? "") + (digest.map { "@\($0)" } ?? "")
    }

    private init(checked host: String?, _ path: String, _ tag: String?, _ digest: Digest?) {
        self.host = host
        self.path = path
        self.tag = tag
        self.digest = digest
    }

    private init(
        host: String?, path: String, tag: String?, digest: Digest?, text: String
    ) throws(ReferenceError) {
        if let host, !ReferenceGrammar.isHost(host) {
            throw ReferenceError(text, "\"\(host)\" is no registry host such as registry.example:5000")
        }
        guard ReferenceGrammar.isPath(path) else {
            let advice = path.lowercased() != path ? "; names are lower-case" : ""
            throw ReferenceError(
                text, "a name is letters a-z, digits and single . _ - between them, in parts with / between\(advice)")
        }
        if let tag, !ReferenceGrammar.isTag(tag) {
            throw ReferenceError(text, "a tag is 1 to 128 letters, digits, _ . - and begins with none of . -")
        }
        guard (host.map { $0.utf8.count + 1 } ?? 0) + path.utf8.count <= 255 else {
            throw ReferenceError(text, "a name has at most 255 characters")
        }
        if host == nil, path.utf8.count == 64, Digest("sha256:" + path) != nil {
            throw ReferenceError(text, "64 hexadecimal digits are an image's id, not a name")
        }
        self.init(checked: host, path, tag, digest)
    }

    private static func isHost(_ text: Substring) -> Bool {
        text == "localhost" || text.contains(".") || text.contains(":")
    }
}

extension Reference: JSONConvertible {
    package static var expectation: String { "an image's name" }
    package init?(json: JSONValue) {
        guard let text = json.string, let reference = try? Reference(text) else { return nil }
        self = reference
    }
    package var json: JSONValue { .string(description) }
}

/// Text that is no image's name.
package struct ReferenceError: Error, Hashable, Sendable, CustomStringConvertible {
    package var text: String
    package var problem: String

    init(_ text: String, _ problem: String) {
        self.text = text
        self.problem = problem
    }

    package var description: String { "\"\(text)\" is no image's name: \(problem)" }
}
