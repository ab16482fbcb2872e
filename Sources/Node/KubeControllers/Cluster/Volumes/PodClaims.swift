import JSON
package import KubeObjects

/// The claims that a pod uses.
package enum PodClaims {
    /// Names of claims in the pod's namespace, those that are made for the pod among them.
    package static func names(of pod: KubeObject) -> [String] {
        (pod.spec["volumes"]?.array ?? []).compactMap { volume in
            if let name = volume["persistentVolumeClaim"]?["claimName"]?.string, !name.isEmpty { return name }
            guard volume["ephemeral"] != nil, let name = volume["name"]?.string, !pod.name.isEmpty else { return nil }
            return "\(pod.name)-\(name)"
        }
    }
}
