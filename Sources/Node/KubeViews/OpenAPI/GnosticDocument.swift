import JSON

/// A Swagger document as a message of gnostic (google/gnostic, openapiv2/OpenAPIv2.proto), the only form that kubectl
/// up to 1.26 reads. What the messages have in common with the JSON is written by name; extensions are written as YAML,
/// of which JSON is a part.
///
/// Invariant: of a document of ours nothing is left out. (test: `the protobuf form has all that the JSON has`)
enum GnosticDocument {
    static let contentType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

    static func bytes(_ document: JSONValue) -> [UInt8] {
        var writer = ProtobufWriter()
        writer.string(1, document["swagger"]?.string)
        writer.message(2) { info in
            info.string(1, document["info", "title"]?.string)
            info.string(2, document["info", "version"]?.string)
        }
        writer.message(8) { paths in
            for path in members(document["paths"]) { paths.message(2) { named(&$0, path) { item(&$0, $1) } } }
        }
        writer.message(9) { definitions in
            for one in members(document["definitions"]) {
                definitions.message(1) { named(&$0, one) { schema(&$0, $1) } }
            }
        }
        return writer.bytes
    }

    private static func members(_ json: JSONValue?) -> [JSONObject.Member] { json?.object?.members ?? [] }

    private static func named(
        _ writer: inout ProtobufWriter, _ member: JSONObject.Member,
        _ write: (inout ProtobufWriter, JSONValue) -> Void
    ) {
        writer.string(1, member.key)
        writer.message(2) { write(&$0, member.value) }
    }

    /// Any: its text is YAML.
    private static func any(_ writer: inout ProtobufWriter, _ value: JSONValue) {
        writer.string(2, JSONWriter.text(value) + "\n")
    }

    private static func extensions(_ writer: inout ProtobufWriter, _ number: Int, of json: JSONValue) {
        for member in members(json) where member.key.hasPrefix("x-") {
            writer.message(number) { named(&$0, member, any) }
        }
    }

    // MARK: Paths

    private static func item(_ writer: inout ProtobufWriter, _ json: JSONValue) {
        for (number, method) in [
            (2, "get"), (3, "put"), (4, "post"), (5, "delete"), (6, "options"), (7, "head"), (8, "patch"),
        ] {
            guard let operation = json[method] else { continue }
            writer.message(number) { self.operation(&$0, operation) }
        }
        parameters(&writer, 9, json)
        extensions(&writer, 10, of: json)
    }

    private static func operation(_ writer: inout ProtobufWriter, _ json: JSONValue) {
        writer.string(3, json["description"]?.string)
        writer.string(5, json["operationId"]?.string)
        for type in json["produces"]?.array ?? [] { writer.element(6, type.string ?? "") }
        for type in json["consumes"]?.array ?? [] { writer.element(7, type.string ?? "") }
        parameters(&writer, 8, json)
        writer.message(9) { responses in
            for response in members(json["responses"]) {
                responses.message(1) { one in
                    named(&one, response) { value, json in
                        value.message(1) { self.response(&$0, json) }
                    }
                }
            }
        }
        extensions(&writer, 13, of: json)
    }

    private static func response(_ writer: inout ProtobufWriter, _ json: JSONValue) {
        writer.string(1, json["description"]?.string)
        guard let schema = json["schema"] else { return }
        writer.message(2) { item in item.message(1) { self.schema(&$0, schema) } }
    }

    /// ParametersItem { Parameter { BodyParameter | NonBodyParameter { query | path } } }
    private static func parameters(_ writer: inout ProtobufWriter, _ number: Int, _ json: JSONValue) {
        for parameter in json["parameters"]?.array ?? [] {
            writer.message(number) { item in
                item.message(1) { one in
                    switch parameter["in"]?.string {
                    case "body": one.message(1) { bodyParameter(&$0, parameter) }
                    case "path": one.message(2) { $0.message(4) { simpleParameter(&$0, parameter, isPath: true) } }
                    default: one.message(2) { $0.message(3) { simpleParameter(&$0, parameter, isPath: false) } }
                    }
                }
            }
        }
    }

    private static func bodyParameter(_ writer: inout ProtobufWriter, _ json: JSONValue) {
        writer.string(1, json["description"]?.string)
        writer.string(2, json["name"]?.string)
        writer.string(3, json["in"]?.string)
        writer.bool(4, json["required"]?.bool)
        if let schema = json["schema"] { writer.message(5) { self.schema(&$0, schema) } }
    }

    /// Query parameters have one field more before the type.
    private static func simpleParameter(_ writer: inout ProtobufWriter, _ json: JSONValue, isPath: Bool) {
        writer.bool(1, json["required"]?.bool)
        writer.string(2, json["in"]?.string)
        writer.string(3, json["description"]?.string)
        writer.string(4, json["name"]?.string)
        writer.string(isPath ? 5 : 6, json["type"]?.string)
        writer.bool(isPath ? 19 : 20, json["uniqueItems"]?.bool)
    }

    // MARK: Schemas

    private static func schema(_ writer: inout ProtobufWriter, _ json: JSONValue) {
        writer.string(1, json["$ref"]?.string)
        writer.string(2, json["format"]?.string)
        writer.string(3, json["title"]?.string)
        writer.string(4, json["description"]?.string)
        if let value = json["default"] { writer.message(5) { any(&$0, value) } }
        writer.double(6, json["multipleOf"]?.double)
        writer.double(7, json["maximum"]?.double)
        writer.bool(8, json["exclusiveMaximum"]?.bool)
        writer.double(9, json["minimum"]?.double)
        writer.bool(10, json["exclusiveMinimum"]?.bool)
        writer.integer(11, json["maxLength"]?.integer)
        writer.integer(12, json["minLength"]?.integer)
        writer.string(13, json["pattern"]?.string)
        writer.integer(14, json["maxItems"]?.integer)
        writer.integer(15, json["minItems"]?.integer)
        writer.bool(16, json["uniqueItems"]?.bool)
        writer.integer(17, json["maxProperties"]?.integer)
        writer.integer(18, json["minProperties"]?.integer)
        for name in json["required"]?.array ?? [] { writer.element(19, name.string ?? "") }
        for value in json["enum"]?.array ?? [] { writer.message(20) { any(&$0, value) } }
        switch json["additionalProperties"] {
        case .bool(let isAllowed)?: writer.message(21) { $0.bool(2, isAllowed) }
        case let schema?: writer.message(21) { $0.message(1) { self.schema(&$0, schema) } }
        case nil: break
        }
        if let type = json["type"]?.string { writer.message(22) { $0.element(1, type) } }
        if let items = json["items"] { writer.message(23) { $0.message(1) { self.schema(&$0, items) } } }
        if let properties = json["properties"] {
            writer.message(25) { all in
                for member in members(properties) { all.message(1) { named(&$0, member) { schema(&$0, $1) } } }
            }
        }
        if let example = json["example"] { writer.message(30) { any(&$0, example) } }
        extensions(&writer, 31, of: json)
    }
}
