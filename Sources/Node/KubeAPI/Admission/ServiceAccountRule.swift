import JSON
import KubeObjects
import KubeStore

/// Gives pods a service account, its token and its secrets for images (plugin/serviceaccount).
struct ServiceAccountRule: AdmissionRule {
    private static let mountPath = "/var/run/secrets/kubernetes.io/serviceaccount"
    private static let volumePrefix = "kube-api-access-"

    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        guard request.operation == .create, request.isFor(.pods) else { return }
        var name = request.object["spec", "serviceAccountName"]?.string ?? ""
        if name.isEmpty { name = request.object["spec", "serviceAccount"]?.string ?? "" }
        if name.isEmpty { name = "default" }
        request.object["spec", "serviceAccountName"] = .string(name)
        request.object["spec", "serviceAccount"] = .string(name)
        let namespace = request.call.namespace ?? ""
        guard let account = view.get(.serviceAccounts, namespace: namespace, name)?.value else {
            throw request.forbidden(
                "error looking up service account \(namespace)/\(name): serviceaccount \(name.goQuoted) not found")
        }
        if request.object["spec", "imagePullSecrets"]?.array?.isEmpty ?? true, let secrets = account["imagePullSecrets"]
        {
            request.object["spec", "imagePullSecrets"] = secrets
        }
        let mounts =
            request.object["spec", "automountServiceAccountToken"]?.bool
            ?? account["automountServiceAccountToken"]?.bool ?? true
        if mounts { mount(&request.object, view.chance) }
    }

    private func mount(_ pod: inout JSONValue, _ chance: Chance) {
        var volumes = pod["spec", "volumes"]?.array ?? []
        let there = volumes.first { $0["name"]?.string?.hasPrefix(Self.volumePrefix) == true && $0["projected"] != nil }
        let name = there?["name"]?.string ?? Self.volumePrefix + chance.suffix(5)
        var isUsed = false
        for list in ["initContainers", "containers"] {
            guard var containers = pod["spec", list]?.array else { continue }
            for index in containers.indices {
                var mounts = containers[index]["volumeMounts"]?.array ?? []
                guard !mounts.contains(where: { $0["mountPath"]?.string == Self.mountPath }) else { continue }
                mounts.append(["name": .string(name), "readOnly": true, "mountPath": .string(Self.mountPath)])
                containers[index]["volumeMounts"] = .array(mounts)
                isUsed = true
            }
            pod["spec", list] = .array(containers)
        }
        guard isUsed, there == nil else { return }
        volumes.append(["name": .string(name), "projected": Self.projection])
        pod["spec", "volumes"] = .array(volumes)
    }

    /// The token, the authority of the API, and the namespace.
    private static let projection: JSONValue = [
        "sources": [
            ["serviceAccountToken": ["expirationSeconds": 3607, "path": "token"]],
            ["configMap": ["name": "kube-root-ca.crt", "items": [["key": "ca.crt", "path": "ca.crt"]]]],
            [
                "downwardAPI": [
                    "items": [
                        ["path": "namespace", "fieldRef": ["apiVersion": "v1", "fieldPath": "metadata.namespace"]]
                    ]
                ]
            ],
        ], "defaultMode": 420,
    ]
}
