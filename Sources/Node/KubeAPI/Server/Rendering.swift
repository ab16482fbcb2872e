import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// Answers as bytes.
enum Rendering {
    /// In which form a client wants objects.
    enum Form: Hashable, Sendable {
        case object
    }

    static let headers: [(name: String, value: String)] = [
        (name: "Content-Type", value: MediaType.json), (name: "Cache-Control", value: "no-cache, private"),
    ]

    static func form(_ request: APIRequest, _ call: Call) throws(APIFailure) -> Form {
        let accept = request.headers["accept"] ?? ""
        guard !accept.isEmpty else { return .object }
        for part in accept.split(separator: ",") {
            let type = MediaType(part)
            if ["application/json", "application/*", "*/*"].contains(type.name), type.parameters["as"] == nil { return .object }
        }
        throw APIFailure(
            406, "NotAcceptable", "only the following media types are accepted: application/json")
    }

    static func encoder(_ form: Form, _ call: Call) -> WatchEncoder { WatchEncoder(kind: call.kind) }

    static func object(_ shown: ShownObject, _ status: Int, _ form: Form, _ call: Call) -> APIResponse {
        response(status, shown.bytes, call)
    }

    static func value(_ value: JSONValue, _ status: Int, _ call: Call) -> APIResponse {
        response(status, JSONWriter.bytes(value), call)
    }

    private static func response(_ status: Int, _ body: [UInt8], _ call: Call) -> APIResponse {
        var answer = APIResponse(status, headers: headers, body: body)
        add(call.warnings, to: &answer)
        return answer
    }

    static func add(_ warnings: Warnings, to answer: inout APIResponse) {
        for text in warnings.all { answer.headers.append((name: "Warning", value: Warnings.header(text))) }
    }

    /// Objects as they are stored, one behind the other: none is parsed.
    static func list(_ listed: ListedObjects, _ form: Form, _ call: Call) -> APIResponse {
        var body: [UInt8] = []
        body.reserveCapacity(256 + listed.objects.reduce(0) { $0 + $1.byteCount + 1 })
        var head: JSONValue = [
            "kind": .string(call.kind.id.kind + "List"), "apiVersion": .string(call.kind.id.apiVersion),
            "metadata": ["resourceVersion": .string(String(listed.revision))],
        ]
        if let next = listed.next {
            head["metadata", "continue"] = .string(next.text)
            if let remaining = listed.remaining { head["metadata", "remainingItemCount"] = .integer(Int64(remaining)) }
        }
        body += JSONWriter.bytes(head).dropLast()
        body += ",\"items\":[".utf8
        for (index, object) in listed.objects.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            object.append(to: &body)
        }
        body += "]}".utf8
        return response(200, body, call)
    }

    static func failure(_ failure: APIFailure) -> APIResponse {
        var answer = APIResponse(failure.code, headers: headers, body: JSONWriter.bytes(failure.status))
        if let seconds = failure.details?["retryAfterSeconds"]?.integer {
            answer.headers.append((name: "Retry-After", value: String(seconds)))
        }
        return answer
    }
}
