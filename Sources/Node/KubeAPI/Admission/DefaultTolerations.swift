import JSON
import KubeObjects

/// Pods stay five minutes on a node that is not ready or cannot be reached (plugin/defaulttolerationseconds).
struct DefaultTolerations: AdmissionRule {
    private static let keys = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]

    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create, request.isFor(.pods) else { return }
        var tolerations = request.object["spec", "tolerations"]?.array ?? []
        for key in Self.keys {
            let isSaid = tolerations.contains { toleration in
                let (said, effect) = (toleration["key"]?.string ?? "", toleration["effect"]?.string ?? "")
                return (said == key || said.isEmpty) && (effect == "NoExecute" || effect.isEmpty)
            }
            guard !isSaid else { continue }
            tolerations.append([
                "key": .string(key), "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300,
            ])
        }
        request.object["spec", "tolerations"] = .array(tolerations)
    }
}
