import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct CreatingTests {
    @Test func `a created object gets what only the server gives`() async throws {
        let door = try await Door()
        let made = await door.send("POST", deployments + "?fieldManager=me", Door.deployment("web"))
        #expect(made.status == 201)
        let metadata = made.json["metadata"] ?? .null
        #expect(metadata["namespace"] == "default")
        #expect(metadata["uid"]?.string?.utf8.count == 36)
        #expect(metadata["generation"] == 1)
        #expect(metadata["creationTimestamp"]?.string == Door.start.kubeTime)
        #expect(metadata["resourceVersion"] != nil)
        #expect(metadata["managedFields"]?[0]?["manager"] == "me")
        #expect(made.json["spec", "strategy", "type"] == "RollingUpdate")
        #expect(made.json["status"] == [:])
        let read = await door.send("GET", deployments + "/web")
        #expect(read.json == made.json)
        await door.close()
    }

    @Test func `what is there is not made again`() async throws {
        let door = try await Door()
        _ = await door.send("POST", maps, Door.configMap("a"))
        let again = await door.send("POST", maps, Door.configMap("a"))
        #expect(again.status == 409)
        #expect(again.message == "configmaps \"a\" already exists")
        #expect(again.reason == "AlreadyExists")
        await door.close()
    }

    @Test func `a name is generated from its beginning`() async throws {
        let door = try await Door()
        var object = Door.configMap("")
        object["metadata"] = ["generateName": "job-"]
        let made = await door.send("POST", maps, object)
        let name = made.json["metadata", "name"]?.string ?? ""
        #expect(name.hasPrefix("job-") && name.utf8.count == 9)
        await door.close()
    }

    @Test func `an object of another namespace is refused`() async throws {
        let door = try await Door()
        var object = Door.configMap("a")
        object["metadata", "namespace"] = "other"
        let answer = await door.send("POST", maps, object)
        #expect(answer.status == 400)
        #expect(
            answer.message == "the namespace of the provided object does not match the namespace sent on the request")
        await door.close()
    }

    @Test func `an invalid object is refused in the server's words`() async throws {
        let door = try await Door()
        let answer = await door.send("POST", deployments, Door.deployment("web", replicas: -1))
        #expect(answer.status == 422)
        #expect(
            answer.message
                == "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0"
        )
        await door.close()
    }

    @Test func `a dry run stores nothing`() async throws {
        let door = try await Door()
        let answer = await door.send("POST", maps + "?dryRun=All", Door.configMap("a"))
        #expect(answer.status == 201)
        #expect(answer.json["metadata", "uid"] != nil)
        #expect(await door.send("GET", maps + "/a").status == 404)
        await door.close()
    }

    @Test func `a body without a type is JSON`() async throws {
        let door = try await Door()
        #expect(await door.send("POST", maps, Door.configMap("a")).status == 201)
        let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: b\ndata:\n  port: \"80\"\n"
        #expect(await door.send("POST", maps, yaml, type: "application/yaml").status == 201)
        let other = await door.send("POST", maps, yaml, type: "text/plain")
        #expect(other.status == 415)
        #expect(
            other.message
                == "the body of the request was in an unknown format - accepted media types include: application/json, "
                + "application/yaml, application/vnd.kubernetes.protobuf")
        await door.close()
    }

    @Test func `unknown fields are refused or warned of`() async throws {
        let door = try await Door()
        var object = Door.configMap("a")
        object["nonsense"] = 1
        let strict = await door.send("POST", maps + "?fieldValidation=Strict", object)
        #expect(strict.status == 400)
        #expect(strict.message.contains("strict decoding error: unknown field \"nonsense\""))
        let warned = await door.send("POST", maps, object)
        #expect(warned.status == 201)
        #expect(warned.warnings == ["299 - \"unknown field \\\"nonsense\\\"\""])
        await door.close()
    }

    @Test func `jobs are tied to their pods by their uid`() async throws {
        let door = try await Door()
        let job: JSONValue = [
            "apiVersion": "batch/v1", "kind": "Job", "metadata": ["name": "j"],
            "spec": [
                "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "i"]]]]
            ],
        ]
        let made = await door.send("POST", "/apis/batch/v1/namespaces/default/jobs", job)
        #expect(made.status == 201, "\(made.text)")
        let uid = made.json["metadata", "uid"]
        #expect(made.json["spec", "selector", "matchLabels", "batch.kubernetes.io/controller-uid"] == uid)
        #expect(made.json["spec", "template", "metadata", "labels", "controller-uid"] == uid)
        await door.close()
    }
}
