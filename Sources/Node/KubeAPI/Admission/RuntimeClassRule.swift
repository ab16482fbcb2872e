import JSON
import KubeObjects
import KubeStore

/// What a runtime class says of the pods that name it: overhead, and where they may run (plugin/runtimeclass).
struct RuntimeClassRule: AdmissionRule {
    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create, request.isFor(.pods) else { return }
        guard let name = request.object["spec", "runtimeClassName"]?.string, !name.isEmpty else {
            if request.object["spec", "overhead"]?.object?.isEmpty == false {
                throw request.forbidden(
                    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead")
            }
            return
        }
        guard let found = view.get(.runtimeClasses, name)?.value else {
            throw request.forbidden("pod rejected: RuntimeClass \(name.goQuoted) not found")
        }
        if let overhead = found["overhead", "podFixed"] {
            if let said = request.object["spec", "overhead"], said != overhead {
                throw request.forbidden(
                    "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
            }
            request.object["spec", "overhead"] = overhead
        }
        for label in found["scheduling", "nodeSelector"]?.object?.members ?? [] {
            if let said = request.object["spec", "nodeSelector", label.key], said != label.value {
                throw request.forbidden(
                    "conflict: runtimeClass.scheduling.nodeSelector[\(label.key)] = \(label.value.string ?? ""); "
                        + "pod.spec.nodeSelector[\(label.key)] = \(said.string ?? "")")
            }
            request.object["spec", "nodeSelector", label.key] = label.value
        }
        let tolerations = request.object["spec", "tolerations"]?.array ?? []
        let more = (found["scheduling", "tolerations"]?.array ?? []).filter { !tolerations.contains($0) }
        if !more.isEmpty { request.object["spec", "tolerations"] = .array(tolerations + more) }
    }
}
