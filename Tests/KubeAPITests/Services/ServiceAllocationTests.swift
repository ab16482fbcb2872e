import JSON
import KubeObjects
import KubeStore
import Linux
import TestKit
import Testing

@testable import KubeAPI

private let services = "/api/v1/namespaces/default/services"

@Suite(.timeLimit(.minutes(2)))
struct ServiceAllocationTests {
    private func service(_ name: String, _ spec: JSONValue = [:]) -> JSONValue {
        var spec = spec
        if spec["ports"] == nil { spec["ports"] = [["port": 80]] }
        return ["apiVersion": "v1", "kind": "Service", "metadata": ["name": .string(name)], "spec": spec]
    }

    @Test func `the API has the first address of services`() async throws {
        let door = try await Door()
        let made = await door.send("GET", services + "/kubernetes").json
        #expect(made["spec", "clusterIP"] == "10.96.0.1")
        #expect(made["spec", "ports"]?[0]?["targetPort"] == 6443)
        await door.close()
    }

    @Test func `no two services get the same address or port`() async throws {
        let settings = APISettings(serviceRanges: [Subnet("10.0.0.0/26")!], nodePorts: 30000...30019)
        let door = try await Door(settings: settings)
        let answers = await withTaskGroup(of: Door.Answer.self) { group in
            for number in 0..<20 {
                group.addTask {
                    await door.send("POST", services, self.service("s\(number)", ["type": "NodePort"]))
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(answers.allSatisfy { $0.status == 201 })
        let made = answers.map(\.json)
        #expect(Set(made.compactMap { $0["spec", "clusterIP"]?.string }).count == 20)
        #expect(Set(made.compactMap { $0["spec", "ports"]?[0]?["nodePort"]?.integer }).count == 20)
        let full = await door.send("POST", services, service("more", ["type": "NodePort"]))
        #expect(full.status == 422)
        await door.close()
    }

    @Test func `what is asked for is given or refused`() async throws {
        let door = try await Door()
        let asked = await door.send("POST", services, service("dns", ["clusterIP": "10.96.0.10"]))
        #expect(asked.json["spec", "clusterIPs"] == ["10.96.0.10"])
        #expect(asked.json["spec", "ipFamilies"] == ["IPv4"])
        #expect(asked.json["spec", "ipFamilyPolicy"] == "SingleStack")
        let taken = await door.send("POST", services, service("b", ["clusterIP": "10.96.0.10"]))
        #expect(taken.status == 422)
        #expect(
            taken.message
                == "Service \"b\" is invalid: spec.clusterIPs: Invalid value: [\"10.96.0.10\"]: failed to allocate IP 10.96.0.10: "
                + "provided IP is already allocated")
        let outside = await door.send("POST", services, service("b", ["clusterIP": "10.1.0.10"]))
        #expect(
            outside.message
                == "Service \"b\" is invalid: spec.clusterIPs: Invalid value: [\"10.1.0.10\"]: failed to allocate IP 10.1.0.10: the "
                + "provided IP (10.1.0.10) is not in the valid range. The range of valid IPs is 10.96.0.0/16")
        let port = await door.send(
            "POST", services, service("b", ["type": "NodePort", "ports": [["port": 80, "nodePort": 80]]]))
        #expect(
            port.message
                == "Service \"b\" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. "
                + "The range of valid ports is 30000-32767")
        let headless = await door.send("POST", services, service("h", ["clusterIP": "None"]))
        #expect(headless.json["spec", "clusterIPs"] == ["None"])
        await door.close()
    }

    @Test func `an update keeps what it leaves out and gives back what it no longer needs`() async throws {
        let door = try await Door()
        let made = await door.send("POST", services, service("web", ["type": "NodePort"])).json
        let port = made["spec", "ports"]?[0]?["nodePort"]
        var plain = service("web", ["type": "NodePort"])
        plain["metadata", "resourceVersion"] = made["metadata", "resourceVersion"]
        let kept = await door.send("PUT", services + "/web", plain).json
        #expect(kept["spec", "clusterIP"] == made["spec", "clusterIP"])
        #expect(kept["spec", "ports"]?[0]?["nodePort"] == port)
        plain = service("web", ["type": "ClusterIP"])
        plain["metadata", "resourceVersion"] = kept["metadata", "resourceVersion"]
        let inner = await door.send("PUT", services + "/web", plain).json
        #expect(inner["spec", "ports"]?[0]?["nodePort"] == nil)
        let other = await door.send(
            "POST", services, service("b", ["type": "NodePort", "ports": [["port": 1, "nodePort": port!]]]))
        #expect(other.status == 201, "\(other.text)")
        await door.close()
    }

    @Test func `a service whose traffic stays on the node has a port for its health`() async throws {
        let door = try await Door()
        let local: JSONValue = ["type": "LoadBalancer", "externalTrafficPolicy": "Local"]
        let made = await door.send("POST", services, service("local", local)).json
        let port = try #require(made["spec", "healthCheckNodePort"]?.integer)
        #expect((30000...32767).contains(port) && made["spec", "ports"]?[0]?["nodePort"]?.integer != port)
        var asked = local
        asked["healthCheckNodePort"] = .integer(port)
        let taken = await door.send("POST", services, service("second", asked))
        #expect(taken.status == 422 && taken.message.contains("provided port is already allocated"), "\(taken.message)")
        let wrong = await door.send("POST", services, service("third", ["type": "NodePort", "healthCheckNodePort": 30001]))
        #expect(wrong.status == 422 && wrong.message.contains("may only be set when `type` is 'LoadBalancer'"), "\(wrong.message)")
        let patch = { (body: JSONValue) async -> Door.Answer in
            await door.send("PATCH", services + "/local", body, type: "application/merge-patch+json")
        }
        #expect(await patch(["metadata": ["labels": ["a": "b"]]]).json["spec", "healthCheckNodePort"]?.integer == port, "it stays")
        #expect(await patch(["spec": ["healthCheckNodePort": .integer(port == 30001 ? 30002 : 30001)]]).message.contains("field is immutable"))
        let open = await patch(["spec": ["externalTrafficPolicy": "Cluster"]])
        #expect(open.status == 200 && open.json["spec", "healthCheckNodePort"] == nil, "\(open.message)")
        await door.close()
    }

    @Test func `a family that the cluster has not is refused in Kubernetes' words`() async throws {
        let door = try await Door()
        let both = await door.send("POST", services, service("both", ["ipFamilyPolicy": "RequireDualStack"]))
        #expect(both.status == 422 && both.message.contains("\"RequireDualStack\": this cluster is not configured for dual-stack services"))
        let six = await door.send("POST", services, service("six", ["ipFamilies": ["IPv6"]]))
        #expect(six.status == 422 && six.message.contains("spec.ipFamilies[0]: Invalid value: \"IPv6\": not configured on this cluster"), "\(six.message)")
        let one = await door.send("POST", services, service("one", ["ipFamilyPolicy": "PreferDualStack"]))
        #expect(one.status == 201 && one.json["spec", "ipFamilies"] == ["IPv4"])
        await door.close()
    }
}
