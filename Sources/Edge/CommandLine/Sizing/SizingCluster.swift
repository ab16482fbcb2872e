import Engine
import JSON
import KubeSchema
import Linux
import PodInstances
import RightSizing

/// Deployments as the node's Kubernetes API has them.
struct SizingCluster: Sendable {
    private let client: ClusterClient

    /// - Returns: nil when the node serves no Kubernetes API.
    static func open(_ node: NodeClient) async throws -> SizingCluster? {
        let text: String
        do throws(NodeFailure) {
            text = try await node.call(MakeKubeconfig(user: "kubernetes-admin", groups: ["system:masters"], seconds: 3600)).text
        } catch {
            if error.kind == .unavailable { return nil }
            throw error
        }
        do throws(ClusterFailure) { return SizingCluster(client: try ClusterClient(try Kubeconfig.read(text: text))) } catch {
            throw CommandFailure(error.description)
        }
    }

    func close() async { await client.close() }

    /// The containers of all deployments, with their replicas that run here.
    func deployments(_ running: RunningContainers) async throws -> [MeasuredDeployment] {
        guard !running.ofPods.isEmpty else { return [] }
        do throws(ClusterFailure) {
            let deployments = try await client.call("GET", "/apis/apps/v1/deployments")["items"]?.array ?? []
            guard !deployments.isEmpty else { return [] }
            let owners = Owners(
                sets: try await client.call("GET", "/apis/apps/v1/replicasets")["items"]?.array ?? [],
                pods: try await client.call("GET", "/api/v1/pods")["items"]?.array ?? [])
            return deployments.flatMap { Self.measured($0, owners, running) }
        } catch { throw CommandFailure(error.description) }
    }

    private static func measured(_ deployment: JSONValue, _ owners: Owners, _ running: RunningContainers) -> [MeasuredDeployment] {
        guard let namespace = deployment["metadata", "namespace"]?.string, let name = deployment["metadata", "name"]?.string,
            let uid = deployment["metadata", "uid"]?.string
        else { return [] }
        return (deployment["spec", "template", "spec", "containers"]?.array ?? []).compactMap { container in
            guard let containerName = container["name"]?.string else { return nil }
            let limits = container["resources", "limits"]
            let replicas = owners.pods(ofDeployment: uid).compactMap { pod in
                running.ofPods[RunningContainers.PodPlace(namespace: namespace, pod: pod, container: containerName)]
            }
            return MeasuredDeployment(
                namespace: namespace, name: name, container: containerName,
                memoryLimit: limits?["memory"]?.string.flatMap { try? Quantity($0) }.map { Int($0.value) },
                milliCPUs: limits?["cpu"]?.string.flatMap { try? Quantity($0) }.map { Int($0.milliValue) }, replicas: replicas)
        }
    }

    /// Which pods a deployment has, by way of its replica sets.
    private struct Owners {
        private var deploymentOfSet: [String: String] = [:]
        private var podsOfDeployment: [String: [String]] = [:]

        init(sets: [JSONValue], pods: [JSONValue]) {
            for set in sets {
                guard let uid = set["metadata", "uid"]?.string, let owner = Self.controller(set) else { continue }
                deploymentOfSet[uid] = owner
            }
            for pod in pods {
                guard let name = pod["metadata", "name"]?.string, let set = Self.controller(pod), let owner = deploymentOfSet[set]
                else { continue }
                podsOfDeployment[owner, default: []].append(name)
            }
        }

        func pods(ofDeployment uid: String) -> [String] { podsOfDeployment[uid] ?? [] }

        private static func controller(_ object: JSONValue) -> String? {
            (object["metadata", "ownerReferences"]?.array ?? []).first { $0["controller"]?.bool == true }?["uid"]?.string
        }
    }

    // MARK: Changes

    /// The patch that sets limits and requests of one container: what is requested is what is kept for it.
    static func patch(container: String, memory: String?, cpu: String?) -> JSONValue {
        var amounts = JSONObject()
        amounts["memory"] = memory.map { .string($0) }
        amounts["cpu"] = cpu.map { .string($0) }
        let resources: JSONValue = ["limits": .object(amounts), "requests": .object(amounts)]
        return ["spec": ["template": ["spec": ["containers": [["name": .string(container), "resources": resources]]]]]]
    }

    static func path(namespace: String, deployment: String) -> String {
        "/apis/apps/v1/namespaces/\(namespace)/deployments/\(deployment)"
    }

    func patch(namespace: String, deployment: String, _ patch: JSONValue) async throws(ClusterFailure) {
        try await client.call(
            "PATCH", Self.path(namespace: namespace, deployment: deployment) + "?fieldManager=forkless-recommend", patch,
            as: "application/strategic-merge-patch+json")
    }
}
