import JSON
import KubeObjects
import KubeSchema

/// Containers for debugging are only added, and only through their own subresource
/// (`ValidatePodEphemeralContainersUpdate`).
struct EphemeralContainers: AdmissionRule {
    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .update, request.call.resource.storeName == Resource.pods.storeName,
            let old = request.old
        else { return }
        let path = FieldPath.root.child("spec").child("ephemeralContainers")
        let (before, now) = (list(old), list(request.object))
        switch request.call.subresource {
        case nil:
            guard before != now else { return }
            throw invalid(
                request, Cause(.forbidden, path, "ephemeral containers are added through pods/ephemeralcontainers"))
        case "ephemeralcontainers":
            var names = PodTemplates.containers(request.object["spec"] ?? [:], ["containers", "initContainers"])
                .compactMap {
                    $0["name"]?.string
                }
            for (index, container) in now.enumerated() {
                let name = container["name"]?.string ?? ""
                if names.contains(name) {
                    throw invalid(
                        request, Cause(.duplicate, path.index(index).child("name"), value: .string(name)))
                }
                names.append(name)
            }
            for container in before where !now.contains(container) {
                let name = container["name"]?.string ?? ""
                let isThere = now.contains { $0["name"]?.string == name }
                throw invalid(
                    request,
                    Cause(
                        .forbidden, path,
                        "existing ephemeral containers \(name.goQuoted) may not be \(isThere ? "changed" : "removed")\n"
                    ))
            }
        default: return
        }
    }

    private func list(_ pod: JSONValue) -> [JSONValue] { pod["spec", "ephemeralContainers"]?.array ?? [] }

    private func invalid(_ request: AdmissionRequest, _ cause: Cause) -> APIFailure {
        .invalid(InvalidObject(kind: request.call.kind.id, name: request.name, causes: [cause]))
    }
}
