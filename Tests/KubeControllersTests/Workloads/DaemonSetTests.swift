import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeControllers

@Suite(.timeLimit(.minutes(3)))
struct DaemonSetTests {
    private static func set(_ more: JSONValue = [:]) -> KubeObject {
        var spec: JSONValue = ["selector": ["matchLabels": ["app": "web"]], "template": Fixture.template()]
        for member in more.object?.members ?? [] { spec[member.key] = member.value }
        return Fixture.object(.daemonSets, "agent", spec)
    }

    private func simulation(_ seed: UInt64 = 1, _ chaos: Simulation.Chaos = .init(), nodes: Int = 1) async throws
        -> Simulation
    {
        let simulation = Simulation([DaemonSetController()], seed: seed, chaos: chaos)
        for number in 0..<nodes {
            var node = Fixture.object(.nodes, "node-\(number)", [:])
            node.metadata.namespace = nil
            node.metadata.labels = ["kubernetes.io/hostname": "node-\(number)"]
            try await simulation.api.create(.nodes, node)
        }
        return simulation
    }

    private func change(_ simulation: Simulation, _ body: (inout JSONValue) -> Void) async throws {
        var set = try #require(await simulation.object(.daemonSets, "agent"))
        body(&set.json["spec", default: [:]])
        try await simulation.api.update(.daemonSets, set, subresource: nil)
    }

    @Test func `the node gets a pod that is bound to it and tolerates its troubles`() async throws {
        let simulation = try await simulation()
        try await simulation.api.create(.daemonSets, Self.set())
        try await simulation.settle()
        let pod = try #require(await simulation.objects(.pods).first)
        let terms = pod.json["spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"]
        #expect(terms?["nodeSelectorTerms"]?[0]?["matchFields"]?[0]?["values"] == ["node-0"])
        #expect(pod.spec["tolerations"]?.array?.count == 6)
        let revision = try #require(await simulation.objects(.controllerRevisions).first)
        #expect(pod.label("controller-revision-hash") == revision.label("controller-revision-hash"))
        let set = try #require(await simulation.object(.daemonSets, "agent"))
        for field in [
            "currentNumberScheduled", "desiredNumberScheduled", "numberReady", "updatedNumberScheduled",
            "numberAvailable",
        ] {
            #expect(set.status.count(field) == 1, "\(field)")
        }
        #expect(set.status["numberUnavailable"] == nil)
        #expect(set.status["numberMisscheduled"] == 0)
    }

    @Test(arguments: 0..<8)
    func `an update of a daemon set keeps to maxUnavailable, whatever happens`(seed: UInt64) async throws {
        let simulation = try await simulation(seed, .init(failures: 15, restarts: true), nodes: 3)
        try await simulation.api.create(.daemonSets, Self.set())
        try await simulation.settle()
        simulation.chaos.failures = 15
        simulation.check = { simulation in
            let pods = await simulation.objects(.pods)
            let available = pods.count { $0.isHealthyPod }
            #expect(available >= 2, "\(simulation.chance), step \(simulation.steps)")
            #expect(pods.count <= 3, "a node has two pods (\(simulation.chance), step \(simulation.steps))")
        }
        for round in 0..<3 {
            try await change(simulation) { $0["template"] = Fixture.template(image: "round-\(round)") }
            try await simulation.run(150)
        }
        try await simulation.settle()
        #expect(await simulation.objects(.pods).allSatisfy { $0.spec["containers"]?[0]?["image"] == "round-2" })
        let set = try #require(await simulation.object(.daemonSets, "agent"))
        #expect(set.status.count("updatedNumberScheduled") == 3)
    }

    @Test(arguments: 0..<4)
    func `with a surge a new pod is available before the old one goes`(seed: UInt64) async throws {
        let strategy: JSONValue = ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1, "maxUnavailable": 0]]
        let simulation = try await simulation(seed, .init(failures: 15, restarts: true), nodes: 2)
        try await simulation.api.create(.daemonSets, Self.set(["updateStrategy": strategy]))
        try await simulation.settle()
        simulation.chaos.failures = 15
        simulation.check = { simulation in
            let pods = await simulation.objects(.pods)
            #expect(pods.count(where: \.isHealthyPod) >= 2, "\(simulation.chance), step \(simulation.steps)")
            #expect(pods.count(where: \.isActivePod) <= 3, "\(simulation.chance), step \(simulation.steps)")
        }
        try await change(simulation) { $0["template"] = Fixture.template(image: "two") }
        try await simulation.run(200)
        try await simulation.settle()
        let pods = await simulation.objects(.pods)
        #expect(pods.count == 2)
        #expect(pods.allSatisfy { $0.spec["containers"]?[0]?["image"] == "two" })
    }

    @Test func `a node that is not selected, or has a taint that drives pods away, has none`() async throws {
        let simulation = try await simulation()
        try await simulation.api.create(.daemonSets, Self.set())
        try await simulation.settle()
        try await change(simulation) { $0["template", "spec", "nodeSelector"] = ["disk": "fast"] }
        try await simulation.settle()
        #expect(await simulation.objects(.pods).isEmpty)
        var node = try await simulation.api.get(.nodes, namespace: nil, "node-0")
        node.metadata.labels["disk"] = "fast"
        try await simulation.api.update(.nodes, node, subresource: nil)
        try await simulation.settle()
        #expect(await simulation.objects(.pods).count == 1)
        node = try await simulation.api.get(.nodes, namespace: nil, "node-0")
        node.json["spec", default: [:]]["taints"] = [["key": "out", "effect": "NoSchedule"]]
        try await simulation.api.update(.nodes, node, subresource: nil)
        try await simulation.settle()
        #expect(await simulation.objects(.pods).count == 1, "a taint against new pods leaves those that are there")
        node = try await simulation.api.get(.nodes, namespace: nil, "node-0")
        node.json["spec", default: [:]]["taints"] = [["key": "out", "effect": "NoExecute"]]
        try await simulation.api.update(.nodes, node, subresource: nil)
        try await simulation.settle()
        #expect(await simulation.objects(.pods).isEmpty)
    }

    @Test func `a pod that has failed is replaced after a pause`() async throws {
        let simulation = try await simulation()
        try await simulation.api.create(.daemonSets, Self.set())
        try await simulation.settle()
        var pod = try #require(await simulation.objects(.pods).first)
        pod.status = [
            "phase": "Failed",
            "containerStatuses": [
                ["state": ["terminated": ["exitCode": 1, "finishedAt": .string(simulation.clock.now.kubeTime)]]]
            ],
        ]
        try await simulation.api.update(.pods, pod, subresource: "status")
        let before = simulation.clock.now
        try await simulation.settle()
        let now = try #require(await simulation.objects(.pods).first)
        #expect(now.name != pod.name)
        #expect(simulation.clock.now.since(before) >= .seconds(9))
    }
}
