import JSON
import KubeObjects
import KubeSchema

/// The documents by which clients know the fields of kinds and what can be done with them: one for each group and
/// version in OpenAPI 3.0, one for all in Swagger 2.0.
struct OpenAPIDocuments: Sendable {
    let kinds: [ServedKind]
    let version: ServerVersion

    /// A group and version: "api/v1", "apis/apps/v1".
    static func place(_ kind: ServedKind) -> String {
        let id = kind.kind.id
        return id.group.isEmpty ? "api/\(id.version)" : "apis/\(id.group)/\(id.version)"
    }

    /// The places that have a document.
    var places: [String] { Set(kinds.map(Self.place)).sorted() }

    /// The document of a place; nil when nothing is served there.
    func v3(_ place: String) -> JSONValue? {
        let own = kinds.filter { Self.place($0) == place }
        guard !own.isEmpty else { return nil }
        return [
            "openapi": "3.0.0", "info": info, "paths": .object(paths(.v3, own)),
            "components": ["schemas": .object(definitions(.v3, own))],
        ]
    }

    /// Everything.
    var v2: JSONValue {
        [
            "swagger": "2.0", "info": info, "paths": .object(paths(.v2, kinds)),
            "definitions": .object(definitions(.v2, kinds)),
        ]
    }

    private var info: JSONValue { ["title": "Kubernetes", "version": .string(version.gitVersion)] }

    private func paths(_ form: OpenAPIDefinitions.Version, _ own: [ServedKind]) -> JSONObject {
        let names = Self.names(of: kinds)
        return PathItems(form: form) { names[$0] }.items(for: own.filter { !$0.isOnlySubresource })
    }

    /// What the definitions of kinds are called.
    private static func names(of kinds: [ServedKind]) -> [GroupVersionKind: String] {
        var names: [GroupVersionKind: String] = [:]
        for served in kinds {
            if served.custom != nil {
                names[served.kind.id] = CustomDefinitions.name(of: served.kind.id)
            } else {
                names[served.kind.id] = OpenAPIDefinitions(of: served.schema, .v3).name(of: served.kind.type)
            }
        }
        return names
    }

    private func definitions(_ form: OpenAPIDefinitions.Version, _ own: [ServedKind]) -> JSONObject {
        let common = ["meta/v1.Status", "meta/v1.DeleteOptions", "meta/v1.ObjectMeta"]
        // What paths of these kinds refer to: "deployments/scale" answers with a Scale.
        let below = own.flatMap { Subresource.all(of: $0.kind).map(\.kind) }
        let all = own.map(\.kind.id) + below
        let builtIn = kinds.filter { $0.custom == nil && all.contains($0.kind.id) }
        var result = OpenAPIDefinitions(of: .kubernetes, form).definitions(for: builtIn.map(\.kind), types: common)
        for custom in own where custom.custom != nil {
            for member in CustomDefinitions(custom, form).all.members { result[member.key] = member.value }
        }
        result[PathItems.patch] = PathItems.patchDefinition
        return result
    }
}
