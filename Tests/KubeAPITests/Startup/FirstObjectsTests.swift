import JSON
import KubeObjects
import KubeStore
import Linux
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct FirstObjectsTests {
    private let roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles"

    @Test func `the objects of the first start are there, and a second start leaves them`() async throws {
        let store = MemoryObjectStore()
        var settings = APISettings(serviceRanges: [Subnet("10.96.0.0/16")!])
        settings.apiAddress = IPAddress("10.9.0.1")
        let door = try await Door(store: store, settings: settings)
        for path in [
            "/api/v1/namespaces/default", "/api/v1/namespaces/kube-system", "/api/v1/namespaces/kube-public",
            "/api/v1/namespaces/kube-node-lease", "/api/v1/namespaces/kube-system/serviceaccounts/default",
            "/apis/storage.k8s.io/v1/storageclasses/local-path", roles + "/cluster-admin", roles + "/view",
            "/apis/scheduling.k8s.io/v1/priorityclasses/system-node-critical",
        ] {
            #expect(await door.send("GET", path).status == 200, "\(path)")
        }
        let endpoints = await door.send("GET", "/api/v1/namespaces/default/endpoints/kubernetes").json
        #expect(endpoints["subsets"]?[0]?["addresses"]?[0]?["ip"] == "10.9.0.1")
        let newest = try await store.history().newest
        await door.server.stop()
        let again = try await Door(store: store, settings: settings)
        #expect(try await store.history().newest == newest)
        await again.close()
    }

    @Test func `whoever views a namespace sees what its pods use and its functions, and who edits it changes these`()
        async throws
    {
        let door = try await Door()
        let (bindings, ann) = (AccessTests.bindings, AccessTests.ann)
        func may(_ verb: String, _ group: String, _ plural: String, as user: UserInfo) -> Bool {
            let target = AccessAttributes.Target(
                group: group, plural: plural, subresource: nil, name: nil, namespace: "default")
            return door.server.access.policy.allows(user, AccessAttributes(verb: verb, .resource(target))) != nil
        }
        #expect(!may("list", "metrics.k8s.io", "pods", as: ann))
        for (user, role) in [("ann", "view"), ("bob", "edit"), ("eve", "admin")] {
            _ = await door.send(
                "POST", bindings, AccessTests.binding(user, role, kind: "ClusterRole", user: user))
            let who = UserInfo(name: user, groups: ["system:authenticated"])
            #expect(may("list", "metrics.k8s.io", "pods", as: who), "\(role)")
            for plural in ["functions", "eventsources"] {
                #expect(may("list", "forkless.dev", plural, as: who), "\(role)")
                #expect(may("create", "forkless.dev", plural, as: who) == (role != "view"), "\(role)")
                #expect(may("delete", "forkless.dev", plural, as: who) == (role != "view"), "\(role)")
            }
        }
        await door.close()
    }

    @Test func `where the API is follows the node`() async throws {
        let store = MemoryObjectStore()
        var settings = APISettings(serviceRanges: [Subnet("10.96.0.0/16")!])
        settings.apiAddress = IPAddress("10.9.0.1")
        await (try await Door(store: store, settings: settings)).server.stop()
        settings.apiAddress = IPAddress("10.9.9.9")
        let door = try await Door(store: store, settings: settings)
        let slice = await door.send(
            "GET", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
        ).json
        #expect(slice["endpoints"]?[0]?["addresses"] == ["10.9.9.9"])
        await door.close()
    }

    @Test func `roles of the first start are repaired unless they say not to be`() async throws {
        let store = MemoryObjectStore()
        let first = try await Door(store: store)
        for name in ["system:basic-user", "system:monitoring"] {
            var role = await first.send("GET", "\(roles)/\(name)").json
            role["rules"] = []
            if name == "system:monitoring" { role["metadata", "annotations", BootstrapRepair.annotation] = "false" }
            #expect(await first.send("PUT", "\(roles)/\(name)", role).status == 200)
        }
        await first.server.stop()
        let door = try await Door(store: store)
        #expect(await door.send("GET", roles + "/system:basic-user").json["rules"]?.array?.count == 2)
        #expect(await door.send("GET", roles + "/system:monitoring").json["rules"]?.array?.isEmpty ?? true)
        await door.close()
    }
}
