import JSON
import KubeObjects
import KubeSchema
import KubeStore
import KubeViews

/// An object as a Scale (autoscaling/v1), and back.
struct ScaleView: Sendable {
    private let served: ServedKind
    private let paths: CustomKind.ScalePaths

    init(_ served: ServedKind) {
        self.served = served
        paths =
            served.custom?.scale
            ?? CustomKind.ScalePaths(specReplicas: ["spec", "replicas"], statusReplicas: ["status", "replicas"])
    }

    static let served: ServedKind = {
        guard let kind = Schema.kubernetes.kind(group: "autoscaling", version: "v1", plural: "scales") else {
            preconditionFailure("the schema has no autoscaling/v1 Scale")
        }
        return ServedKind(kind, in: .kubernetes)
    }()

    func scale(_ object: JSONValue) -> JSONValue {
        var metadata: JSONValue = [:]
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            metadata[field] = object["metadata", field]
        }
        var scale: JSONValue = [
            "kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": [:],
            "status": ["replicas": .integer(Self.value(paths.statusReplicas, object)?.integer ?? 0)],
        ]
        if let replicas = Self.value(paths.specReplicas, object)?.integer, replicas != 0 {
            scale["spec", "replicas"] = .integer(replicas)
        }
        if let selector = selector(object), !selector.isEmpty { scale["status", "selector"] = .string(selector) }
        return scale
    }

    private func selector(_ object: JSONValue) -> String? {
        if served.custom != nil { return paths.labelSelector.flatMap { Self.value($0, object)?.string } }
        let selector = object["spec", "selector"]
        if served.kind.id.kind == "ReplicationController" { return (try? LabelSelector(labels: selector))?.description }
        return (try? LabelSelector(object: selector))?.description
    }

    /// The object with as many replicas as a scale asks for, at the version that the scale means.
    func object(_ object: JSONValue, scaled scale: JSONValue) -> JSONValue {
        var object = object
        Self.set(.integer(scale["spec", "replicas"]?.integer ?? 0), at: paths.specReplicas[...], in: &object)
        object["metadata", "resourceVersion"] = scale["metadata", "resourceVersion"]
        if let uid = scale["metadata", "uid"] { object["metadata", "uid"] = uid }
        return object
    }

    /// What a client that applies a scale asks of the object itself: who owns the number of replicas is said there
    /// (`ScaleHandler` of k8s.io/apimachinery).
    func configuration(_ scale: JSONValue) -> JSONValue {
        var config: JSONValue = [
            "apiVersion": .string(served.kind.id.apiVersion), "kind": .string(served.kind.id.kind),
            "metadata": scale["metadata"] ?? [:],
        ]
        if let replicas = scale["spec", "replicas"] { Self.set(replicas, at: paths.specReplicas[...], in: &config) }
        return config
    }

    private static func value(_ path: [String], _ object: JSONValue) -> JSONValue? {
        path.reduce(Optional(object)) { $0?[$1] }
    }

    private static func set(_ value: JSONValue, at path: ArraySlice<String>, in object: inout JSONValue) {
        guard let first = path.first else {
            object = value
            return
        }
        set(value, at: path.dropFirst(), in: &object[first, default: [:]])
    }
}

extension APIServer {
    func answerScale(_ request: APIRequest, _ verb: String, _ call: Call) async throws(APIFailure) -> APIAnswer {
        let view = ScaleView(call.served)
        var call = call
        let form = try Rendering.form(request, .object)
        let shown: ShownObject
        switch verb {
        case "get": shown = .stored(try await get(call))
        case "update":
            call.options = try WriteOptions(request.query, .update, userAgent: request.headers["user-agent"])
            var warnings: [String] = []
            let sent = try BodyReader(request).object(
                ScaleView.served.kind, .kubernetes, call.options.fieldValidation, &warnings)
            call.warnings.add(warnings)
            shown = try await scale(call, to: sent)
        case "patch":
            let body = try BodyReader(request)
            let kind: WriteOptions.Kind = body.type == PatchType.apply.rawValue ? .apply : .patch
            call.options = try WriteOptions(request.query, kind, userAgent: request.headers["user-agent"])
            shown = try await scale(call, by: try Patch(body, Call(call.user, ScaleView.served)))
        default: throw Self.noSuchMethod
        }
        return .whole(Rendering.object(.value(view.scale(shown.value)), 200, form, Self.scaleCall(call), now: time()))
    }

    private static func scaleCall(_ call: Call) -> Call {
        var below = Call(call.user, ScaleView.served, namespace: call.namespace, name: call.name)
        below.options = call.options
        below.warnings = call.warnings
        return below
    }

    private func scale(_ call: Call, by patch: Patch) async throws(APIFailure) -> ShownObject {
        let view = ScaleView(call.served)
        let below = Self.scaleCall(call)
        if case .apply(let sent) = patch {
            let scale = try checked(try Self.configuration(sent, below), below)
            let config = view.configuration(scale)
            return try await change(call) { old throws(APIFailure) in try self.applied(config, to: old, call) }
        }
        return try await change(call) { old throws(APIFailure) in
            let patched = try patch.applied(to: view.scale(old), below)
            let scale = try Self.decodePatched(patched, below)
            return Wanted(object: view.object(old, scaled: try self.checked(scale, below)))
        }
    }

    /// Replaces the number of replicas.
    func scale(_ call: Call, to scale: JSONValue) async throws(APIFailure) -> ShownObject {
        let scale = try checked(scale, Self.scaleCall(call))
        let view = ScaleView(call.served)
        return try await change(call) { old in Wanted(object: view.object(old, scaled: scale)) }
    }

    private func checked(_ scale: JSONValue, _ call: Call) throws(APIFailure) -> JSONValue {
        if let name = scale["metadata", "name"]?.string, !name.isEmpty, name != call.name {
            throw .badRequest(
                "the name of the object (\(name)) does not match the name on the URL (\(call.name ?? ""))")
        }
        try validate(scale, call)
        return scale
    }
}
