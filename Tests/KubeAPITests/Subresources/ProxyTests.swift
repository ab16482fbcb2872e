import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct ProxyTests {
    @Test func `a name has a scheme and a port, or not`() {
        #expect(ProxiedName("web") == ProxiedName(isSecure: false, name: "web", port: ""))
        #expect(ProxiedName("web:http") == ProxiedName(isSecure: false, name: "web", port: "http"))
        #expect(ProxiedName("https:web:443") == ProxiedName(isSecure: true, name: "web", port: "443"))
        #expect(ProxiedName("https:web:") == ProxiedName(isSecure: true, name: "web", port: ""))
        for bad in ["", ":80", "ftp:web:80", "a:b:c:d", "https::1"] { #expect(ProxiedName(bad) == nil, "\(bad)") }
    }

    @Test func `the proxy of a pod leads to its address`() async throws {
        let door = try await Door()
        var pod = Door.pod("p")
        pod["spec", "containers"]?.array?[0]["ports"] = [["containerPort": 8080]]
        _ = await door.send("POST", pods, pod)
        #expect(await door.send("GET", pods + "/p/proxy").message == "address not allowed")
        var stored = await door.send("GET", pods + "/p").json
        stored["status"] = ["podIP": "10.244.0.9"]
        _ = await door.send("PUT", pods + "/p/status", stored)
        func target(_ name: String, _ rest: String = "/a/b") async -> ProxyTarget? {
            guard case .proxy(let target) = await door.raw("GET", pods + "/\(name)/proxy\(rest)") else { return nil }
            return target
        }
        #expect(
            await target("p")
                == ProxyTarget(
                    isSecure: false, host: "10.244.0.9", port: 8080,
                    prefix: "/api/v1/namespaces/default/pods/p/proxy", prefixParts: 7))
        #expect(await target("p:81", "")?.port == 81)
        #expect(await target("https:p:82")?.isSecure == true)
        #expect(await door.send("GET", pods + "/p:http/proxy").message == "invalid pod request \"p:http\"")
        #expect(await door.send("GET", pods + "/a:b:c:d/proxy").message == "invalid pod request \"a:b:c:d\"")
        #expect(await door.send("GET", pods + "/nobody/proxy").status == 404)
        stored = await door.send("GET", pods + "/p").json
        stored["status", "podIP"] = "169.254.169.254"
        _ = await door.send("PUT", pods + "/p/status", stored)
        #expect(await door.send("GET", pods + "/p/proxy").message == "address not allowed")
        await door.close()
    }

    @Test func `the proxy of a service leads to an endpoint that is ready`() async throws {
        let door = try await Door()
        let services = "/api/v1/namespaces/default/services"
        _ = await door.send(
            "POST", services,
            [
                "apiVersion": "v1", "kind": "Service", "metadata": ["name": "s"],
                "spec": [
                    "ports": [["name": "web", "port": 80, "targetPort": 8080], ["name": "other", "port": 81]],
                    "selector": ["app": "s"],
                ],
            ])
        let none = await door.send("GET", services + "/s:80/proxy/")
        #expect(none.status == 503 && none.reason == "ServiceUnavailable")
        #expect(none.message == "no endpoints available for service \"s:80\"")
        #expect(
            await door.send("GET", services + "/s:90/proxy/").message == "no service port 90 found for service \"s\"")
        #expect(await door.send("GET", services + "/nobody/proxy/").status == 404)
        let slice: JSONValue = [
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": ["name": "s-1", "labels": ["kubernetes.io/service-name": "s"]],
            "ports": [["name": "web", "port": 8080, "protocol": "TCP"]],
            "endpoints": [
                ["addresses": ["10.244.0.7"], "conditions": ["ready": false]],
                ["addresses": ["10.244.0.8"], "conditions": ["ready": true]],
            ],
        ]
        let made = await door.send("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", slice)
        #expect(made.status == 201, "\(made.text)")
        for name in ["s:80", "s:web"] {
            guard case .proxy(let target) = await door.raw("POST", services + "/\(name)/proxy/x") else {
                Issue.record("\(name)")
                continue
            }
            #expect(target.authority == "10.244.0.8:8080")
        }
        #expect(await door.send("GET", services + "/s:other/proxy/").status == 503)
        await door.close()
    }

    @Test func `who passes through needs the method's verb on the proxy`() async throws {
        let door = try await Door()
        let jane = UserInfo(name: "jane", groups: ["system:authenticated"])
        let refused = await door.send("POST", pods + "/p:80/proxy/x", as: jane)
        #expect(
            refused.message
                == "pods \"p:80\" is forbidden: User \"jane\" cannot create resource \"pods/proxy\" in API group \"\" in the namespace \"default\""
        )
        #expect(
            await door.send("GET", "/api/v1/namespaces/default/services/s/proxy/", as: jane).message.contains(
                "cannot get resource \"services/proxy\""))
        #expect(await door.send("GET", "/api/v1/nodes/n/proxy/stats").status == 501)
        await door.close()
    }

    @Test func `the log of one stream is asked for by its name`() async throws {
        let door = try await Door()
        var pod = Door.pod("p")
        pod["spec", "nodeName"] = "n1"
        _ = await door.send("POST", pods, pod)
        #expect(await door.send("GET", pods + "/p/log?stream=Stderr").text.contains("errors"))
        #expect(await door.send("GET", pods + "/p/log?stream=All").status == 101)
        #expect(await door.send("GET", pods + "/p/log?stream=both").message.contains("Unsupported value: \"both\""))
        #expect(
            await door.send("GET", pods + "/p/log?stream=Stdout&tailLines=1").message.contains("mutually exclusive"))
        await door.close()
    }
}
