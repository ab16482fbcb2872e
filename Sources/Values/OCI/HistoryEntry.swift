package import JSON

/// How one layer, or a change of the config only, came about (image-spec config.md, "history").
package struct HistoryEntry: Hashable, Sendable {
    /// RFC 3339, as written.
    package var created: String?
    /// The command.
    package var createdBy: String?
    package var author: String?
    package var comment: String?
    /// True when the step changed no file, so that there is no layer for it.
    package var isEmptyLayer: Bool

    package init(
        created: String? = nil, createdBy: String? = nil, author: String? = nil, comment: String? = nil,
        isEmptyLayer: Bool = false
    ) {
        self.created = created
        self.createdBy = createdBy
        self.author = author
        self.comment = comment
        self.isEmptyLayer = isEmptyLayer
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        created = try reader.optional("created")
        createdBy = try reader.optional("created_by")
        author = try reader.optional("author")
        comment = try reader.optional("comment")
        isEmptyLayer = try reader.optional("empty_layer") ?? false
    }

    package var json: JSONValue {
        var json: JSONValue = [:]
        json["created"] = created.map { .string($0) }
        json["created_by"] = createdBy.map { .string($0) }
        json["author"] = author.map { .string($0) }
        json["comment"] = comment.map { .string($0) }
        if isEmptyLayer { json["empty_layer"] = true }
        return json
    }
}
