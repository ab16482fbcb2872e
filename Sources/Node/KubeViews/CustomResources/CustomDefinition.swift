import JSON
import KubeObjects
import KubeSchema

/// A lens over a CustomResourceDefinition: what kinds it makes.
struct CustomDefinition: JSONView {
    var json: JSONValue
    init(json: JSONValue) { self.json = json }

    static let kind = GroupVersionKind(group: "apiextensions.k8s.io", version: "v1", kind: "CustomResourceDefinition")

    var name: String { json["metadata", "name"]?.string ?? "" }
    var spec: JSONValue { json["spec"] ?? .null }
    var group: String { spec.text("group") }
    var isNamespaced: Bool { spec.text("scope") == "Namespaced" }

    /// As they were wished; those that are served are `acceptedNames`.
    var names: Names { Names(json: spec["names"] ?? .null) }
    var acceptedNames: Names { Names(json: json["status", "acceptedNames"] ?? .null) }

    var isEstablished: Bool {
        (json["status"] ?? .null).condition("Established")?["status"]?.string == "True" && !acceptedNames.plural.isEmpty
    }

    /// What the kinds follow from: without the rest of its status.
    var essence: JSONValue {
        [
            "metadata": ["name": .string(name)], "spec": spec,
            "status": ["acceptedNames": json["status", "acceptedNames"] ?? .null],
        ]
    }

    /// What a kind is called.
    struct Names {
        let json: JSONValue
        var plural: String { json.text("plural") }
        var kind: String { json.text("kind") }
        var singular: String { json.text("singular", or: kind.lowercased()) }
        var listKind: String { json.text("listKind", or: kind + "List") }
        var shortNames: [String] { json.list("shortNames").compactMap(\.string) }
        var categories: [String] { json.list("categories").compactMap(\.string) }
    }

    // MARK: Kinds

    /// A kind for each version that is served.
    var kinds: [ServedKind] {
        spec.list("versions").filter { $0["served"]?.bool == true }.map { served($0) }
    }

    private func served(_ version: JSONValue) -> ServedKind {
        let names = acceptedNames
        let id = GroupVersionKind(group: group, version: version.text("name"), kind: names.kind)
        let openAPI = version["schema", "openAPIV3Schema"] ?? [:]
        let node = SchemaNode(openAPI)
        let status = version["subresources", "status"].map { !$0.isNull } == true ? ["status"] : []
        let scale = Self.scale(version["subresources", "scale"])
        var kind: Kind?
        let schema = CustomTypes.schema(of: node, named: "\(group)/\(id.version).\(id.kind)") { type in
            let made = Kind(
                id: id, plural: names.plural, singular: names.singular, shortNames: names.shortNames,
                categories: names.categories, isNamespaced: isNamespaced,
                subresources: status + (scale == nil ? [] : ["scale"]), columns: Self.columns(version), type: type)
            kind = made
            return made
        }
        let custom = CustomKind(
            definition: name, listKind: names.listKind, openAPI: openAPI, scale: scale,
            selectableFields: version.list("selectableFields").compactMap { field in
                field["jsonPath"]?.string.map { String($0.drop { $0 == "." }) }
            }, deprecation: deprecation(version, id))
        guard let kind else { preconditionFailure("a schema of \(id) without its kind") }
        let check: @Sendable (JSONValue) -> [Cause] = { object in
            guard let node else { return [] }
            return ResourceCheck.causes(object, node)
        }
        var warnings: (@Sendable (JSONValue) -> [String])?
        if let sentence = custom.deprecation { warnings = { _ in [sentence] } }
        return ServedKind(
            kind, in: schema, isStorageVersion: version["storage"]?.bool == true, custom: custom, check: check,
            warnings: warnings)
    }

    private func deprecation(_ version: JSONValue, _ id: GroupVersionKind) -> String? {
        guard version["deprecated"]?.bool == true else { return nil }
        return version["deprecationWarning"]?.string ?? "\(id.apiVersion) \(id.kind) is deprecated"
    }

    private static func scale(_ json: JSONValue?) -> CustomKind.ScalePaths? {
        guard let json, !json.isNull else { return nil }
        func path(_ name: String) -> [String] { json.text(name).split(separator: ".").map(String.init) }
        let selector = path("labelSelectorPath")
        return CustomKind.ScalePaths(
            specReplicas: path("specReplicasPath"), statusReplicas: path("statusReplicasPath"),
            labelSelector: selector.isEmpty ? nil : selector)
    }

    private static func columns(_ version: JSONValue) -> [Kind.Column] {
        let name = Kind.Column(
            name: "Name", type: "string", format: "name", documentation: "Name of the object.", path: ".metadata.name")
        let own = version.list("additionalPrinterColumns").map { column in
            Kind.Column(
                name: column.text("name"), type: column.text("type"), format: column.text("format"),
                priority: Int(clamping: column["priority"]?.integer ?? 0), documentation: column.text("description"),
                path: column.text("jsonPath"))
        }
        let age = Kind.Column(
            name: "Age", type: "date", documentation: "Since when it exists.", path: ".metadata.creationTimestamp")
        return [name] + (own.isEmpty ? [age] : own)
    }
}
