import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// Ingresses that name no class get the default one (plugin/network/defaultingressclass).
struct DefaultIngressClass: AdmissionRule {
    static let resource: Resource = {
        guard
            let kind = Schema.kubernetes.kind(group: "networking.k8s.io", version: "v1", plural: "ingressclasses")
        else { preconditionFailure("the schema has no IngressClass") }
        return Resource(kind)
    }()

    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create, request.isFor(.ingresses),
            request.object["spec", "ingressClassName"] == nil,
            request.object["metadata", "annotations", "kubernetes.io/ingress.class"] == nil
        else { return }
        let classes = view.objects(Self.resource).filter {
            $0.value["metadata", "annotations", "ingressclass.kubernetes.io/is-default-class"] == "true"
        }
        // Of several the newest; of those the first by name.
        let chosen = classes.max { a, b in
            let (old, new) = (Self.time(a.value), Self.time(b.value))
            return old == new ? a.key > b.key : old < new
        }
        if let chosen { request.object["spec", "ingressClassName"] = .string(chosen.key.name) }
    }

    private static func time(_ object: JSONValue) -> String { object["metadata", "creationTimestamp"]?.string ?? "" }
}
