import JSON
package import KubeObjects
import KubeSchema
import KubeStore
import KubeViews

extension APIServer {
    package func answer(_ request: APIRequest) async -> APIAnswer {
        let answer: APIAnswer
        do throws(APIFailure) { answer = try await respond(request) } catch {
            answer = .whole(Rendering.failure(error))
        }
        guard case .whole(let whole) = answer, QueryReader(request.query).flag("pretty") == true else { return answer }
        return .whole(Rendering.pretty(whole))
    }

    private func respond(_ request: APIRequest) async throws(APIFailure) -> APIAnswer {
        var request = request
        if let other = try Impersonation(request.headers) {
            for needed in other.needed { try authorize(request.user, needed) }
            request.user = other.user
        }
        let info = RequestInfo(request)
        let onlyName = info.verb == "list" || info.verb == "watch" ? Self.onlyName(request) : nil
        try authorize(request.user, AccessAttributes(info, onlyName: onlyName))
        guard let target = info.target else { return try await general(request, info) }
        guard let served = kinds.kind(group: target.group, version: target.version, plural: target.plural) else {
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

    func authorize(_ user: UserInfo, _ wanted: AccessAttributes) throws(APIFailure) {
        guard !user.groups.contains(UserInfo.masters), access.policy.allows(user, wanted) == nil else { return }
        throw wanted.forbidden(user)
    }

    /// That what is replaced or applied may also be made, where it is not there.
    func authorizeCreation(_ call: Call) throws(APIFailure) {
        let target = AccessAttributes.Target(
            group: call.resource.group, plural: call.resource.plural, subresource: nil, name: call.name,
            namespace: call.namespace)
        try authorize(call.user, AccessAttributes(verb: "create", .resource(target)))
    }

    /// The one object that a list is of, by its field selector: rules may name it.
    private static func onlyName(_ request: APIRequest) -> String? {
        for term in (request.parameter("fieldSelector") ?? "").split(separator: ",") {
            for mark in ["metadata.name==", "metadata.name="] where term.hasPrefix(mark) {
                return String(term.dropFirst(mark.utf8.count))
            }
        }
        return nil
    }

    static let noSuchResource = APIFailure(
        404, "NotFound", "the server could not find the requested resource", details: [:])
    static let noSuchMethod = APIFailure(
        405, "MethodNotAllowed", "the server does not allow this method on the requested resource", details: [:])

    /// Kinds that still work, and that nobody should begin with.
    private static let deprecations: [Resource: String] = [
        .endpoints: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
    ]

    private func perform(
        _ request: APIRequest, _ info: RequestInfo, _ target: RequestInfo.Target, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        guard !info.verb.isEmpty else { throw Self.noSuchMethod }
        if call.kind.isComputed { return try await answerComputed(request, info.verb, call) }
        if target.subresource != nil || call.kind.isVirtual {
            return try await performBelow(request, info, target, call)
        }
        if let deprecation = call.served.custom?.deprecation ?? Self.deprecations[call.resource] {
            call.warnings.add(deprecation)
        }
        let subject: ResponseForm.Subject = info.verb == "list" ? .list : info.verb == "watch" ? .watch : .object
        let form = try Rendering.form(request, info.verb == "deletecollection" ? .list : subject)
        switch info.verb {
        case "get":
            try await checkVersion(request, call)
            return .whole(Rendering.object(.stored(try await get(call)), 200, form, call, now: time()))
        case "list":
            let options = try ListOptions(request.query, call.served, isWatch: false)
            return .whole(Rendering.list(try await list(call, options), form, call, now: time()))
        case "watch": return try await answerWatch(request, form, call)
        case "create": return .whole(try await answerCreate(request, form, call))
        case "update": return .whole(try await answerUpdate(request, form, call))
        case "patch": return .whole(try await answerPatch(request, form, call))
        case "delete": return .whole(try await answerDelete(request, form, call))
        case "deletecollection":
            let selection = try ListOptions(request.query, call.served, isWatch: false)
            let options = try BodyReader(request).deleteOptions(request.query)
            guard !call.kind.isNamespaced || call.namespace != nil else { throw Self.noSuchMethod }
            return .whole(Rendering.list(try await deleteCollection(call, options, selection), form, call, now: time()))
        default: throw Self.noSuchMethod
        }
    }

    /// That a client does not ask for what will be.
    private func checkVersion(_ request: APIRequest, _ call: Call) async throws(APIFailure) {
        guard let text = request.parameter("resourceVersion"),
            let least = try ListOptions.revision(text, call.resource), least > 0
        else { return }
        do throws(ObjectStoreFailure) {
            let newest = try await store.history().newest
            guard least <= newest else { throw .futureRevision(newest: newest, asked: least) }
        } catch { throw failure(error, call) }
    }

    private func answerWatch(
        _ request: APIRequest, _ form: ResponseForm, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        var query = request.query
        // The old form of the path may name one object.
        if let name = call.name { query.append((name: "fieldSelector", value: "metadata.name=\(name)")) }
        let options = try ListOptions(query, call.served, isWatch: true)
        let feed = await watch(call, options, Rendering.encoder(form, call, time: time))
        return .parts(APIResponse(200, headers: Rendering.headers), feed)
    }

    private func answerCreate(
        _ request: APIRequest, _ form: ResponseForm, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        guard call.name == nil, !call.kind.isNamespaced || call.namespace != nil else { throw Self.noSuchMethod }
        var call = call
        call.options = try WriteOptions(request.query, .create, userAgent: request.headers["user-agent"])
        let sent = try decode(request, call)
        return Rendering.object(try await create(call, sent), 201, form, call, now: time())
    }

    func answerUpdate(
        _ request: APIRequest, _ form: ResponseForm, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        guard call.name != nil, !call.kind.isNamespaced || call.namespace != nil else { throw Self.noSuchMethod }
        var call = call
        call.options = try WriteOptions(request.query, .update, userAgent: request.headers["user-agent"])
        let (shown, isNew) = try await update(call, try decode(request, call))
        return Rendering.object(shown, isNew ? 201 : 200, form, call, now: time())
    }

    func answerPatch(
        _ request: APIRequest, _ form: ResponseForm, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        guard call.name != nil, !call.kind.isNamespaced || call.namespace != nil else { throw Self.noSuchMethod }
        let body = try BodyReader(request)
        var call = call
        let kind: WriteOptions.Kind = body.type == PatchType.apply.rawValue ? .apply : .patch
        call.options = try WriteOptions(request.query, kind, userAgent: request.headers["user-agent"])
        let (shown, isNew) = try await patch(call, try Patch(body, call))
        return Rendering.object(shown, isNew ? 201 : 200, form, call, now: time())
    }

    private func answerDelete(
        _ request: APIRequest, _ form: ResponseForm, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        let options = try BodyReader(request).deleteOptions(request.query)
        let deleted = try await delete(call, options)
        guard deleted.isGone, !Strategy(call.served).returnsDeleted else {
            let isAccepted = !deleted.isGone && options.orphansDependents == false
            return Rendering.object(deleted.shown, isAccepted ? 202 : 200, form, call, now: time())
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
