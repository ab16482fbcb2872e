import JSON
import KubeObjects
import Linux
import Synchronization

/// Tells users in events what of their objects is not done here. Each thing about an object is told once.
final class ServiceEvents: Sendable {
    private let client: any ObjectClient
    private let told = Mutex<Set<String>>([])
    /// More are not remembered: told again, should their objects change again.
    private static let memory = 10_000

    static let component = "forkless-services"

    init(_ client: any ObjectClient) { self.client = client }

    /// - Throws: nothing: an event that cannot be stored is lost, as everywhere in Kubernetes.
    func warn(_ object: KubeObject, _ resource: Resource, _ reason: String, _ message: String) async {
        await tell(object, resource, "Warning", reason, message)
    }

    func tell(_ object: KubeObject, _ resource: Resource, _ type: String, _ reason: String, _ message: String) async {
        let isNew = told.withLock { told in
            if told.count > Self.memory { told = [] }
            return told.insert("\(object.uid) \(reason) \(message)").inserted
        }
        guard isNew else { return }
        let now = Clock.now()
        let event: JSONValue = [
            "apiVersion": "v1", "kind": "Event",
            "metadata": [
                "name": .string("\(object.name).\(String(UInt64(now.nanoseconds), radix: 16))"),
                "namespace": .string(object.namespace ?? "default"),
            ],
            "involvedObject": [
                "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind), "name": .string(object.name),
                "namespace": .string(object.namespace ?? ""), "uid": .string(object.uid),
                "resourceVersion": .string(object.metadata.resourceVersion ?? ""),
            ],
            "type": .string(type), "reason": .string(reason), "message": .string(message),
            "source": ["component": .string(Self.component)], "reportingComponent": .string(Self.component),
            "reportingInstance": "", "firstTimestamp": .string(now.kubeTime), "lastTimestamp": .string(now.kubeTime),
            "count": 1,
        ]
        _ = try? await client.create(.events, KubeObject(json: event))
    }
}
