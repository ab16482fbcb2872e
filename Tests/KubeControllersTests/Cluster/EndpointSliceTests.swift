import JSON
import KubeStore
import TestKit
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// Which pods are behind a service, as slices and as the older Endpoints tell it.
@Suite(.timeLimit(.minutes(2))) struct EndpointSliceTests {
    private let world = World()
    private let controller = EndpointSliceController()

    private func addService(_ name: String = "web", _ edit: (inout KubeObject) -> Void = { _ in }) async throws {
        var service = KubeObject(json: [
            "spec": [
                "selector": ["app": "web"], "clusterIP": "10.96.0.10", "ipFamilies": ["IPv4"], "type": "ClusterIP",
                "ports": [["name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"]],
            ]
        ])
        edit(&service)
        try await world.add(.services, name, service.json)
    }

    private func slices() -> [KubeObject] {
        world.objects(.endpointSlices, namespace: "default").sorted { $0.key < $1.key }.map(KubeObject.init)
    }

    private func endpoints() -> [JSONValue] { slices().flatMap { $0.json["endpoints"]?.array ?? [] } }

    @Test func `a slice tells of each pod what clients need`() async throws {
        try await world.addNode { $0.metadata.labels["topology.kubernetes.io/zone"] = "a" }
        try await addService { $0.metadata.labels = ["team": "x"] }
        try await world.addRunning("web-0", address: "10.1.0.5", labels: ["app": "web"])
        try await world.addRunning("other", address: "10.1.0.6", labels: ["app": "other"])
        try await world.settle(controller)
        let slice = try #require(slices().first)
        let pod = try world.object(.pods, "web-0")
        #expect(slices().count == 1)
        #expect(slice.name.hasPrefix("web-") && slice.name.count == 9)
        #expect(slice.json["addressType"] == "IPv4")
        #expect(
            slice.json["ports"] == [["name": "http", "protocol": "TCP", "port": 8080]])
        #expect(
            slice.json["endpoints"] == [
                [
                    "addresses": ["10.1.0.5"],
                    "conditions": ["ready": true, "serving": true, "terminating": false],
                    "targetRef": [
                        "kind": "Pod", "namespace": "default", "name": "web-0", "uid": .string(pod.uid),
                    ],
                    "nodeName": "one", "zone": "a",
                ]
            ])
        #expect(
            slice.metadata.labels == [
                "team": "x", "kubernetes.io/service-name": "web",
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
            ])
        let owner = try #require(slice.metadata.controller)
        #expect(owner.kind == "Service" && owner.name == "web" && owner.blocksOwnerDeletion)
        #expect(slice.metadata.annotations["endpoints.kubernetes.io/last-change-trigger-time"] != nil)
    }

    @Test func `readiness and deletion move conditions in one write`() async throws {
        try await addService()
        try await world.addRunning("web-0", address: "10.1.0.5", labels: ["app": "web"], isReady: false)
        try await world.settle(controller)
        #expect(endpoints()[0]["conditions"] == ["ready": false, "serving": false, "terminating": false])
        let written = world.writes
        try await world.setReady("web-0", true)
        try await world.settle(controller)
        #expect(endpoints()[0]["conditions"] == ["ready": true, "serving": true, "terminating": false])
        #expect(world.writes == written + 2)
        try await world.delete(.pods, "web-0")
        try await world.settle(controller)
        #expect(endpoints()[0]["conditions"] == ["ready": false, "serving": true, "terminating": true])
        try await world.finish("web-0")
        try await world.settle(controller)
        #expect(endpoints().isEmpty)
        #expect(slices().count == 1, "an empty service keeps a slice")
    }

    @Test func `a service without pods has an empty slice, which the first pod takes`() async throws {
        try await addService()
        try await world.settle(controller)
        let empty = try #require(slices().first)
        #expect(empty.json["endpoints"] == [] && empty.json["ports"] == [])
        try await world.addRunning("web-0", address: "10.1.0.5", labels: ["app": "web"])
        try await world.settle(controller)
        #expect(slices().map(\.name) == [empty.name])
        #expect(endpoints().count == 1)
    }

    @Test func `services without a selector and external names are left alone`() async throws {
        try await addService("bare") { $0.spec["selector"] = nil }
        try await addService("outside") {
            $0.spec["type"] = "ExternalName"
            $0.spec["externalName"] = "example.com"
        }
        try await world.settle(controller, EndpointsController())
        #expect(slices().isEmpty && world.names(.endpoints).isEmpty)
    }

    @Test func `pods without an address and those that have ended are no endpoints`() async throws {
        try await addService()
        try await world.addRunning("done", address: "10.1.0.5", labels: ["app": "web"]) {
            $0.status["phase"] = "Failed"
        }
        try await world.addRunning("starting", address: "10.1.0.6", labels: ["app": "web"]) {
            $0.status["podIP"] = nil
            $0.status["podIPs"] = nil
        }
        try await world.settle(controller)
        #expect(endpoints().isEmpty)
    }

    @Test func `pods that are not ready are published where that is wanted`() async throws {
        try await addService { $0.spec["publishNotReadyAddresses"] = true }
        try await world.addRunning("web-0", address: "10.1.0.5", labels: ["app": "web"], isReady: false)
        try await world.settle(controller, EndpointsController())
        #expect(endpoints()[0]["conditions"] == ["ready": true, "serving": false, "terminating": false])
        let subsets = try world.object(.endpoints, "web").json["subsets"]
        #expect(subsets?[0]?["addresses"]?.array?.count == 1)
    }

    @Test func `pods of a stateful set have their host names`() async throws {
        try await addService("db") {
            $0.spec["clusterIP"] = "None"
            $0.spec["selector"] = ["app": "db"]
        }
        try await world.addRunning("db-0", address: "10.1.0.5", labels: ["app": "db"]) {
            $0.spec["hostname"] = "db-0"
            $0.spec["subdomain"] = "db"
        }
        try await world.settle(controller, EndpointsController())
        #expect(endpoints()[0]["hostname"] == "db-0")
        #expect(slices()[0].metadata.labels["service.kubernetes.io/headless"] == "")
        let address = try world.object(.endpoints, "db").json["subsets"]?[0]?["addresses"]?[0]
        #expect(address?["hostname"] == "db-0" && address?["ip"] == "10.1.0.5")
    }

    @Test func `a port by name is looked up in each pod`() async throws {
        try await addService { $0.spec["ports"] = [["name": "http", "port": 80, "targetPort": "web"]] }
        for (name, port) in [("a", 8080), ("b", 9090), ("c", 8080)] as [(String, Int64)] {
            try await world.addRunning(
                name, address: "10.1.0.\(port % 100 + Int64(name.utf8.first!))", labels: ["app": "web"]
            ) {
                $0.spec["containers"] = [
                    ["name": "m", "ports": [["name": "web", "containerPort": .integer(port)]]]
                ]
            }
        }
        try await world.settle(controller)
        let byPort = slices().map { ($0.json["ports"]?[0]?["port"]?.integer, $0.json["endpoints"]?.array?.count) }
        #expect(byPort.contains { $0 == (8080, 2) } && byPort.contains { $0 == (9090, 1) } && byPort.count == 2)
    }

    @Test func `a hundred endpoints fill a slice`() async throws {
        try await addService()
        for index in 0..<250 {
            try await world.addRunning(
                "web-\(index)", address: "10.1.\(index / 100).\(index % 100)", labels: ["app": "web"])
        }
        try await world.settle(controller)
        #expect(slices().compactMap { $0.json["endpoints"]?.array?.count }.sorted() == [50, 100, 100])
        let full = slices().first { $0.json["endpoints"]?.array?.count == 100 }!
        let victim = full.json["endpoints"]![0]!["targetRef", "name"]!.string!
        let before = slices().map(\.metadata.resourceVersion)
        try await world.finish(victim)
        try await world.settle(controller)
        #expect(zip(before, slices().map(\.metadata.resourceVersion)).count { $0 != $1 } == 1, "one slice is written")
    }

    @Test func `slices of a service of the same name before go at once`() async throws {
        try await addService()
        try await world.addRunning("web-0", address: "10.1.0.5", labels: ["app": "web"])
        try await world.settle(controller)
        try await world.delete(.services, "web")
        try await addService()
        try await world.settle(controller)
        #expect(slices().count == 1)
        #expect(slices()[0].metadata.controller?.uid == (try world.object(.services, "web").uid))
    }

    @Test func `nothing is made in a namespace that is being deleted`() async throws {
        try await world.add(.namespaces, "default", ["spec": ["finalizers": ["kubernetes"]]])
        try await world.delete(.namespaces, "default")
        try await addService()
        try await world.settle(controller, EndpointsController())
        #expect(slices().isEmpty && world.names(.endpoints).isEmpty)
    }

    @Test func `endpoints have ready and other addresses apart, without those that end`() async throws {
        try await addService()
        try await world.addRunning("a", address: "10.1.0.7", labels: ["app": "web"])
        try await world.addRunning("b", address: "10.1.0.5", labels: ["app": "web"])
        try await world.addRunning("c", address: "10.1.0.6", labels: ["app": "web"], isReady: false)
        try await world.addRunning("d", address: "10.1.0.8", labels: ["app": "web"])
        try await world.delete(.pods, "d")
        try await world.settle(EndpointsController())
        let endpoints = try world.object(.endpoints, "web")
        let subset = endpoints.json["subsets"]?[0]
        #expect(subset?["addresses"]?.array?.map { $0["ip"]?.string } == ["10.1.0.5", "10.1.0.7"])
        #expect(subset?["notReadyAddresses"]?.array?.map { $0["ip"]?.string } == ["10.1.0.6"])
        #expect(subset?["ports"] == [["name": "http", "port": 8080, "protocol": "TCP"]])
        #expect(endpoints.metadata.labels["endpoints.kubernetes.io/managed-by"] == "endpoint-controller")
        try await world.delete(.services, "web")
        try await world.settle(EndpointsController())
        #expect(world.names(.endpoints).isEmpty || world.names(.endpoints) == ["web"])
    }

    @Test(arguments: [1, 2, 3, 4]) func `each pod is in the slices once, whatever happens`(seed: UInt64) async throws {
        var chance = SeededChance(seed: seed)
        try await addService()
        var serial = 0
        for _ in 0..<40 {
            let pods = world.names(.pods)
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<5:
                for _ in 0..<Int.random(in: 1...20, using: &chance) {
                    serial += 1
                    try await world.addRunning(
                        "p\(serial)", address: "10.2.\(serial / 250).\(serial % 250)",
                        labels: ["app": Bool.random(using: &chance) ? "web" : "other"],
                        isReady: Bool.random(using: &chance))
                }
            case 5..<7:
                for pod in pods.shuffled(using: &chance).prefix(20) { try await world.finish(pod) }
            case 7: for pod in pods.shuffled(using: &chance).prefix(3) { try await world.delete(.pods, pod) }
            case 8:
                for pod in pods.shuffled(using: &chance).prefix(9) {
                    try await world.change(.pods, pod) { $0.metadata.labels["app"] = "web" }
                }
            default:
                try await world.change(.services, "web") { service in
                    let port = Int64.random(in: 8000...8002, using: &chance)
                    service.spec["ports"] = [["name": "http", "port": 80, "targetPort": .integer(port)]]
                }
            }
            if Bool.random(using: &chance) { try await world.settle(controller) }
        }
        try await world.settle(controller)
        let told = endpoints().compactMap { $0["targetRef", "name"]?.string }.sorted()
        let meant = world.objects(.pods, namespace: nil).map(KubeObject.init).filter {
            $0.metadata.labels["app"] == "web"
        }
        #expect(told == meant.map(\.name).sorted(), "\(chance)")
        #expect(slices().allSatisfy { ($0.json["endpoints"]?.array?.count ?? 0) <= 100 }, "\(chance)")
    }
}

/// Endpoints that a user writes.
@Suite(.timeLimit(.minutes(1))) struct EndpointSliceMirroringTests {
    private let world = World()
    private let mirroring = EndpointSliceMirroring()

    private func add(_ labels: [String: String] = [:]) async throws {
        try await world.add(.services, "outside", ["spec": ["ports": [["port": 80]]]])
        try await world.add(
            .endpoints, "outside",
            [
                "metadata": ["labels": labels.json, "annotations": ["note": "x"]],
                "subsets": [
                    [
                        "addresses": [["ip": "192.0.2.1"], ["ip": "2001:db8::1"]],
                        "notReadyAddresses": [["ip": "192.0.2.2"]], "ports": [["port": 8080, "protocol": "TCP"]],
                    ]
                ],
            ])
        try await world.settle(mirroring, EndpointSliceController(), EndpointsController())
    }

    private func slices() -> [KubeObject] { world.objects(.endpointSlices, namespace: nil).map(KubeObject.init) }

    @Test func `endpoints of a service without a selector are in slices, each family in its own`() async throws {
        try await add()
        #expect(slices().count == 2)
        let slice = try #require(slices().first { $0.json["addressType"] == "IPv4" })
        #expect(slice.json["endpoints"]?.array?.map { $0["conditions", "ready"]?.bool } == [true, false])
        #expect(slice.json["ports"] == [["name": "", "port": 8080, "protocol": "TCP"]])
        #expect(slice.metadata.controller?.kind == "Endpoints")
        #expect(slice.metadata.annotations["note"] == "x")
        #expect(
            slice.metadata.labels["endpointslice.kubernetes.io/managed-by"]
                == "endpointslicemirroring-controller.k8s.io")
        try await world.change(.endpoints, "outside") { $0.json["subsets"] = [] }
        try await world.settle(mirroring)
        #expect(slices().isEmpty)
    }

    @Test func `endpoints that say so are not mirrored, nor are those of a controller`() async throws {
        try await add(["endpointslice.kubernetes.io/skip-mirror": "true"])
        #expect(slices().isEmpty)
    }

    @Test func `slices go with the endpoints`() async throws {
        try await add()
        try await world.delete(.endpoints, "outside")
        try await world.settle(mirroring)
        #expect(slices().isEmpty)
    }
}
