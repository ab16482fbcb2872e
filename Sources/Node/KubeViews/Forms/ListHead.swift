internal import JSON

/// What a list says of itself (meta/v1.ListMeta), whatever form its objects have.
package struct ListHead: Hashable, Sendable {
    package var resourceVersion: String
    /// Where the next page begins; nil when this is the last.
    package var continueToken: String?
    /// How many objects come behind this page, where that is known.
    package var remaining: Int?

    package init(resourceVersion: String, continueToken: String? = nil, remaining: Int? = nil) {
        self.resourceVersion = resourceVersion
        self.continueToken = continueToken
        self.remaining = remaining
    }

    /// `"metadata":{...}`
    package var bytes: [UInt8] {
        var metadata: JSONValue = ["resourceVersion": .string(resourceVersion)]
        if let continueToken { metadata["continue"] = .string(continueToken) }
        if let remaining, continueToken != nil { metadata["remainingItemCount"] = .integer(Int64(remaining)) }
        return Array("\"metadata\":".utf8) + JSONWriter.bytes(metadata)
    }
}
