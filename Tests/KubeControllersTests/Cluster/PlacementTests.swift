import JSON
import KubeStore
import TestKit
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// Pods that care about others, those that drive others out, and what each asks for.
@Suite(.timeLimit(.minutes(2))) struct PlacementTests {
    private let world = World()
    private let scheduler = NodeScheduler(node: World.node)
    private let noVictims = " preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
    private let noHelp = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."

    private func term(_ app: String, _ key: String = "kubernetes.io/hostname") -> JSONValue {
        ["topologyKey": .string(key), "labelSelector": ["matchLabels": ["app": .string(app)]]]
    }

    private func require(_ pod: inout KubeObject, _ kind: String, _ terms: [JSONValue]) {
        pod.spec["affinity"] = [kind: ["requiredDuringSchedulingIgnoredDuringExecution": .array(terms)]]
    }

    @Test func `a pod that must be near another waits for it`() async throws {
        try await world.addNode()
        try await world.addPod("client") { require(&$0, "podAffinity", [term("db")]) }
        try await world.settle(scheduler)
        let message = "0/1 nodes are available: 1 node(s) didn't match pod affinity rules." + noHelp
        #expect(try world.refusal("client") == message)
        try await world.addPod("db", labels: ["app": "db"])
        try await world.settle(scheduler)
        #expect(try world.nodeOf("client") == "one")
    }

    @Test func `the first of pods that must be near each other is let in`() async throws {
        try await world.addNode()
        for name in ["a", "b"] {
            try await world.addPod(name, labels: ["app": "ring"]) { require(&$0, "podAffinity", [term("ring")]) }
        }
        try await world.settle(scheduler)
        #expect(try world.nodeOf("a") == "one" && world.nodeOf("b") == "one")
    }

    @Test func `nearness is by a label that the node must have`() async throws {
        try await world.addNode()
        try await world.addPod("db", labels: ["app": "db"])
        try await world.addPod("client") { require(&$0, "podAffinity", [term("db", "rack")]) }
        try await world.addPod("loner") { require(&$0, "podAntiAffinity", [term("db", "rack")]) }
        try await world.settle(scheduler)
        #expect(try world.refusal("client") != nil)
        #expect(try world.nodeOf("loner") == "one", "without the label nothing is near")
    }

    @Test func `replicas that keep apart do not share the one node`() async throws {
        try await world.addNode()
        for name in ["a", "b"] {
            try await world.addPod(name, labels: ["app": "web"]) { require(&$0, "podAntiAffinity", [term("web")]) }
        }
        try await world.settle(scheduler)
        #expect(try world.nodeOf("a") == "one")
        #expect(
            try world.refusal("b")
                == "0/1 nodes are available: 1 node(s) didn't match pod anti-affinity rules." + noVictims)
        try await world.addPod("c", labels: ["app": "web"])
        try await world.settle(scheduler)
        #expect(
            try world.refusal("c")
                == "0/1 nodes are available: 1 node(s) didn't satisfy existing pods anti-affinity rules." + noVictims)
    }

    @Test func `terms hold in their namespaces`() async throws {
        try await world.addNode()
        try await world.add(.namespaces, "blue", ["metadata": ["labels": ["color": "blue"]]])
        try await world.addPod("db", in: "blue", labels: ["app": "db"])
        func client(_ name: String, _ edit: (inout JSONValue) -> Void) async throws {
            var term = term("db")
            edit(&term)
            try await world.addPod(name) { require(&$0, "podAffinity", [term]) }
        }
        try await client("own") { _ in }
        try await client("named") { $0["namespaces"] = ["blue"] }
        try await client("selected") { $0["namespaceSelector"] = ["matchLabels": ["color": "blue"]] }
        try await client("all") { $0["namespaceSelector"] = [:] }
        try await client("others") { $0["namespaceSelector"] = ["matchLabels": ["color": "red"]] }
        try await world.settle(scheduler)
        for name in ["named", "selected", "all"] { #expect(try world.nodeOf(name) == "one", "\(name)") }
        for name in ["own", "others"] { #expect(try world.nodeOf(name) == nil, "\(name)") }
    }

    @Test func `spreading over one node is met unless more places are asked for`() async throws {
        try await world.addNode()
        func spread(_ name: String, _ constraint: JSONValue) async throws {
            var constraint = constraint
            constraint["maxSkew"] = 1
            constraint["whenUnsatisfiable"] = constraint["whenUnsatisfiable"] ?? "DoNotSchedule"
            constraint["labelSelector"] = ["matchLabels": ["app": "web"]]
            try await world.addPod(name, labels: ["app": "web"]) { $0.spec["topologySpreadConstraints"] = [constraint] }
        }
        for name in ["a", "b", "c"] { try await spread(name, ["topologyKey": "kubernetes.io/hostname"]) }
        try await world.settle(scheduler)
        for name in ["a", "b", "c"] { #expect(try world.nodeOf(name) == "one") }
        try await spread("two", ["topologyKey": "kubernetes.io/hostname", "minDomains": 2])
        try await spread("zone", ["topologyKey": "zone"])
        try await spread("soft", ["topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"])
        try await world.settle(scheduler)
        let reason = "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints"
        #expect(try world.refusal("two") == reason + "." + noVictims)
        #expect(try world.refusal("zone") == reason + " (missing required label)." + noHelp)
        #expect(try world.nodeOf("soft") == "one")
    }

    @Test func `what a pod asks for is the most that it needs at any time`() {
        func container(_ cpu: String, _ sidecar: Bool = false) -> JSONValue {
            var container: JSONValue = ["name": "c", "resources": ["requests": ["cpu": .string(cpu)]]]
            if sidecar { container["restartPolicy"] = "Always" }
            return container
        }
        func cpu(_ spec: JSONValue) -> Int64 { PodDemand.requests(of: KubeObject(json: ["spec": spec]))["cpu"] }
        #expect(cpu(["containers": [container("1"), container("500m")]]) == 1500)
        #expect(cpu(["containers": [container("1")], "initContainers": [container("3"), container("2")]]) == 3000)
        // The sidecar is there beside the second one, and beside the containers.
        let sidecar: JSONValue = [container("3"), container("1", true), container("2500m")]
        #expect(cpu(["containers": [container("2")], "initContainers": sidecar]) == 3500)
        #expect(cpu(["containers": [container("3")], "initContainers": sidecar]) == 4000)
        #expect(cpu(["containers": [container("1")], "overhead": ["cpu": "100m"]]) == 1100)
        #expect(cpu(["containers": [container("1")], "resources": ["requests": ["cpu": "3"]]]) == 3000)
        #expect(cpu(["containers": [container("100u")]]) == 1, "rounded up")
        #expect(cpu(["containers": [container("9e18"), container("9e18")]]) == .max, "at the bound")
    }

    @Test func `a pod that is being resized holds the larger of both`() async throws {
        try await world.addNode()
        try await world.addRunning("shrinking", address: "10.1.0.5", labels: [:]) {
            $0.spec["containers"] = [["name": "main", "resources": ["requests": ["cpu": "1"]]]]
            $0.status["containerStatuses"] = [["name": "main", "allocatedResources": ["cpu": "3"]]]
        }
        try await world.addPod("next", cpu: "2")
        try await world.settle(scheduler)
        #expect(try world.nodeOf("next") == nil)
        try await world.change(.pods, "shrinking") {
            $0.status["containerStatuses"] = [["name": "main", "allocatedResources": ["cpu": "1"]]]
        }
        try await world.settle(scheduler)
        #expect(try world.nodeOf("next") == "one")
    }

    // MARK: Preemption

    private func addRunning(_ name: String, cpu: String, priority: Int64, labels: [String: String] = [:]) async throws {
        try await world.addPod(name, cpu: cpu, labels: labels, priority: priority)
        try await world.settle(scheduler)
        #expect(try world.nodeOf(name) == "one")
        try await world.change(.pods, name) { $0.status["phase"] = "Running" }
    }

    @Test func `a more important pod drives out another, waits for its end, and takes its place`() async throws {
        try await world.addNode()
        try await addRunning("low", cpu: "3", priority: 1)
        let high = try await world.addPod("high", cpu: "2", priority: 100)
        try await world.settle(scheduler)
        let victim = try world.object(.pods, "low")
        #expect(victim.isBeingDeleted && victim.metadata.deletionGracePeriodSeconds == 30)
        let target = victim.condition("DisruptionTarget")
        #expect(target?["reason"] == "PreemptionByScheduler" && target?["status"] == "True")
        #expect(
            target?["message"] == "default-scheduler: preempting to accommodate a higher priority pod")
        #expect(world.events.contains("Normal Preempted pods default/low: Preempted by pod \(high.uid) on node one"))
        #expect(try world.object(.pods, "high").status["nominatedNodeName"] == "one")
        // Its place is kept: less important pods do not get what is free meanwhile.
        try await world.addPod("quick", cpu: "1", priority: 1)
        world.now = world.now.later(bySeconds: 1)
        try await world.addPod("large", cpu: "2", priority: 1)
        try await world.settle(scheduler)
        #expect(try world.nodeOf("high") == nil)
        try await world.finish("low")
        try await world.settle(scheduler)
        #expect(try world.nodeOf("high") == "one")
        #expect(try world.nodeOf("quick") == "one" && world.nodeOf("large") == nil)
    }

    @Test func `only pods of lower priority are driven out`() async throws {
        try await world.addNode()
        try await addRunning("equal", cpu: "3", priority: 5)
        try await world.addPod("next", cpu: "2", priority: 5)
        try await world.settle(scheduler)
        #expect(try world.object(.pods, "equal").isBeingDeleted == false)
        #expect(try world.refusal("next") == "0/1 nodes are available: 1 Insufficient cpu." + noVictims)
    }

    @Test func `as few and as unimportant pods as possible are driven out`() async throws {
        try await world.addNode()
        try await addRunning("a", cpu: "1", priority: 3)
        try await addRunning("b", cpu: "2", priority: 1)
        try await addRunning("c", cpu: "1", priority: 2)
        try await world.addPod("high", cpu: "2", priority: 100)
        try await world.settle(scheduler)
        let leaving = world.objects(.pods, namespace: nil).map(KubeObject.init).filter(\.isBeingDeleted).map(\.name)
        #expect(leaving == ["b"])
    }

    @Test func `a pod whose budget is spent is spared when others will do`() async throws {
        try await world.addNode()
        try await addRunning("guarded", cpu: "2", priority: 1, labels: ["app": "db"])
        try await addRunning("free", cpu: "2", priority: 2)
        try await world.add(
            .podDisruptionBudgets, "db",
            ["spec": ["selector": ["matchLabels": ["app": "db"]]], "status": ["disruptionsAllowed": 0]])
        try await world.addPod("high", cpu: "2", priority: 100)
        try await world.settle(scheduler)
        #expect(try world.object(.pods, "guarded").isBeingDeleted == false)
        #expect(try world.object(.pods, "free").isBeingDeleted)
    }

    @Test func `a pod that must not drive out others does not`() async throws {
        try await world.addNode()
        try await addRunning("low", cpu: "3", priority: 1)
        try await world.addPod("polite", cpu: "2", priority: 100) { $0.spec["preemptionPolicy"] = "Never" }
        try await world.settle(scheduler)
        #expect(try world.object(.pods, "low").isBeingDeleted == false)
        #expect(
            try world.refusal("polite")
                == "0/1 nodes are available: 1 Insufficient cpu. preemption: not eligible due to preemptionPolicy=Never."
        )
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8])
    func `whatever pods come and go, the node is never given more than it has`(seed: UInt64) async throws {
        var chance = SeededChance(seed: seed)
        try await world.addNode()
        for step in 0..<120 {
            switch Int.random(in: 0..<10, using: &chance) {
            case 0..<6:
                let cpu = ["100m", "500m", "1", "2"].randomElement(using: &chance)!
                try await world.addPod("p\(step)", cpu: cpu, priority: Int64.random(in: 0...3, using: &chance)) { pod in
                    guard Bool.random(using: &chance) else { return }
                    pod.spec["initContainers"] = [["name": "i", "resources": ["requests": ["cpu": "1500m"]]]]
                }
            case 6, 7:
                if let pod = world.names(.pods).randomElement(using: &chance) { try await world.finish(pod) }
            case 8:
                if let pod = world.names(.pods).randomElement(using: &chance) { try await world.delete(.pods, pod) }
            default:
                if let pod = world.names(.pods).randomElement(using: &chance), try world.nodeOf(pod) != nil {
                    try await world.change(.pods, pod) { $0.status["phase"] = "Succeeded" }
                }
            }
            if Bool.random(using: &chance) { try await world.settle(scheduler) }
            let there = world.objects(.pods, namespace: nil).map(KubeObject.init).filter {
                $0.spec["nodeName"] != nil && !SchedulingPod.isFinished($0.json)
            }
            let cpu = there.reduce(Int64(0)) { $0 + PodDemand.requests(of: $1)["cpu"] }
            #expect(cpu <= 4000, "\(chance), step \(step)")
        }
        // Nothing waits that would fit.
        try await world.settle(scheduler)
        let used = world.objects(.pods, namespace: nil).map(KubeObject.init).filter {
            $0.spec["nodeName"] != nil && !SchedulingPod.isFinished($0.json)
        }.reduce(Int64(0)) { $0 + PodDemand.requests(of: $1)["cpu"] }
        let waiting = world.objects(.pods, namespace: nil).map(KubeObject.init).filter {
            $0.spec["nodeName"] == nil && !$0.isBeingDeleted && $0.status["nominatedNodeName"] == nil
        }
        let reserved = world.objects(.pods, namespace: nil).map(KubeObject.init).filter {
            $0.spec["nodeName"] == nil && $0.status["nominatedNodeName"] != nil
        }.reduce(Int64(0)) { $0 + PodDemand.requests(of: $1)["cpu"] }
        for pod in waiting {
            #expect(used + reserved + PodDemand.requests(of: pod)["cpu"] > 4000, "\(pod.name), \(chance)")
        }
    }
}
