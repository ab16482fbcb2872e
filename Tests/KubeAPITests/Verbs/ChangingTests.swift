import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct ChangingTests {
    @Test func `the generation counts changes of what is asked for`() async throws {
        let door = try await Door()
        var object = await door.send("POST", deployments, Door.deployment("web")).json
        object["metadata", "labels"] = ["a": "b"]
        object = await door.send("PUT", deployments + "/web", object).json
        #expect(object["metadata", "generation"] == 1)
        object["spec", "replicas"] = 3
        object = await door.send("PUT", deployments + "/web", object).json
        #expect(object["metadata", "generation"] == 2)
        await door.close()
    }

    @Test func `an update of an older version is a conflict`() async throws {
        let door = try await Door()
        let old = await door.send("POST", maps, Door.configMap("a")).json
        var new = old
        new["data", "b"] = "2"
        #expect(await door.send("PUT", maps + "/a", new).status == 200)
        let late = await door.send("PUT", maps + "/a", new)
        #expect(late.status == 409)
        #expect(
            late.message
                == "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes "
                + "to the latest version and try again")
        await door.close()
    }

    @Test func `an update without a change is no event`() async throws {
        let door = try await Door()
        let old = await door.send("POST", maps, Door.configMap("a")).json
        door.pass(seconds: 5)
        let same = await door.send("PUT", maps + "/a", old)
        #expect(same.json == old)
        await door.close()
    }

    @Test func `a status is written by itself`() async throws {
        let door = try await Door()
        var object = await door.send("POST", deployments, Door.deployment("web")).json
        object["spec", "replicas"] = 7
        object["status"] = ["replicas": 1]
        let written = await door.send("PUT", deployments + "/web/status", object)
        #expect(written.status == 200, "\(written.text)")
        #expect(written.json["spec", "replicas"] == 1)
        #expect(written.json["status", "replicas"] == 1)
        #expect(written.json["metadata", "generation"] == 1)
        await door.close()
    }

    @Test func `an update leaves the status alone`() async throws {
        let door = try await Door()
        var object = await door.send("POST", deployments, Door.deployment("web")).json
        object["status"] = ["replicas": 1]
        object = await door.send("PUT", deployments + "/web/status", object).json
        object["status"] = ["replicas": 9]
        object = await door.send("PUT", deployments + "/web", object).json
        #expect(object["status", "replicas"] == 1)
        await door.close()
    }

    @Test func `another uid is another object`() async throws {
        let door = try await Door()
        var object = await door.send("POST", maps, Door.configMap("a")).json
        let uid = object["metadata", "uid"]?.string ?? ""
        object["metadata", "uid"] = "x"
        let answer = await door.send("PUT", maps + "/a", object)
        #expect(answer.status == 409)
        #expect(
            answer.message
                == "Operation cannot be fulfilled on configmaps \"a\": Precondition failed: UID in precondition: x, UID in "
                + "object meta: \(uid)")
        await door.close()
    }

    @Test func `patches of all types change an object`() async throws {
        let door = try await Door()
        _ = await door.send("POST", deployments, Door.deployment("web"))
        let merge = await door.send(
            "PATCH", deployments + "/web", "{\"spec\":{\"replicas\":2}}", type: "application/merge-patch+json")
        #expect(merge.json["spec", "replicas"] == 2)
        let strategic = await door.send(
            "PATCH", deployments + "/web",
            "{\"spec\":{\"template\":{\"spec\":{\"containers\":[{\"name\":\"side\",\"image\":\"b\"}]}}}}",
            type: "application/strategic-merge-patch+json")
        #expect(strategic.json["spec", "template", "spec", "containers"]?.array?.count == 2)
        let json = await door.send(
            "PATCH", deployments + "/web", "[{\"op\":\"replace\",\"path\":\"/spec/replicas\",\"value\":5}]",
            type: "application/json-patch+json")
        #expect(json.json["spec", "replicas"] == 5)
        let other = await door.send("PATCH", deployments + "/web", "{}", type: "application/json")
        #expect(other.status == 415)
        #expect(other.message.hasSuffix("application/strategic-merge-patch+json, application/apply-patch+yaml"))
        await door.close()
    }

    @Test func `server-side apply makes and changes objects and tells conflicts`() async throws {
        let door = try await Door()
        let yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  x: \"1\"\n"
        let type = "application/apply-patch+yaml"
        let made = await door.send("PATCH", maps + "/a?fieldManager=one", yaml, type: type)
        #expect(made.status == 201, "\(made.text)")
        #expect(made.json["metadata", "managedFields"]?[0]?["operation"] == "Apply")
        let same = await door.send("PATCH", maps + "/a?fieldManager=one", yaml, type: type)
        #expect(same.status == 200)
        #expect(same.json == made.json)
        let other = yaml.replacing("\"1\"", with: "\"2\"")
        let conflict = await door.send("PATCH", maps + "/a?fieldManager=two", other, type: type)
        #expect(conflict.status == 409)
        #expect(conflict.message == "Apply failed with 1 conflict: conflict with \"one\": .data.x")
        let forced = await door.send("PATCH", maps + "/a?fieldManager=two&force=true", other, type: type)
        #expect(forced.json["data", "x"] == "2")
        let nameless = await door.send("PATCH", maps + "/a", yaml, type: type)
        #expect(nameless.status == 422)
        #expect(
            nameless.message
                == "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch"
        )
        await door.close()
    }

    @Test func `a deployment's scale and status are applied, and its scale is shown as a row`() async throws {
        let door = try await Door()
        let path = "/apis/apps/v1/namespaces/default/deployments"
        let deployment: JSONValue = [
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web"],
            "spec": [
                "selector": ["matchLabels": ["a": "b"]],
                "template": [
                    "metadata": ["labels": ["a": "b"]], "spec": ["containers": [["name": "m", "image": "i"]]],
                ],
            ],
        ]
        #expect(await door.send("POST", path, deployment).status == 201)
        func apply(_ place: String, _ body: JSONValue) async -> Door.Answer {
            await door.send(
                "PATCH", path + "/web" + place + "?fieldManager=m&force=true", body,
                type: "application/apply-patch+yaml")
        }
        let scale = await apply(
            "/scale",
            ["apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": ["name": "web"], "spec": ["replicas": 3]])
        #expect(scale.status == 200 && scale.json["spec", "replicas"] == 3, "\(scale.text)")
        let status = await apply(
            "/status",
            [
                "apiVersion": "apps/v1", "kind": "Deployment", "metadata": ["name": "web"], "spec": ["replicas": 9],
                "status": ["replicas": 2],
            ])
        #expect(status.json["status", "replicas"] == 2 && status.json["spec", "replicas"] == 3, "\(status.text)")
        let wrong = await apply(
            "/scale",
            ["apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": ["name": "web"], "spec": ["replicas": -1]])
        #expect(wrong.status == 422, "\(wrong.text)")
        let row = await door.send(
            "GET", path + "/web/scale", headers: ["accept": "application/json;as=Table;v=v1;g=meta.k8s.io"]
        ).json
        #expect(
            row["columnDefinitions"]?.array?.compactMap { $0["name"]?.string } == [
                "Name", "Desired", "Available", "Age",
            ])
        #expect(row["rows"]?[0]?["cells"]?.array?.prefix(3) == ["web", 3, 2], "\(row)")
        let entries = await door.send("GET", path + "/web").json["metadata", "managedFields"]?.array ?? []
        let owned = entries.first { $0["manager"] == "m" && $0["subresource"] == "status" }?["fieldsV1"]
        #expect(owned?["f:spec"] == nil && owned?["f:status"] != nil, "\(entries)")
        await door.close()
    }
}
