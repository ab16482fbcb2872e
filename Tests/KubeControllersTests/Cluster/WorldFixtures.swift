import JSON
import KubeStore
import Testing

@testable import KubeControllers
@testable import KubeObjects

extension World {
    static let node = "one"

    /// A node of 4 CPUs, 8 GiB and 500 pods.
    func addNode(_ edit: (inout KubeObject) -> Void = { _ in }) async throws {
        try await add(
            .nodes, Self.node,
            [
                "metadata": ["labels": ["kubernetes.io/hostname": "one", "disk": "ssd"]], "spec": [:],
                "status": [
                    "allocatable": ["cpu": "4", "memory": "8Gi", "ephemeral-storage": "100Gi", "pods": "500"]
                ],
            ])
        try await change(.nodes, Self.node, edit)
    }

    @discardableResult
    func addPod(
        _ name: String, in namespace: String = "default", cpu: String? = nil, labels: [String: String] = [:],
        priority: Int64? = nil, _ edit: (inout KubeObject) -> Void = { _ in }
    ) async throws -> KubeObject {
        var container: JSONValue = ["name": "main", "image": "web"]
        if let cpu { container["resources", "requests", "cpu"] = .string(cpu) }
        var pod = KubeObject(json: ["spec": ["containers": [container], "schedulerName": "default-scheduler"]])
        pod.status = ["phase": "Pending"]
        if !labels.isEmpty { pod.metadata.labels = labels }
        if let priority { pod.spec["priority"] = .integer(priority) }
        edit(&pod)
        return try await add(.pods, name, in: namespace, pod.json)
    }

    /// A pod that runs on the node, with an address.
    func addRunning(
        _ name: String, in namespace: String = "default", address: String, labels: [String: String],
        isReady: Bool = true,
        _ edit: (inout KubeObject) -> Void = { _ in }
    ) async throws {
        try await addPod(name, in: namespace, labels: labels) { pod in
            pod.spec["nodeName"] = "one"
            pod.status = [
                "phase": "Running", "podIP": .string(address), "podIPs": [["ip": .string(address)]],
                "conditions": [["type": "Ready", "status": isReady ? "True" : "False"]],
            ]
            edit(&pod)
        }
    }

    func setReady(_ name: String, _ isReady: Bool, in namespace: String = "default") async throws {
        try await change(.pods, name, in: namespace) {
            $0.setCondition("Ready", isReady, reason: "", message: "", now: now)
        }
    }

    func nodeOf(_ pod: String, in namespace: String = "default") throws -> String? {
        try object(.pods, pod, in: namespace).spec["nodeName"]?.string
    }

    /// The message in which a pod says why it waits.
    func refusal(_ pod: String) throws -> String? {
        let condition = try object(.pods, pod).condition("PodScheduled")
        guard condition?["status"]?.string == "False" else { return nil }
        #expect(condition?["reason"]?.string == "Unschedulable")
        return condition?["message"]?.string
    }
}
