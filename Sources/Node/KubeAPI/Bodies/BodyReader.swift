import JSON
import KubeObjects
import KubeSchema

/// Turns the body of a request into JSON, by its Content-Type.
///
/// Invariants
/// 1. Any bytes give a value or a failure. (test: `no request makes the server trap`)
/// 2. A body without a Content-Type is JSON, as the Python client sends it. (test: `a body without a type is JSON`)
struct BodyReader {
    /// Of one request (`MaxRequestBodyBytes` of k8s.io/apiserver).
    static let bytesLimit = 3 << 20
    static let objectTypes = [MediaType.json, MediaType.yaml, MediaType.protobuf]

    let bytes: [UInt8]
    let type: String

    init(_ request: APIRequest) throws(APIFailure) {
        bytes = request.body
        let name = MediaType(request.headers["content-type"] ?? "").name
        type = name.isEmpty || name == "*/*" ? MediaType.json : name
        guard bytes.count <= Self.bytesLimit else {
            throw APIFailure(
                413, "RequestEntityTooLarge", "Request entity too large: limit is \(Self.bytesLimit)")
        }
    }

    static func unsupported(_ accepted: [String]) -> APIFailure {
        APIFailure(
            415, "UnsupportedMediaType",
            "the body of the request was in an unknown format - accepted media types include: "
                + accepted.joined(separator: ", "))
    }

    /// An object of a kind: decoded, checked for unknown fields as `validation` says, not yet filled in.
    /// - Parameter warnings: what `fieldValidation=Warn` has to say.
    func object(
        _ kind: Kind, _ schema: Schema, _ validation: FieldValidation, _ warnings: inout [String]
    ) throws(APIFailure) -> JSONValue {
        let json: JSONValue
        var duplicates: [String] = []
        switch type {
        case MediaType.protobuf: json = try protobuf(kind, schema)
        case MediaType.json, MediaType.yaml:
            json = try value(expecting: kind.id.kind)
            if validation != .ignore, type == MediaType.json { duplicates = DuplicateFields.find(in: bytes) }
        default: throw Self.unsupported(Self.objectTypes)
        }
        return try Self.decode(json, kind, schema, validation, duplicates: duplicates, &warnings)
    }

    static func decode(
        _ json: JSONValue, _ kind: Kind, _ schema: Schema, _ validation: FieldValidation, duplicates: [String] = [],
        _ warnings: inout [String]
    ) throws(APIFailure) -> JSONValue {
        do throws(DecodingFailure) {
            let decoded = try ObjectDecoder.decode(
                json, as: kind, of: schema, fieldValidation: validation, duplicates: duplicates)
            warnings += decoded.warnings
            return decoded.json
        } catch { throw .badRequest(error.description) }
    }

    private func protobuf(_ kind: Kind, _ schema: Schema) throws(APIFailure) -> JSONValue {
        do throws(ProtobufError) {
            return try ProtobufDecoder.decode(try ProtobufDecoder.envelope(bytes), as: kind, of: schema)
        } catch {
            throw .badRequest("the object provided is unrecognized (must be of type \(kind.id.kind)): \(error)")
        }
    }

    /// JSON or YAML, whatever it says.
    func value(expecting kind: String) throws(APIFailure) -> JSONValue {
        if type == MediaType.yaml || type == PatchType.apply.rawValue {
            do throws(YAMLBody.Failure) { return try YAMLBody.read(bytes) } catch {
                throw .badRequest("error decoding YAML: \(error)")
            }
        }
        do throws(JSONError) { return try JSONParser.parse(bytes) } catch {
            let shown = String(decoding: bytes.prefix(30), as: UTF8.self).goQuoted
            throw .badRequest(
                "the object provided is unrecognized (must be of type \(kind)): couldn't get version/kind; json parse "
                    + "error: "
                    + "\(error) (\(shown)\(bytes.count > 30 ? " ..." : ""))")
        }
    }

    /// The options of a deletion; without a body those of the query count.
    func deleteOptions(_ query: [(name: String, value: String)]) throws(APIFailure) -> DeleteOptions {
        if bytes.isEmpty { return try DeleteOptions(query: query) }
        switch type {
        case MediaType.json, MediaType.yaml: return try DeleteOptions(body: try value(expecting: "DeleteOptions"))
        case MediaType.protobuf: return try DeleteOptions(body: try ProtobufOptions.deletion(bytes))
        default: throw Self.unsupported(Self.objectTypes)
        }
    }
}

/// The sorts of patches, as Content-Type names them.
enum PatchType: String, Hashable, Sendable {
    case json = "application/json-patch+json"
    case merge = "application/merge-patch+json"
    case strategic = "application/strategic-merge-patch+json"
    case apply = "application/apply-patch+yaml"

    static func accepted(isCustom: Bool) -> [String] {
        let all: [PatchType] = isCustom ? [.json, .merge, .apply] : [.json, .merge, .strategic, .apply]
        return all.map(\.rawValue)
    }
}
