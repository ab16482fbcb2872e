package import JSON

/// Asks whether a word means an image that is here: `images.find`. For callers to whom a word may mean something else.
package struct FindImage: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = FoundImage
    package static let operation = NodeOperation.findImage

    /// A name, a digest or the start of an id.
    package var name: String

    package init(_ name: String) { self.name = name }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) { self.init(try reader.required("name")) }

    package var json: JSONValue { .members(("name", name.json)) }
}

package struct FoundImage: NodeValue {
    /// Its id; nil: the word means no image that is here.
    package var id: String?

    package init(id: String?) { self.id = id }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) { id = try reader.optional("id") }

    package var json: JSONValue { .members(("id", id?.json)) }
}
