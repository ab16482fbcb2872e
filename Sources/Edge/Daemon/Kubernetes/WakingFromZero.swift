import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Services

/// Starts the first pod of a service that is at zero, when a request waits for it.
struct WakingFromZero: Sendable {
    let cache: ObjectCache
    let client: any ObjectClient
    let note: @Sendable (String) -> Void

    /// Gives every Deployment behind the service that may be at zero, and is, one replica.
    func wake(_ service: String, in namespace: String) async {
        guard let stored = cache.get(.services, namespace: namespace, service),
            let selector = try? LabelSelector(labels: stored.value["spec", "selector"])
        else { return }
        for deployment in cache.objects(.deployments, namespace: namespace).map(KubeObject.init)
        where deployment.metadata.annotations[ServiceRouter.sleepAnnotation] == "true" && deployment.spec["replicas"]?.integer == 0
            && selector.matches(deployment.spec["template", "metadata", "labels"])
        {
            do throws(APIFailure) {
                try await client.modify(.deployments, namespace: namespace, deployment.name) { object in
                    guard object.spec["replicas"]?.integer == 0 else { return false }
                    object.spec["replicas"] = 1
                    return true
                }
            } catch { note("start \(namespace)/\(deployment.name), which requests wait for: \(error.message)") }
        }
    }
}
