package import JSON
package import KubeObjects
import KubeSchema
import KubeStore

/// Gives objects that are measured when somebody asks for them, and kept nowhere: metrics.k8s.io.
package protocol ComputedObjects: Sendable {
    /// In the order of their names; each with kind, apiVersion and metadata.
    /// - Parameter namespace: nil for all.
    func objects(_ resource: Resource, namespace: String?) async throws(APIFailure) -> [JSONValue]

    /// What the node counts, in the text format of Prometheus: /metrics.
    func exposition() -> String
}

extension ComputedObjects {
    package func exposition() -> String { "" }
}

extension APIServer {
    /// Answers for a kind whose objects are computed.
    func answerComputed(
        _ request: APIRequest, _ verb: String, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        guard verb == "get" || verb == "list", call.subresource == nil else { throw Self.noSuchMethod }
        guard let computed else {
            throw .unavailable("the server is currently unable to handle the request: nobody measures \(call.resource)")
        }
        let options = try ListOptions(request.query, call.served, isWatch: false)
        let objects = try await computed.objects(call.resource, namespace: call.namespace).filter { object in
            (options.fields?.matches(object) ?? true) && options.labels.matches(object["metadata", "labels"])
        }
        guard let name = call.name else {
            return .whole(
                Rendering.value(
                    [
                        "kind": .string(call.served.listKind), "apiVersion": .string(call.kind.id.apiVersion),
                        "metadata": [:], "items": .array(objects),
                    ], 200, call))
        }
        guard let object = objects.first(where: { $0["metadata", "name"]?.string == name }) else {
            throw .notFound(call.resource, name)
        }
        return .whole(Rendering.value(object, 200, call))
    }
}
