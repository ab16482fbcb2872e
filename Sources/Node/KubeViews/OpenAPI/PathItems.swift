import JSON
import KubeObjects
import KubeSchema

/// The `paths` of an OpenAPI document.
struct PathItems: Sendable {
    let form: OpenAPIDefinitions.Version
    /// The definition of a kind's objects, and of their list; nil for a kind that has none: connections to a pod.
    let definition: @Sendable (GroupVersionKind) -> String?

    func items(for kinds: [ServedKind]) -> JSONObject {
        var paths: [(String, JSONValue)] = []
        for kind in kinds {
            for path in OperationPath.all(of: kind) { paths.append((path.path, item(path, kind))) }
        }
        var object = JSONObject()
        for (path, item) in paths.sorted(by: { $0.0 < $1.0 }) { object[path] = item }
        return object
    }

    private func item(_ path: OperationPath, _ kind: ServedKind) -> JSONValue {
        var item: JSONValue = [:]
        for operation in path.operations { item[operation.method] = self.operation(operation, path, kind) }
        let places = [("namespace", "The namespace of the object."), ("name", "The name of the object.")].filter {
            path.path.contains("{\($0.0)}")
        }
        if !places.isEmpty {
            item["parameters"] = .array(
                places.map { parameter($0.0, "path", "string", $0.1, isRequired: true) })
        }
        return item
    }

    private func operation(_ operation: Operation, _ path: OperationPath, _ kind: ServedKind) -> JSONValue {
        let id = kind.kind.id
        let group = id.group.isEmpty ? "core" : String(id.group.split(separator: ".")[0])
        let name = [
            operation.verb, capitalised(group), capitalised(id.version), path.isNamespaced ? "Namespaced" : "",
            id.kind, path.suffix,
        ].joined()
        var result: JSONValue = [
            "description": .string("\(operation.action) \(kind.kind.plural)"), "operationId": .string(name),
        ]
        var parameters = operation.parameters.map { parameter($0.name, "query", $0.type, $0.documentation) }
        let answer = path.kind
        let body = operation.method == "patch" ? Self.patch : definition(answer)
        if operation.hasBody, let body {
            switch form {
            case .v2:
                parameters.insert(
                    ["in": "body", "name": "body", "required": true, "schema": reference(body)], at: 0)
                result["consumes"] = DiscoveryDocuments.strings(types(of: operation, kind))
            case .v3:
                var content = JSONObject()
                for type in types(of: operation, kind) { content[type] = ["schema": reference(body)] }
                result["requestBody"] = ["content": .object(content), "required": true]
            }
        }
        if form == .v2 { result["produces"] = ["application/json"] }
        if !parameters.isEmpty { result["parameters"] = .array(parameters) }
        result["responses"] = responses(operation, answer)
        result["x-kubernetes-action"] = .string(operation.action)
        result["x-kubernetes-group-version-kind"] = [
            "group": .string(answer.group), "kind": .string(answer.kind), "version": .string(answer.version),
        ]
        return result
    }

    static let patch = "io.k8s.apimachinery.pkg.apis.meta.v1.Patch"
    static let status = "io.k8s.apimachinery.pkg.apis.meta.v1.Status"
    static let patchDefinition: JSONValue = ["description": "A change to an object.", "type": "object"]

    private func types(of operation: Operation, _ kind: ServedKind) -> [String] {
        guard operation.method == "patch" else { return ["application/json"] }
        let own = kind.custom == nil ? ["application/strategic-merge-patch+json"] : []
        return ["application/apply-patch+yaml", "application/json-patch+json", "application/merge-patch+json"] + own
    }

    private func responses(_ operation: Operation, _ kind: GroupVersionKind) -> JSONValue {
        let isStatus = operation.method == "delete"
        let name = isStatus ? Self.status : definition(kind).map { operation.answersList ? $0 + "List" : $0 }
        var response: JSONValue = ["description": "OK"]
        if let name {
            switch form {
            case .v2: response["schema"] = reference(name)
            case .v3: response["content"] = ["application/json": ["schema": reference(name)]]
            }
        }
        return operation.method == "post" ? ["200": response, "201": response] : ["200": response]
    }

    private func parameter(
        _ name: String, _ place: JSONValue, _ type: String, _ documentation: String, isRequired: Bool = false
    ) -> JSONValue {
        var parameter: JSONValue = ["name": .string(name), "in": place, "description": .string(documentation)]
        if isRequired { parameter["required"] = true }
        switch form {
        case .v2:
            parameter["type"] = .string(type)
            parameter["uniqueItems"] = true
        case .v3: parameter["schema"] = ["type": .string(type), "uniqueItems": true]
        }
        return parameter
    }

    private func reference(_ name: String) -> JSONValue {
        ["$ref": .string((form == .v2 ? "#/definitions/" : "#/components/schemas/") + name)]
    }

    private func capitalised(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }
}
