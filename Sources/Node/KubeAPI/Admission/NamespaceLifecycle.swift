import JSON
import KubeObjects
import KubeStore

/// Nothing is made in a namespace that is not there or that is going, and those of the system do not go
/// (plugin/namespace/lifecycle).
struct NamespaceLifecycle: AdmissionRule {
    static let immortal: Set<String> = ["default", "kube-system", "kube-public", "kube-node-lease"]

    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        if request.operation == .delete {
            guard request.isFor(.namespaces), Self.immortal.contains(request.name) else { return }
            throw request.forbidden("this namespace may not be deleted")
        }
        guard let namespace = request.call.namespace else { return }
        guard let object = view.get(.namespaces, namespace)?.value else { throw .notFound(.namespaces, namespace) }
        guard request.operation == .create, object["metadata", "deletionTimestamp"] != nil else { return }
        var failure = request.forbidden(
            "unable to create new content in namespace \(namespace) because it is being terminated")
        failure.details?["causes"] = [
            [
                "reason": "NamespaceTerminating", "message": .string("namespace \(namespace) is being terminated"),
                "field": "metadata.namespace",
            ]
        ]
        throw failure
    }
}
