internal import JSON
internal import KubeObjects
internal import KubeSchema
internal import KubeStore

/// Which pods are behind which services.
enum ServicePods {
    /// Services whose endpoints these controllers write: those that select pods.
    static func selector(of service: KubeObject) -> LabelSelector? {
        guard service.spec["type"]?.string != "ExternalName", let labels = service.spec["selector"], !labels.isNull
        else { return nil }
        // An empty selector object selects nothing that was meant: the server does not store one.
        return try? LabelSelector(labels: labels)
    }

    static func isHeadless(_ service: KubeObject) -> Bool { service.spec["clusterIP"]?.string == "None" }

    static func addresses(_ pod: JSONValue) -> [String] {
        let several = (pod["status", "podIPs"]?.array ?? []).compactMap { $0["ip"]?.string }
        if !several.isEmpty { return several }
        return [pod["status", "podIP"]?.string].compactMap(\.self).filter { !$0.isEmpty }
    }

    static func isReady(_ pod: JSONValue) -> Bool {
        (pod["status", "conditions"]?.array ?? []).contains {
            $0["type"]?.string == "Ready" && $0["status"]?.string == "True"
        }
    }

    /// The services whose endpoints a change concerns: the service itself, or those that selected a pod before or do now.
    static func concerned(
        by change: ObjectCache.Change, writing: Resource, in view: any ObjectView
    ) -> [ObjectKey] {
        switch change.resource {
        case .services: return [change.key]
        case .pods: return services(of: change, in: view)
        case writing:
            let labels = (change.new ?? change.old)?.value["metadata", "labels"]
            let name = writing == .endpoints ? change.key.name : labels?[EndpointSliceController.serviceName]?.string
            guard let name, !name.isEmpty else { return [] }
            return [Resource.services.key(namespace: change.key.namespace, name)]
        default: return []
        }
    }

    private static func services(of change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        let (old, new) = (change.old?.value, change.new?.value)
        if let old, let new, !matters(old, new) { return [] }
        return view.objects(.services, namespace: change.key.namespace).filter { stored in
            guard let selector = selector(of: KubeObject(stored)) else { return false }
            return [old, new].contains { $0.map { selector.matches($0["metadata", "labels"]) } ?? false }
        }.map(\.key)
    }

    /// Of a pod's many changes only these are seen in endpoints.
    private static func matters(_ old: JSONValue, _ new: JSONValue) -> Bool {
        addresses(old) != addresses(new) || isReady(old) != isReady(new)
            || SchedulingPod.isFinished(old) != SchedulingPod.isFinished(new)
            || (old["metadata", "deletionTimestamp"] == nil) != (new["metadata", "deletionTimestamp"] == nil)
            || old["metadata", "labels"] != new["metadata", "labels"]
            || old["metadata", "uid"] != new["metadata", "uid"]
            || old["spec"] != new["spec"]
    }
}
