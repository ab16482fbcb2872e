import JSON

@testable import KubeSchema

/// A manifest as it reaches validation: decoded and filled in.
func prepared(_ kind: Kind, _ json: JSONValue) throws -> JSONValue {
    var json = json
    if kind.isNamespaced, json["metadata"]?["namespace"] == nil {
        json["metadata", default: [:]]["namespace"] = "default"
    }
    if json["metadata"]?["name"] == nil { json["metadata", default: [:]]["name"] = "n" }
    var object = try ObjectDecoder.decode(json, as: kind, of: .kubernetes, fieldValidation: .strict).json
    Defaulting.apply(to: &object, of: kind, in: .kubernetes)
    return object
}

/// What is wrong with a manifest, as "path: message".
func causes(_ kind: Kind, _ json: JSONValue) throws -> [String] {
    let object = try prepared(kind, json)
    do throws(InvalidObject) {
        try Validation(kind, in: .kubernetes).checkNew(object)
        return []
    } catch {
        return error.causes.map(\.description)
    }
}
