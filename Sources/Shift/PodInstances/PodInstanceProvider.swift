package import Functions
package import JSON
internal import Linux

/// Instances of one program as pods of a Kubernetes cluster: the second place besides this machine's sandboxes where a pool
/// of standbys can have its copies.
///
/// Each copy is a pod of its own, which never restarts. Its standard streams are those of the attach subresource; what it
/// writes to them before it was attached is in its log alone. A cluster does not tell when a program waits for its input, so
/// a copy counts as ready once it runs and is attached: what it reads first waits in the stream.
package final class PodInstanceProvider: InstanceProvider {
    private let client: ClusterClient
    private let namespace: String
    private let template: JSONValue
    private let board: PodBoard

    /// - Parameters:
    ///   - pod: the spec of a pod with one container.
    ///   - pool: a label's value that no other provider in the namespace has.
    package init(_ client: ClusterClient, pod: JSONValue, name: String, pool: String) {
        self.client = client
        namespace = client.kubeconfig.namespace
        board = PodBoard(client, namespace: namespace, selector: "\(Self.poolLabel)%3D\(pool)")
        template = Self.template(pod, name: name, pool: pool)
    }

    private static let poolLabel = "forkless.dev/pool"

    private static func template(_ pod: JSONValue, name: String, pool: String) -> JSONValue {
        var spec = pod
        spec["restartPolicy"] = "Never"
        spec["terminationGracePeriodSeconds"] = 0
        var containers = pod["containers"]?.array ?? []
        for index in containers.indices {
            containers[index]["stdin"] = true
            containers[index]["stdinOnce"] = true
            containers[index]["tty"] = nil
        }
        spec["containers"] = .array(containers)
        return [
            "apiVersion": "v1", "kind": "Pod",
            "metadata": [
                "generateName": .string(name + "-"),
                "labels": [
                    poolLabel: .string(pool), "app.kubernetes.io/name": .string(name),
                    "app.kubernetes.io/managed-by": "forkless",
                ],
            ],
            "spec": spec,
        ]
    }

    private var pods: String { "/api/v1/namespaces/\(namespace)/pods" }

    package func start() async throws(InstanceFailure) -> StartedInstance {
        board.start()
        do throws(ClusterFailure) {
            let pod = try await client.call("POST", pods, template)
            guard let name = pod["metadata", "name"]?.string else {
                throw ClusterFailure("POST \(pods): a pod without a name")
            }
            board.add(pod)
            do throws(ClusterFailure) {
                try await untilRunning(name)
                let container = template["spec", "containers"]?[0]?["name"]?.string ?? ""
                let connection = try await ContainerConnection.attach(
                    client, "\(pods)/\(name)/attach?container=\(container)&stdin=true&stdout=true&stderr=true")
                return StartedInstance(
                    name: name, pid: 0,
                    streams: InstanceStreams(
                        input: connection.input, output: connection.output, errors: connection.errors))
            } catch {
                await remove(name)
                throw error
            }
        } catch { throw InstanceFailure("start a pod on \(client.kubeconfig.server): \(error)") }
    }

    /// Reasons with which a container waits for what will not come by waiting.
    private static let hopeless: Set<String> = [
        "ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError",
        "CreateContainerError", "RunContainerError",
    ]

    private func untilRunning(_ name: String) async throws(ClusterFailure) {
        let pod = await board.pod(name) { pod in
            guard let pod, pod["status", "phase"]?.string ?? "Pending" == "Pending" else { return true }
            return Self.obstacle(pod) != nil
        }
        guard let pod else { throw ClusterFailure("the pod \(name) was given up before it ran") }
        guard let pod else { throw ClusterFailure("the pod \(name) was deleted before it ran") }
        switch pod["status", "phase"]?.string {
        case "Running": return
        case "Pending": throw ClusterFailure("the pod \(name) does not start: \(Self.obstacle(pod) ?? "")")
        default: throw ClusterFailure("the pod \(name) ended before it was attached: \(Self.end(of: pod).how)")
        }
    }

    private static func obstacle(_ pod: JSONValue) -> String? {
        for status in pod["status", "containerStatuses"]?.array ?? [] {
            guard let waiting = status["state", "waiting"], let reason = waiting["reason"]?.string,
                hopeless.contains(reason)
            else { continue }
            return "\(reason): \(waiting["message"]?.string ?? "")"
        }
        for condition in pod["status", "conditions"]?.array ?? []
        where condition["type"] == "PodScheduled" && condition["status"] == "False" {
            return "\(condition["reason"]?.string ?? ""): \(condition["message"]?.string ?? "")"
        }
        return nil
    }

    package func isWaitingForInput(_ instance: StartedInstance) async throws(InstanceFailure) -> Bool {
        // Asked while a copy starts: it was attached when `start` returned.
        true
    }

    package func stop(_ instance: StartedInstance) async { await remove(instance.name) }

    package func end(of instance: StartedInstance) async -> InstanceEnd {
        let pod = await board.pod(instance.name) { pod in
            guard let pod else { return true }
            return ["Succeeded", "Failed"].contains(pod["status", "phase"]?.string)
        }
        guard let pod else { return InstanceEnd(.unknown("nobody waited for the pod \(instance.name) any more")) }
        guard let pod else { return InstanceEnd(.unknown("the pod \(instance.name) was deleted")) }
        await remove(instance.name)
        return Self.end(of: pod)
    }

    private static func end(of pod: JSONValue) -> InstanceEnd {
        guard let ended = pod["status", "containerStatuses"]?[0]?["state", "terminated"],
            let code = ended["exitCode"]?.integer.flatMap({ Int32(exactly: $0) })
        else {
            let why = pod["status", "message"]?.string ?? pod["status", "reason"]?.string ?? "its pod does not say how"
            return InstanceEnd(.unknown(why))
        }
        let status: ExitStatus = code > 128 ? .signaled(code - 128, coreDumped: false) : .exited(code)
        return InstanceEnd(.ended(status), outOfMemory: ended["reason"] == "OOMKilled")
    }

    private func remove(_ name: String) async {
        // One that is gone, or a cluster that does not answer: the pod's label tells whose it was.
        _ = try? await client.call(
            "DELETE", "\(pods)/\(name)", ["gracePeriodSeconds": 0, "propagationPolicy": "Background"])
    }

    package func close() async { board.stop() }
}
