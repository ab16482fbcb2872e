import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// What an autoscaler scales: an object of Kubernetes' own kinds, or of a custom kind with a scale subresource.
struct ScaleTarget {
    let resource: Resource
    let object: KubeObject
    /// Of a custom kind: where its numbers are.
    private let paths: CustomKind.ScalePaths?

    static let builtIn: [Resource] = [.deployments, .replicaSets, .statefulSets, ReplicatedKind.controllers]

    /// The custom kinds that can be scaled.
    static func custom(_ kinds: (any KindCatalog)?) -> [ServedKind] {
        (kinds?.storedKinds ?? []).filter { $0.custom?.scale != nil }
    }

    /// - Parameter kinds: with custom ones; nil: there are none.
    /// - Returns: nil for what is not there; the resource alone says that its kind can be scaled.
    static func find(
        _ reference: JSONValue?, namespace: String?, in view: any ObjectView, _ kinds: (any KindCatalog)?
    ) -> (resource: Resource?, target: ScaleTarget?) {
        let (kind, name) = (reference?["kind"]?.string ?? "", reference?["name"]?.string ?? "")
        let group = (reference?["apiVersion"]?.string ?? "").split(separator: "/").dropLast().joined()
        func target(_ resource: Resource, _ paths: CustomKind.ScalePaths?) -> ScaleTarget? {
            guard !name.isEmpty, let found = view.get(resource, namespace: namespace, name) else { return nil }
            return ScaleTarget(resource: resource, object: KubeObject(found), paths: paths)
        }
        if let resource = builtIn.first(where: { $0.kind == kind && $0.group == group }) {
            return (resource, target(resource, nil))
        }
        let served = custom(kinds).first { $0.resource.kind == kind && $0.resource.group == group }
        guard let served else { return (nil, nil) }
        return (served.resource, target(served.resource, served.custom?.scale))
    }

    /// How many pods are asked for.
    var wanted: Int64 {
        guard let paths else { return object.wanted }
        return Self.value(paths.specReplicas, object.json)?.integer ?? 0
    }

    /// How many there are.
    var current: Int64 {
        guard let paths else { return object.status.count("replicas") }
        return Self.value(paths.statusReplicas, object.json)?.integer ?? 0
    }

    /// Its pods; nil when the object does not say which these are.
    var selector: LabelSelector? {
        guard let paths else {
            return resource == ReplicatedKind.controllers
                ? ReplicatedKind.replicationController.selector(object) : Owners.selector(object)
        }
        guard let text = paths.labelSelector.flatMap({ Self.value($0, object.json)?.string }), !text.isEmpty else {
            return nil
        }
        return try? LabelSelector(text)
    }

    func scaled(to size: Int64) -> KubeObject {
        var changed = object
        let path = paths?.specReplicas ?? ["spec", "replicas"]
        Self.set(.integer(size), at: path[...], in: &changed.json)
        return changed
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
