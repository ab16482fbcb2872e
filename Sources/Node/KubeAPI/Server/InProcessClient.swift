import JSON
package import KubeObjects
import KubeSchema
import KubeViews

extension APIServer {
    /// The API for what runs in the node, in the name of a user.
    /// - Parameter manager: who managed fields say has written; "system:kube-scheduler" says it by its name.
    package func client(as user: UserInfo, manager: String? = nil) -> any ObjectClient {
        InProcessClient(
            server: self, user: user, manager: manager ?? String(user.name.split(separator: ":").last ?? ""))
    }
}

/// The verbs without texts in between.
struct InProcessClient: ObjectClient {
    let server: APIServer
    let user: UserInfo
    let manager: String

    private func call(
        _ resource: Resource, _ namespace: String?, _ name: String? = nil, _ subresource: String? = nil
    ) throws(APIFailure) -> Call {
        guard
            let served = server.kinds.kind(
                group: resource.group, version: resource.version, plural: resource.plural)
        else { throw APIServer.noSuchResource }
        var call = Call(user, served, namespace: namespace, name: name, subresource: subresource)
        call.isTrusted = true
        call.options.fieldManager = manager
        call.options.fieldValidation = .strict
        return call
    }

    private func decoded(_ object: KubeObject, _ call: Call) throws(APIFailure) -> JSONValue {
        var warnings: [String] = []
        return try BodyReader.decode(object.json, call.kind, call.served.schema, .strict, &warnings)
    }

    func get(_ resource: Resource, namespace: String?, _ name: String) async throws(APIFailure) -> KubeObject {
        KubeObject(try await server.get(try call(resource, namespace, name)))
    }

    func list(
        _ resource: Resource, namespace: String?, labels: LabelSelector
    ) async throws(APIFailure) -> [KubeObject] {
        var options = ListOptions()
        options.labels = labels
        return try await server.list(try call(resource, namespace), options).objects.map { KubeObject($0) }
    }

    func create(_ resource: Resource, _ object: KubeObject) async throws(APIFailure) -> KubeObject {
        let call = try call(resource, object.namespace)
        guard !resource.isNamespaced || call.namespace != nil else {
            throw .badRequest("an object of \(resource) is made in a namespace, and \(object.name) says none")
        }
        return KubeObject(json: try await server.create(call, try decoded(object, call)).value)
    }

    func update(
        _ resource: Resource, _ object: KubeObject, subresource: String?
    ) async throws(APIFailure) -> KubeObject {
        let call = try call(resource, object.namespace, object.name, subresource)
        switch subresource {
        case "binding": return KubeObject(json: try await server.bind(call, Self.binding(object)).value)
        case "scale":
            return KubeObject(json: ScaleView(call.served).scale(try await server.scale(call, to: object.json).value))
        default: break
        }
        return KubeObject(json: try await server.update(call, try decoded(object, call)).0.value)
    }

    /// A Binding as it is; of a pod with its node the binding to that node.
    private static func binding(_ object: KubeObject) -> JSONValue {
        guard object.kind == "Pod" else { return object.json }
        return [
            "metadata": ["name": .string(object.name), "uid": .string(object.uid)],
            "target": ["kind": "Node", "name": object.spec["nodeName"] ?? ""],
        ]
    }

    func delete(
        _ resource: Resource, namespace: String?, _ name: String, _ options: DeletionOptions
    ) async throws(APIFailure) {
        _ = try await server.delete(try call(resource, namespace, name), DeleteOptions(options))
    }
}
