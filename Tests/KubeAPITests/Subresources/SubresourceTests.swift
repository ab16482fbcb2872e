import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct SubresourceTests {
    @Test func `a deployment is scaled by its scale`() async throws {
        let door = try await Door()
        _ = await door.send("POST", deployments, Door.deployment("web"))
        let scale = await door.send("GET", deployments + "/web/scale")
        #expect(scale.json["kind"] == "Scale")
        #expect(scale.json["spec", "replicas"] == 1)
        #expect(scale.json["status", "selector"] == "app=web")
        let patched = await door.send(
            "PATCH", deployments + "/web/scale", "{\"spec\":{\"replicas\":4}}", type: "application/merge-patch+json")
        #expect(patched.status == 200, "\(patched.text)")
        #expect(patched.json["spec", "replicas"] == 4)
        let object = await door.send("GET", deployments + "/web").json
        #expect(object["spec", "replicas"] == 4)
        #expect(object["metadata", "generation"] == 2)
        let negative = await door.send(
            "PATCH", deployments + "/web/scale", "{\"spec\":{\"replicas\":-4}}", type: "application/merge-patch+json")
        #expect(
            negative.message
                == "Scale.autoscaling \"web\" is invalid: spec.replicas: Invalid value: -4: must be greater than or equal to 0"
        )
        var late = scale.json
        late["spec", "replicas"] = 9
        #expect(await door.send("PUT", deployments + "/web/scale", late).status == 409)
        await door.close()
    }

    @Test func `a pod is bound to one node`() async throws {
        let door = try await Door()
        _ = await door.send("POST", pods, Door.pod("p"))
        let binding: JSONValue = [
            "apiVersion": "v1", "kind": "Binding", "metadata": ["name": "p"], "target": ["kind": "Node", "name": "n1"],
        ]
        let bound = await door.send("POST", pods + "/p/binding", binding)
        #expect(bound.status == 201, "\(bound.text)")
        let pod = await door.send("GET", pods + "/p").json
        #expect(pod["spec", "nodeName"] == "n1")
        #expect(pod["status", "conditions"]?[0]?["type"] == "PodScheduled")
        let again = await door.send("POST", pods + "/p/binding", binding)
        #expect(again.status == 409)
        #expect(
            again.message
                == "Operation cannot be fulfilled on pods/binding \"p\": pod p is already assigned to node \"n1\"")
        await door.close()
    }

    @Test func `what runs in the node binds pods, too`() async throws {
        let door = try await Door()
        let client = door.server.client(as: Door.admin)
        var pod = try await client.create(
            .pods,
            KubeObject(
                json: {
                    var pod = Door.pod("p")
                    pod["metadata", "namespace"] = "default"
                    return pod
                }()))
        pod.spec["nodeName"] = "n1"
        let bound = try await client.update(.pods, pod, subresource: "binding")
        #expect(bound.spec["nodeName"] == "n1")
        await door.close()
    }

    private func budget(_ door: Door, allowed: Int64) async {
        let path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
        let budget: JSONValue = [
            "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": ["name": "b"],
            "spec": ["minAvailable": 1, "selector": ["matchLabels": ["app": "web"]]],
        ]
        var made = await door.send("POST", path, budget).json
        made["status"] = [
            "observedGeneration": 1, "disruptionsAllowed": .integer(allowed), "currentHealthy": 2, "desiredHealthy": 1,
            "expectedPods": 2,
        ]
        let written = await door.send("PUT", path + "/b/status", made)
        #expect(written.status == 200, "\(written.text)")
    }

    private func runningPod(_ door: Door, _ name: String) async {
        var pod = Door.pod(name)
        pod["metadata", "labels"] = ["app": "web"]
        pod["spec", "nodeName"] = "n1"
        var made = await door.send("POST", pods, pod).json
        made["status", "phase"] = "Running"
        made["status", "conditions"] = [["type": "Ready", "status": "True"]]
        _ = await door.send("PUT", pods + "/\(name)/status", made)
    }

    @Test func `of two evictions that a budget allows one of, one is refused`() async throws {
        let door = try await Door()
        await budget(door, allowed: 1)
        for name in ["a", "b"] { await runningPod(door, name) }
        let answers = await withTaskGroup(of: Door.Answer.self) { group in
            for name in ["a", "b"] {
                group.addTask {
                    await door.send(
                        "POST", pods + "/\(name)/eviction",
                        ["apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": .string(name)]])
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.map(\.status).sorted() == [201, 429])
        let refused = answers.first { $0.status == 429 }
        #expect(refused?.message == "Cannot evict pod as it would violate the pod's disruption budget.")
        #expect(
            refused?.json["details", "causes"]?[0]
                == [
                    "reason": "DisruptionBudget",
                    "message": "The disruption budget b needs 1 healthy pods and has 2 currently",
                ])
        await door.close()
    }

    @Test(arguments: [("IfHealthyBudget", 429), ("AlwaysAllow", 201)])
    func `a pod that is not ready goes when its budget's policy lets it`(policy: String, status: Int) async throws {
        let door = try await Door()
        await budget(door, allowed: 0)
        let path = "/apis/policy/v1/namespaces/default/poddisruptionbudgets/b"
        var budget = await door.send("GET", path).json
        budget["spec", "unhealthyPodEvictionPolicy"] = .string(policy)
        budget = await door.send("PUT", path, budget).json
        // Fewer are healthy than it wants.
        budget["status"] = [
            "observedGeneration": budget["metadata", "generation"] ?? 0, "disruptionsAllowed": 0, "currentHealthy": 0,
            "desiredHealthy": 1, "expectedPods": 1,
        ]
        #expect(await door.send("PUT", path + "/status", budget).status == 200)
        await runningPod(door, "sick")
        var pod = await door.send("GET", pods + "/sick").json
        pod["status", "conditions"] = [["type": "Ready", "status": "False"]]
        #expect(await door.send("PUT", pods + "/sick/status", pod).status == 200)
        let answer = await door.send(
            "POST", pods + "/sick/eviction",
            ["apiVersion": "policy/v1", "kind": "Eviction", "metadata": ["name": "sick"]])
        #expect(answer.status == status, "\(answer.text)")
        await door.close()
    }

    @Test func `streams go to the container that is meant`() async throws {
        let door = try await Door()
        var pod = Door.pod("p")
        pod["spec", "nodeName"] = "n1"
        pod["spec", "containers"] = [["name": "a", "image": "i"], ["name": "b", "image": "i"]]
        pod["spec", "initContainers"] = [["name": "first", "image": "i"]]
        _ = await door.send("POST", pods, pod)
        let which = await door.send("GET", pods + "/p/log")
        #expect(which.status == 400)
        #expect(
            which.message
                == "a container name must be specified for pod p, choose one of: [a b] or one of the init containers: [first]"
        )
        let unknown = await door.send("GET", pods + "/p/log?container=x")
        #expect(unknown.message == "container x is not valid for pod p")
        guard
            case .pod(.log(let target, let options)) = await door.raw(
                "GET", pods + "/p/log?container=b&follow=true&tailLines=5")
        else { return #expect(Bool(false), "a log") }
        #expect(target.container == "b")
        #expect(options.follow && options.tailLines == 5)
        guard
            case .pod(.execute(_, let streams, let command)) = await door.raw(
                "POST", pods + "/p/exec?container=a&command=ls&command=-l&stdout=true&stderr=true&tty=true")
        else { return #expect(Bool(false), "an exec") }
        #expect(command == ["ls", "-l"])
        #expect(streams.stdout && !streams.stderr && streams.tty)
        let silent = await door.send("POST", pods + "/p/exec?container=a&command=ls")
        #expect(silent.message == "you must specify at least 1 of stdin, stdout, stderr")
        let tail = await door.send("GET", pods + "/p/log?container=a&tailLines=-1")
        #expect(
            tail.message
                == "PodLogOptions \"p\" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0")
        await door.close()
    }

    @Test func `a token is issued for an account and reviewed`() async throws {
        let door = try await Door()
        let path = "/api/v1/namespaces/default/serviceaccounts/default/token"
        let short = await door.send(
            "POST", path,
            ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": ["expirationSeconds": 10]])
        #expect(short.status == 422)
        #expect(short.message.hasSuffix("may not specify a duration less than 10 minutes"))
        let made = await door.send(
            "POST", path,
            ["apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": ["audiences": ["x"]]])
        #expect(made.status == 201, "\(made.text)")
        #expect(made.json["status", "token"] == "of:default:default:")
        #expect(made.json["spec", "expirationSeconds"] == 3600)
        let review = await door.send(
            "POST", "/apis/authentication.k8s.io/v1/tokenreviews",
            [
                "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
                "spec": ["token": "of:default:default:"],
            ])
        #expect(review.json["status", "user", "username"] == "system:serviceaccount:default:default")
        await door.close()
    }
}
