import JSON
import KubeObjects
import KubeSchema
import KubeStore
import KubeViews

/// Answers as bytes, in the form that a client wants: whole objects, rows of a table, metadata alone.
enum Rendering {
    static let headers: [(name: String, value: String)] = [
        (name: "Content-Type", value: MediaType.json), (name: "Cache-Control", value: "no-cache, private"),
    ]

    static func form(_ request: APIRequest, _ subject: ResponseForm.Subject) throws(APIFailure) -> ResponseForm {
        try ResponseForm(
            accept: request.headers["accept"], includeObject: request.parameter("includeObject"), of: subject)
    }

    static func object(
        _ shown: ShownObject, _ status: Int, _ form: ResponseForm, _ call: Call, now: Timestamp
    ) -> APIResponse {
        let bytes = call.converted(shown)
        return switch form {
        case .object: response(status, bytes, call)
        case .table(let table): response(status, TableRenderer(call.served, table, now: now).object(bytes), call)
        case .metadata(let version): response(status, PartialMetadata(version: version).object(bytes), call)
        }
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

    static func list(_ listed: ListedObjects, _ form: ResponseForm, _ call: Call, now: Timestamp) -> APIResponse {
        let head = ListHead(
            resourceVersion: String(listed.revision), continueToken: listed.next?.text, remaining: listed.remaining)
        let objects = listed.objects.lazy.map { call.converted(.stored($0)) }
        return switch form {
        case .object: response(200, plain(listed, head, call), call)
        case .table(let table): response(200, TableRenderer(call.served, table, now: now).list(objects, head), call)
        case .metadata(let version): response(200, PartialMetadata(version: version).list(objects, head), call)
        }
    }

    /// Objects as they are stored, one behind the other: none is parsed.
    private static func plain(_ listed: ListedObjects, _ head: ListHead, _ call: Call) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(256 + listed.objects.reduce(0) { $0 + $1.byteCount + 1 })
        body += "{\"kind\":".utf8
        body += JSONWriter.bytes(.string(call.served.listKind))
        body += ",\"apiVersion\":".utf8
        body += JSONWriter.bytes(.string(call.kind.id.apiVersion))
        body.append(UInt8(ascii: ","))
        body += head.bytes
        body += ",\"items\":[".utf8
        for (index, object) in listed.objects.enumerated() {
            if index > 0 { body.append(UInt8(ascii: ",")) }
            if StoredForm.differs(call) { body += call.converted(.stored(object)) } else { object.append(to: &body) }
        }
        body += "]}".utf8
        return body
    }

    static func failure(_ failure: APIFailure) -> APIResponse {
        var answer = APIResponse(failure.code, headers: headers, body: JSONWriter.bytes(failure.status))
        if let seconds = failure.details?["retryAfterSeconds"]?.integer {
            answer.headers.append((name: "Retry-After", value: String(seconds)))
        }
        return answer
    }

    /// The same answer with a line for each member: `?pretty=true`.
    static func pretty(_ answer: APIResponse) -> APIResponse {
        guard answer.headers.contains(where: { $0.name == "Content-Type" && $0.value == MediaType.json }),
            let value = try? JSONParser.parse(answer.body)
        else { return answer }
        var answer = answer
        answer.body = JSONWriter.bytes(value, .indented(2)) + [UInt8(ascii: "\n")]
        return answer
    }

    /// How watchers are shown events.
    static func encoder(
        _ form: ResponseForm, _ call: Call, time: @escaping @Sendable () -> Timestamp
    ) -> WatchEncoder {
        let served = call.served
        switch form {
        case .object:
            return WatchEncoder(call.kind, form: call.kind.id.apiVersion) { type, object, _ in
                WatchEncoder.line(type, call.converted(.bytes(object)))
            }
        case .metadata(let version):
            let metadata = PartialMetadata(version: version)
            return WatchEncoder(call.kind, form: "metadata \(version)") { type, object, _ in
                metadata.event(type, object) + [UInt8(ascii: "\n")]
            }
        case .table(let table):
            let form = "table \(table.version) \(table.objects.rawValue) \(call.kind.id.apiVersion)"
            return WatchEncoder(call.kind, form: form, hasHead: true) {
                type, object, isFirst in
                TableRenderer(served, table, now: time()).event(type, call.converted(.bytes(object)), isFirst: isFirst)
                    + [UInt8(ascii: "\n")]
            }
        }
    }
}
