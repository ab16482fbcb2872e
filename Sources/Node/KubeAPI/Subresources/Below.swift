import JSON
import KubeObjects
import KubeSchema
import KubeStore
import KubeViews

extension APIServer {
    /// What stands below an object, and kinds that are only ever created.
    func performBelow(
        _ request: APIRequest, _ info: RequestInfo, _ target: RequestInfo.Target, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        guard let subresource = target.subresource else { return .whole(try await answerVirtual(request, info, call)) }
        guard call.kind.has(subresource: subresource), call.name != nil,
            !call.kind.isNamespaced || call.namespace != nil
        else { throw Self.noSuchResource }
        switch (target.plural, subresource) {
        case (_, "scale"): return try await answerScale(request, info.verb, call)
        case ("pods", "log"), ("pods", "exec"), ("pods", "attach"), ("pods", "portforward"):
            return try await answerStream(request, info.verb, call)
        case ("pods", "binding"), ("pods", "eviction"), ("serviceaccounts", "token"):
            guard info.verb == "create" else { throw Self.noSuchMethod }
            return .whole(try await answerCreateBelow(request, subresource, call))
        case (_, "status"), ("pods", "ephemeralcontainers"), ("namespaces", "finalize"):
            return try await performOnPart(request, info, call)
        case ("pods", "resize"):
            throw APIFailure(
                501, "NotImplemented",
                "the resources of a pod that runs are not changed here: replace the pod (pods/resize is not supported)")
        case ("pods", "proxy"), ("services", "proxy"): return try await answerProxy(request, target, call)
        case (_, "proxy"):
            throw APIFailure(
                501, "NotImplemented", "\(target.plural)/proxy is not supported: this node has no port of a kubelet's")
        default: throw Self.noSuchResource
        }
    }

    /// Parts of an object that are read and written by themselves.
    private func performOnPart(
        _ request: APIRequest, _ info: RequestInfo, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        let form = try Rendering.form(request, .object)
        switch info.verb {
        case "get": return .whole(Rendering.object(.stored(try await get(call)), 200, form, call, now: time()))
        case "update": return .whole(try await answerUpdate(request, form, call))
        case "patch": return .whole(try await answerPatch(request, form, call))
        default: throw Self.noSuchMethod
        }
    }

    private func answerCreateBelow(
        _ request: APIRequest, _ subresource: String, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        var call = call
        call.options = try WriteOptions(request.query, .create, userAgent: request.headers["user-agent"])
        let served: ServedKind =
            switch subresource {
            case "binding": Self.bindings
            case "eviction": Self.evictions
            default: Self.tokenRequests
            }
        let sent = try decode(request, as: served, call)
        if let name = sent["metadata", "name"]?.string, !name.isEmpty, name != call.name {
            throw .badRequest("name in URL does not match name in \(served.kind.id.kind) object")
        }
        switch subresource {
        case "binding":
            try await bind(call, sent)
            return Rendering.value(Self.created, 201, call)
        case "eviction":
            let options = try DeleteOptions(body: sent["deleteOptions"] ?? [:])
            try await evict(call, options)
            return Rendering.value(Self.created, 201, call)
        default: return Rendering.value(try await issueToken(call, sent), 201, call)
        }
    }

    private static let created: JSONValue = [
        "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Success", "code": 201,
    ]

    /// Kinds that are sent and not kept: bindings by the old path, and reviews.
    private func answerVirtual(
        _ request: APIRequest, _ info: RequestInfo, _ call: Call
    ) async throws(APIFailure) -> APIResponse {
        guard info.verb == "create", call.name == nil, !call.kind.isNamespaced || call.namespace != nil else {
            throw Self.noSuchMethod
        }
        var call = call
        call.options = try WriteOptions(request.query, .create, userAgent: request.headers["user-agent"])
        var sent = try decode(request, as: call.served, call)
        if call.kind.isNamespaced { try NewObject.place(&sent, call) }
        switch call.kind.plural {
        case "bindings":
            guard let pods = kinds.kind(group: "", version: "v1", plural: "pods") else { throw Self.noSuchResource }
            let name = sent["metadata", "name"]?.string
            try await bind(Call(call.user, pods, namespace: call.namespace, name: name), sent)
            return Rendering.value(Self.created, 201, call)
        case "scales", "evictions", "tokenrequests": throw Self.noSuchResource
        default: return Rendering.value(try await review(call, sent), 201, call)
        }
    }

    private func decode(
        _ request: APIRequest, as served: ServedKind, _ call: Call
    ) throws(APIFailure) -> JSONValue {
        var warnings: [String] = []
        let sent = try BodyReader(request).object(
            served.kind, served.schema, call.options.fieldValidation, &warnings)
        call.warnings.add(warnings)
        return sent
    }
}
