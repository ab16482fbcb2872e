import JSON
package import KubeObjects
import KubeSchema
import KubeStore

extension APIServer {
    package func answer(_ request: APIRequest) async -> APIAnswer {
        do throws(APIFailure) { return try await respond(request) } catch { return .whole(Rendering.failure(error)) }
    }

    private func respond(_ request: APIRequest) async throws(APIFailure) -> APIAnswer {
        let info = RequestInfo(request)
        guard let target = info.target else { return try await general(request, info) }
        guard let served = catalog.kind(group: target.group, version: target.version, plural: target.plural) else {
            throw Self.noSuchResource
        }
        let call = Call(
            request.user, served, namespace: target.namespace, name: target.name, subresource: target.subresource)
        guard served.kind.isNamespaced || target.namespace == nil || target.plural == "namespaces" else {
            throw Self.noSuchResource
        }
        do throws(APIFailure) {
            return try await perform(request, info, target, call)
        } catch {
            var answer = Rendering.failure(error)
            Rendering.add(call.warnings, to: &answer)
            return .whole(answer)
        }
    }

    static let noSuchResource = APIFailure(
        404, "NotFound", "the server could not find the requested resource", details: [:])
    static let noSuchMethod = APIFailure(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details: [:])

    private func perform(
        _ request: APIRequest, _ info: RequestInfo, _ target: RequestInfo.Target, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        guard !info.verb.isEmpty else { throw Self.noSuchMethod }
        if target.subresource != nil || call.kind.isVirtual {
            return try await performBelow(request, info, target, call)
        }
        let form = try Rendering.form(request, call)
        switch info.verb {
        case "get": return .whole(Rendering.object(.stored(try await get(call)), 200, form, call))
        case "list":
            let options = try ListOptions(request.query, call.kind, isWatch: false)
            return .whole(Rendering.list(try await list(call, options), form, call))
        case "watch": return try await answerWatch(request, form, call)
        case "create": return .whole(try await answerCreate(request, form, call))
        case "update": return .whole(try await answerUpdate(request, form, call))
        case "patch": return .whole(try await answerPatch(request, form, call))
        case "delete": return .whole(try await answerDelete(request, form, call))
        case "deletecollection":
            let selection = try ListOptions(request.query, call.kind, isWatch: false)
            let options = try BodyReader(request).deleteOptions(request.query)
            guard !call.kind.isNamespaced || call.namespace != nil else { throw Self.noSuchMethod }
            return .whole(Rendering.list(try await deleteCollection(call, options, selection), form, call))
        default: throw Self.noSuchMethod
        }
    }

    private func answerWatch(
        _ request: APIRequest, _ form: Rendering.Form, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        var query = request.query
        // The old form of the path may name one object.
        if let name = call.name { query.append((name: "fieldSelector", value: "metadata.name=\(name)")) }
        let options = try ListOptions(query, call.kind, isWatch: true)
        let feed = await watch(call, options, Rendering.encoder(form, call))
        return .parts(APIResponse(200, headers: Rendering.headers), feed)
    }

    private func answerCreate(
        _ request: APIRequest, _ form: Rendering.Form, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        guard call.name == nil, !call.kind.isNamespaced || call.namespace != nil else { throw Self.noSuchMethod }
        var call = call
        call.options = try WriteOptions(request.query, .create, userAgent: request.headers["user-agent"])
        let sent = try decode(request, call)
        return Rendering.object(try await create(call, sent), 201, form, call)
    }

    func answerUpdate(
        _ request: APIRequest, _ form: Rendering.Form, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        guard call.name != nil, !call.kind.isNamespaced || call.namespace != nil else { throw Self.noSuchMethod }
        var call = call
        call.options = try WriteOptions(request.query, .update, userAgent: request.headers["user-agent"])
        let (shown, isNew) = try await update(call, try decode(request, call))
        return Rendering.object(shown, isNew ? 201 : 200, form, call)
    }

    func answerPatch(
        _ request: APIRequest, _ form: Rendering.Form, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        guard call.name != nil, !call.kind.isNamespaced || call.namespace != nil else { throw Self.noSuchMethod }
        let body = try BodyReader(request)
        var call = call
        let kind: WriteOptions.Kind = body.type == PatchType.apply.rawValue ? .apply : .patch
        call.options = try WriteOptions(request.query, kind, userAgent: request.headers["user-agent"])
        let (shown, isNew) = try await patch(call, try Patch(body, call))
        return Rendering.object(shown, isNew ? 201 : 200, form, call)
    }

    private func answerDelete(
        _ request: APIRequest, _ form: Rendering.Form, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        let options = try BodyReader(request).deleteOptions(request.query)
        let deleted = try await delete(call, options)
        guard deleted.isGone, !Strategy(call.served).returnsDeleted else {
            let isAccepted = !deleted.isGone && options.orphansDependents == false
            return Rendering.object(deleted.shown, isAccepted ? 202 : 200, form, call)
        }
        return Rendering.value(Self.success(deleted.shown.value, call), 200, call)
    }

    private static func success(_ object: JSONValue, _ call: Call) -> JSONValue {
        var details: JSONValue = ["name": .string(call.name ?? "")]
        if !call.resource.group.isEmpty { details["group"] = .string(call.resource.group) }
        details["kind"] = .string(call.resource.plural)
        if let uid = object["metadata", "uid"] { details["uid"] = uid }
        return ["kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "details": details]
    }

    /// The object in a body.
    func decode(_ request: APIRequest, _ call: Call) throws(APIFailure) -> JSONValue {
        var warnings: [String] = []
        let sent = try BodyReader(request).object(
            call.kind, call.served.schema, call.options.fieldValidation, &warnings)
        call.warnings.add(warnings)
        return sent
    }
}
