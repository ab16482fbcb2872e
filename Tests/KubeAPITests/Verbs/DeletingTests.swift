import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct DeletingTests {
    @Test func `a deletion says what is gone`() async throws {
        let door = try await Door()
        let made = await door.send("POST", maps, Door.configMap("a")).json
        let gone = await door.send("DELETE", maps + "/a", "{\"propagationPolicy\":\"Background\"}")
        #expect(gone.status == 200)
        #expect(gone.json["status"] == "Success")
        #expect(gone.json["details", "uid"] == made["metadata", "uid"])
        #expect(gone.json["details", "kind"] == "configmaps")
        let again = await door.send("DELETE", maps + "/a")
        #expect(again.status == 404)
        #expect(again.message == "configmaps \"a\" not found")
        await door.close()
    }

    @Test func `finalizers hold an object`() async throws {
        let door = try await Door()
        var object = Door.configMap("a")
        object["metadata", "finalizers"] = ["example.com/hold"]
        _ = await door.send("POST", maps, object)
        var going = await door.send("DELETE", maps + "/a").json
        #expect(going["metadata", "deletionTimestamp"] != nil)
        #expect(going["metadata", "deletionGracePeriodSeconds"] == 0)
        going["metadata", "finalizers"] = nil
        #expect(await door.send("PUT", maps + "/a", going).status == 200)
        #expect(await door.send("GET", maps + "/a").status == 404)
        await door.close()
    }

    @Test func `a pod stays until its node lets it go`() async throws {
        let door = try await Door()
        var pod = Door.pod("p")
        pod["spec", "nodeName"] = "n1"
        _ = await door.send("POST", pods, pod)
        let going = await door.send("DELETE", pods + "/p")
        #expect(going.json["metadata", "deletionGracePeriodSeconds"] == 30)
        #expect(!going.text.contains("null"))
        #expect(await door.send("GET", pods + "/p").status == 200)
        _ = await door.send("DELETE", pods + "/p", "{\"gracePeriodSeconds\":0}")
        #expect(await door.send("GET", pods + "/p").status == 404)
        await door.close()
    }

    @Test func `a pod without a node goes at once`() async throws {
        let door = try await Door()
        _ = await door.send("POST", pods, Door.pod("p"))
        let gone = await door.send("DELETE", pods + "/p")
        #expect(gone.json["kind"] == "Pod")
        #expect(await door.send("GET", pods + "/p").status == 404)
        await door.close()
    }

    @Test func `a grace period gets shorter only`() async throws {
        let door = try await Door()
        var pod = Door.pod("p")
        pod["spec", "nodeName"] = "n1"
        _ = await door.send("POST", pods, pod)
        _ = await door.send("DELETE", pods + "/p?gracePeriodSeconds=10")
        let longer = await door.send("DELETE", pods + "/p?gracePeriodSeconds=60")
        #expect(longer.json["metadata", "deletionGracePeriodSeconds"] == 10)
        let shorter = await door.send("DELETE", pods + "/p?gracePeriodSeconds=5")
        #expect(shorter.json["metadata", "deletionGracePeriodSeconds"] == 5)
        await door.close()
    }

    @Test func `dependents are orphaned or deleted first when that is asked for`() async throws {
        let door = try await Door()
        for (policy, finalizer) in [("Orphan", "orphan"), ("Foreground", "foregroundDeletion")] {
            _ = await door.send("POST", deployments, Door.deployment(policy.lowercased()))
            let going = await door.send(
                "DELETE", deployments + "/" + policy.lowercased(), .object(["propagationPolicy": .string(policy)]))
            #expect(going.json["metadata", "finalizers"] == [.string(finalizer)])
        }
        let wrong = await door.send("DELETE", deployments + "/orphan?propagationPolicy=Other")
        #expect(wrong.status == 422)
        #expect(
            wrong.message
                == "DeleteOptions.meta.k8s.io \"\" is invalid: propagationPolicy: Unsupported value: \"Other\": supported "
                + "values: \"Background\", \"Foreground\", \"Orphan\"")
        await door.close()
    }

    @Test func `a deletion of another object is refused`() async throws {
        let door = try await Door()
        let uid = await door.send("POST", maps, Door.configMap("a")).json["metadata", "uid"]?.string ?? ""
        let answer = await door.send("DELETE", maps + "/a", "{\"preconditions\":{\"uid\":\"x\"}}")
        #expect(answer.status == 409)
        #expect(
            answer.message
                == "Operation cannot be fulfilled on configmaps \"a\": the UID in the precondition (x) does not match the UID in "
                + "record (\(uid)). The object might have been deleted and then recreated")
        await door.close()
    }

    @Test func `a namespace goes when it is empty`() async throws {
        let door = try await Door()
        let namespace: JSONValue = ["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "team"]]
        let made = await door.send("POST", "/api/v1/namespaces", namespace)
        #expect(made.json["spec", "finalizers"] == ["kubernetes"])
        #expect(made.json["status", "phase"] == "Active")
        var going = await door.send("DELETE", "/api/v1/namespaces/team").json
        #expect(going["status", "phase"] == "Terminating")
        going["spec", "finalizers"] = []
        #expect(await door.send("PUT", "/api/v1/namespaces/team/finalize", going).status == 200)
        #expect(await door.send("GET", "/api/v1/namespaces/team").status == 404)
        await door.close()
    }

    @Test func `a collection is deleted by selectors`() async throws {
        let door = try await Door()
        for name in ["a", "b", "c"] {
            _ = await door.send("POST", maps, Door.configMap(name, labels: ["keep": name == "b" ? "yes" : "no"]))
        }
        let gone = await door.send("DELETE", maps + "?labelSelector=keep%3Dno")
        #expect(gone.json["items"]?.array?.count == 2)
        let rest = await door.send("GET", maps)
        #expect(rest.json["items"]?.array?.map { $0["metadata", "name"] } == ["b"])
        await door.close()
    }
}
