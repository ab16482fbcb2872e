package import JSON

/// A request of the Lambda API as the door has read it.
package struct OperationInput: Sendable {
    /// Parts of the path by the names of the service's model, percent-decoded: "FunctionName", "Name", "UUID",
    /// "LayerName", "VersionNumber", "StatementId", "Resource".
    package var path: [String: String]
    /// Parameters of the query by their names on the wire, decoded, in their order: "Qualifier", "Marker", "MaxItems", "tagKeys".
    package var query: [(name: String, value: String)]
    /// The body; null when there was none.
    package var body: JSONValue

    package init(path: [String: String] = [:], query: [(name: String, value: String)] = [], body: JSONValue = .null) {
        self.path = path
        self.query = query
        self.body = body
    }
}

/// The answer of an operation that went well.
package struct OperationOutput: Hashable, Sendable {
    package var status: Int
    /// nil where the service answers with an empty body.
    package var body: JSONValue?

    package init(status: Int, body: JSONValue? = nil) {
        self.status = status
        self.body = body
    }
}
