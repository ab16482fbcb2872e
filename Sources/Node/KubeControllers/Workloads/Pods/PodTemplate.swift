import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// The pods that a controller makes from a PodTemplateSpec.
enum PodTemplate {
    /// A pod of an owner, without its name.
    static func pod(_ template: JSONValue?, of owner: KubeObject, _ resource: Resource) -> KubeObject {
        var pod = KubeObject(json: ["apiVersion": "v1", "kind": "Pod", "metadata": [:]])
        if let namespace = owner.namespace { pod.metadata.namespace = namespace }
        for field in ["labels", "annotations", "finalizers"] {
            guard let value = template?["metadata"]?[field], !value.isNull else { continue }
            pod.json["metadata", default: [:]][field] = value
        }
        pod.metadata.ownerReferences = [OwnerReference(controller: owner, resource)]
        pod.spec = template?["spec"] ?? [:]
        return pod
    }

    /// Whether two templates make the same pods; `ignoring` is a label that does not count. What defaults fill in makes no
    /// difference: a newer version may know more of them than the one that stored a template.
    static func areEqual(_ a: JSONValue?, _ b: JSONValue?, ignoring label: String) -> Bool {
        comparable(a, label) == comparable(b, label)
            || comparable(defaulted(a), label) == comparable(defaulted(b), label)
    }

    private static let replicaSet = Schema.kubernetes.kind(group: "apps", version: "v1", plural: "replicasets")

    private static func defaulted(_ template: JSONValue?) -> JSONValue? {
        guard let kind = replicaSet, let template else { return template }
        var set: JSONValue = ["spec": ["template": template]]
        Defaulting.apply(to: &set, of: kind, in: .kubernetes)
        return set["spec", "template"]
    }

    private static func comparable(_ template: JSONValue?, _ label: String) -> JSONValue {
        var template = template ?? [:]
        if template["metadata"]?["labels"]?[label] != nil { template["metadata", "labels", label] = nil }
        return template.withoutEmpty ?? [:]
    }
}

extension JSONValue {
    /// Without null members and empty objects in objects: what Go's omitempty leaves out of text.
    var withoutEmpty: JSONValue? {
        switch self {
        case .null: return nil
        case .object(let object):
            var kept = JSONObject()
            for member in object.members {
                if let value = member.value.withoutEmpty { kept[member.key] = value }
            }
            return kept.isEmpty ? nil : .object(kept)
        case .array(let elements): return .array(elements.map { $0.withoutEmpty ?? [:] })
        default: return self
        }
    }
}
