package import Engine
import Linux
import Synchronization

/// The replicas of a deployment on this node, found as the containers of its pods.
package final class ServiceReplicas: Sendable {
    private static let podLabel = "io.kubernetes.pod.name"
    private static let namespaceLabel = "io.kubernetes.pod.namespace"

    package let namespace: String
    package let deployment: String
    private let node: NodeClient
    private let lastCount = Mutex(0)

    package init(_ node: NodeClient, namespace: String, deployment: String) {
        self.node = node
        self.namespace = namespace
        self.deployment = deployment
    }

    /// How many there were when they were looked at last.
    var count: Int { lastCount.withLock { $0 } }

    /// The first processes of the replicas that run.
    ///
    /// - Throws: `ComparisonError` when there is none.
    func pids() async throws(ComparisonError) -> [Int32] {
        let all: [ContainerSummary]
        do { all = try await node.call(ListContainers()).containers } catch { throw ComparisonError("\(error)") }
        let pids = all.compactMap { container -> Int32? in
            let pod = container.labels[Self.podLabel] ?? ""
            // A pod is called by its deployment, its replica set and itself: "pricer-7d4b9-x2x9q".
            let parts = pod.split(separator: "-", omittingEmptySubsequences: false)
            guard container.labels[Self.namespaceLabel] == namespace, container.phase == .running, parts.count > 2,
                parts.dropLast(2).joined(separator: "-") == deployment
            else { return nil }
            return container.pid
        }
        guard !pids.isEmpty else {
            throw ComparisonError("no replica of deployment \(namespace)/\(deployment) runs on this node")
        }
        lastCount.withLock { $0 = pids.count }
        return pids
    }
}
