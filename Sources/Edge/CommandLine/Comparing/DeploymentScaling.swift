import Comparison
import Engine
import JSON
import Linux
import PodInstances

/// Declares how many replicas a deployment of the node's Kubernetes API has, as `kubectl scale` does.
struct DeploymentScaling: ReplicaScaling {
    private let kubeconfig: Kubeconfig
    private let path: String

    /// How long replicas may take until all of them are ready.
    private static let limitNanoseconds = 60_000_000_000

    init(_ node: NodeClient, namespace: String, deployment: String) async throws {
        let request = MakeKubeconfig(
            user: "forkless-compare", groups: ["system:masters"], seconds: 24 * 3600, server: nil)
        kubeconfig = try Kubeconfig.read(text: try await node.call(request).text)
        path = "/apis/apps/v1/namespaces/\(namespace)/deployments/\(deployment)"
    }

    func declared() async throws(ComparisonError) -> Int {
        try await asking { client throws(ClusterFailure) in
            Int(try await client.call("GET", path)["spec", "replicas"]?.integer ?? 1)
        }
    }

    func scale(to count: Int) async throws(ComparisonError) {
        let isDone = try await asking { client throws(ClusterFailure) in
            try await client.call(
                "PATCH", path + "/scale", ["spec": ["replicas": .integer(Int64(count))]],
                as: "application/merge-patch+json")
            let limit = Clock.monotonicNanoseconds() + Self.limitNanoseconds
            while Clock.monotonicNanoseconds() < limit {
                if try await client.call("GET", path).hasReplicas(count) { return true }
                try? await Task.sleep(for: .milliseconds(2))
                if Task.isCancelled { return false }
            }
            return false
        }
        guard isDone else {
            throw ComparisonError(
                "\(count) replicas of \(path) are not ready after \(Self.limitNanoseconds / 1_000_000_000) s: kubectl describe tells why")
        }
    }

    private func asking<Answer>(
        _ body: (ClusterClient) async throws(ClusterFailure) -> Answer
    ) async throws(ComparisonError) -> Answer {
        do throws(ClusterFailure) {
            let client = try ClusterClient(kubeconfig)
            do throws(ClusterFailure) {
                let answer = try await body(client)
                await client.close()
                return answer
            } catch {
                await client.close()
                throw error
            }
        } catch { throw ComparisonError("\(error)") }
    }
}

extension JSONValue {
    /// Of a deployment: what was declared last has been seen, so many replicas are ready, and there are no others.
    fileprivate func hasReplicas(_ count: Int) -> Bool {
        guard let generation = self["metadata", "generation"]?.integer,
            let observed = self["status", "observedGeneration"]?.integer, observed >= generation
        else { return false }
        let (all, ready) = (self["status", "replicas"]?.integer ?? 0, self["status", "readyReplicas"]?.integer ?? 0)
        return all == count && ready == count
    }
}
