import JSON
import KubeStore
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// Which pods come to the node, and what those are told that do not.
@Suite(.timeLimit(.minutes(2))) struct SchedulerTests {
    private let world = World()
    private let scheduler = NodeScheduler(node: World.node)
    private let noVictims = " preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    private let noHelp = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."

    @Test func `a pod is put on the node and an event says so`() async throws {
        try await world.addNode()
        try await world.addPod("web")
        try await world.settle(scheduler)
        let pod = try world.object(.pods, "web")
        #expect(pod.spec["nodeName"] == "one")
        #expect(pod.condition("PodScheduled")?["status"] == "True")
        #expect(world.events == ["Normal Scheduled pods default/web: Successfully assigned default/web to one"])
    }

    @Test func `pods of other schedulers, gated ones and those being deleted are left alone`() async throws {
        try await world.addNode()
        try await world.addPod("other") { $0.spec["schedulerName"] = "mine" }
        try await world.addPod("gated") { $0.spec["schedulingGates"] = [["name": "wait"]] }
        try await world.addPod("leaving") { $0.metadata.finalizers = ["test/hold"] }
        try await world.delete(.pods, "leaving")
        try await world.settle(scheduler)
        for name in ["other", "gated", "leaving"] { #expect(try world.nodeOf(name) == nil) }
        #expect(world.events.isEmpty)
        try await world.change(.pods, "gated") { $0.spec["schedulingGates"] = nil }
        try await world.settle(scheduler)
        #expect(try world.nodeOf("gated") == "one")
    }

    @Test func `without a node pods are told that there is none`() async throws {
        try await world.addPod("web")
        try await world.settle(scheduler)
        // Nothing has ever been said about a node, but the pod's arrival is looked at.
        #expect(try world.refusal("web") == "no nodes available to schedule pods")
        try await world.addNode()
        try await world.settle(scheduler)
        #expect(try world.nodeOf("web") == "one")
    }

    @Test func `what does not fit waits with a reason and comes when there is room`() async throws {
        try await world.addNode()
        try await world.addPod("first", cpu: "3")
        try await world.settle(scheduler)
        try await world.addPod("second", cpu: "2")
        try await world.settle(scheduler)
        let message = "0/1 nodes are available: 1 Insufficient cpu." + noVictims
        #expect(try world.refusal("second") == message)
        #expect(world.events.last == "Warning FailedScheduling pods default/second: " + message)
        try await world.finish("first")
        try await world.settle(scheduler)
        #expect(try world.nodeOf("second") == "one")
    }

    @Test func `a request beyond the whole node says that preemption is no help`() async throws {
        try await world.addNode()
        try await world.addPod("huge", cpu: "5")
        try await world.settle(scheduler)
        #expect(try world.refusal("huge") == "0/1 nodes are available: 1 Insufficient cpu." + noHelp)
    }

    @Test func `every resource that is short is named in order`() async throws {
        try await world.addNode { $0.status["allocatable", "pods"] = "0" }
        try await world.addPod("greedy") {
            $0.spec["containers"] = [
                [
                    "name": "main",
                    "resources": [
                        "requests": ["cpu": "5", "memory": "9Gi", "ephemeral-storage": "1Ti", "example.com/gpu": "1"]
                    ],
                ]
            ]
        }
        try await world.settle(scheduler)
        let reasons =
            "1 Insufficient cpu, 1 Insufficient ephemeral-storage, 1 Insufficient example.com/gpu, "
            + "1 Insufficient memory, 1 Too many pods."
        #expect(try world.refusal("greedy") == "0/1 nodes are available: " + reasons + noHelp)
    }

    @Test func `pods that have ended hold nothing`() async throws {
        try await world.addNode()
        try await world.addPod("done", cpu: "4")
        try await world.settle(scheduler)
        try await world.change(.pods, "done") { $0.status["phase"] = "Succeeded" }
        try await world.addPod("next", cpu: "4")
        try await world.settle(scheduler)
        #expect(try world.nodeOf("next") == "one")
    }

    @Test func `a cordoned node takes only what tolerates it`() async throws {
        try await world.addNode { $0.spec["unschedulable"] = true }
        try await world.addPod("web")
        try await world.addPod("daemon") {
            $0.spec["tolerations"] = [
                ["key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"]
            ]
        }
        try await world.settle(scheduler)
        #expect(try world.refusal("web") == "0/1 nodes are available: 1 node(s) were unschedulable." + noHelp)
        #expect(try world.nodeOf("daemon") == "one")
        try await world.change(.nodes, "one") { $0.spec["unschedulable"] = nil }
        try await world.settle(scheduler)
        #expect(try world.nodeOf("web") == "one")
    }

    @Test func `taints keep pods away that do not tolerate them`() async throws {
        try await world.addNode {
            $0.spec["taints"] = [
                ["key": "team", "value": "a", "effect": "NoSchedule"],
                ["key": "soft", "effect": "PreferNoSchedule"],
            ]
        }
        try await world.addPod("stranger") { $0.spec["tolerations"] = [["key": "team", "value": "b"]] }
        try await world.addPod("friend") { $0.spec["tolerations"] = [["key": "team", "value": "a"]] }
        try await world.addPod("tolerant") { $0.spec["tolerations"] = [["operator": "Exists"]] }
        try await world.settle(scheduler)
        #expect(
            try world.refusal("stranger") == "0/1 nodes are available: 1 node(s) had untolerated taint(s)." + noHelp)
        #expect(try world.nodeOf("friend") == "one")
        #expect(try world.nodeOf("tolerant") == "one")
    }

    @Test(
        arguments: [
            (["nodeSelector": ["disk": "ssd"]], true), (["nodeSelector": ["disk": "hdd"]], false),
            (Self.affinity("In", ["ssd", "nvme"]), true), (Self.affinity("NotIn", ["ssd"]), false),
            (Self.affinity("Exists", []), true), (Self.affinity("DoesNotExist", []), false),
            (Self.affinity("Gt", ["1"]), false),
        ] as [(JSONValue, Bool)])
    func `selectors and node affinity choose nodes`(spec: JSONValue, fits: Bool) async throws {
        try await world.addNode()
        try await world.addPod("web") { for member in spec.object!.members { $0.spec[member.key] = member.value } }
        try await world.settle(scheduler)
        if fits {
            #expect(try world.nodeOf("web") == "one")
        } else {
            let reason = "1 node(s) didn't match Pod's node affinity/selector."
            #expect(try world.refusal("web") == "0/1 nodes are available: " + reason + noHelp)
        }
    }

    private static func affinity(_ verb: String, _ values: [String]) -> JSONValue {
        let expression: JSONValue = ["key": "disk", "operator": .string(verb), "values": values.json]
        return [
            "affinity": [
                "nodeAffinity": [
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        "nodeSelectorTerms": [["matchExpressions": [expression]]]
                    ]
                ]
            ]
        ]
    }

    @Test func `a port of the node has one taker`() async throws {
        try await world.addNode()
        func port(_ pod: inout KubeObject, _ address: String?, _ transport: String) {
            var port: JSONValue = ["containerPort": 80, "hostPort": 80, "protocol": .string(transport)]
            if let address { port["hostIP"] = .string(address) }
            pod.spec["containers"] = [["name": "main", "ports": [port]]]
        }
        try await world.addPod("a") { port(&$0, "10.0.0.1", "TCP") }
        try await world.addPod("b") { port(&$0, "10.0.0.2", "TCP") }
        try await world.addPod("c") { port(&$0, "10.0.0.1", "UDP") }
        try await world.settle(scheduler)
        for name in ["a", "b", "c"] { #expect(try world.nodeOf(name) == "one") }
        try await world.addPod("all") { port(&$0, nil, "TCP") }
        try await world.settle(scheduler)
        let reason = "1 node(s) didn't have free ports for the requested pod ports."
        #expect(try world.refusal("all") == "0/1 nodes are available: " + reason + noVictims)
    }

    @Test func `the more important pod goes first, then the older one`() async throws {
        try await world.addNode()
        try await world.addPod("b", cpu: "3")
        world.now = world.now.later(bySeconds: 5)
        try await world.addPod("a", cpu: "3")
        try await world.addPod("urgent", cpu: "1", priority: 10)
        try await world.settle(scheduler)
        #expect(try world.nodeOf("urgent") == "one")
        #expect(try world.nodeOf("b") == "one")
        #expect(try world.nodeOf("a") == nil)
    }

    @Test func `a second decision has nothing to do`() async throws {
        try await world.addNode()
        for index in 0..<9 { try await world.addPod("web-\(index)", cpu: "500m") }
        // `settle` decides once more about everything.
        try await world.settle(scheduler)
        let written = world.writes
        try await world.settle(scheduler)
        #expect(world.writes == written)
        #expect(try world.refusal("web-8") != nil)
    }

    @Test func `five hundred pods are placed in one decision`() async throws {
        try await world.addNode { $0.status["allocatable", "cpu"] = "1000" }
        for index in 0..<510 { try await world.addPod("web-\(index)", cpu: "1") }
        let decision = scheduler.decide(Resource.nodes.key("one"), in: world, now: world.now)
        let bound = decision.actions.count { if case .update(_, _, "binding") = $0 { true } else { false } }
        #expect(bound == 500)
        #expect(decision.actions.count { if case .update(_, _, "status") = $0 { true } else { false } } == 10)
    }
}
