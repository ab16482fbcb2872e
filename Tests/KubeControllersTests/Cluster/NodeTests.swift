import JSON
import KubeSchema
import KubeStore
import Linux
import Synchronization
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// What the node says of itself, what it renews, and what it sweeps out.
@Suite(.timeLimit(.minutes(1))) struct NodeTests {
    private final class Machine: Sendable {
        private let held: Mutex<NodeFacts>
        var facts: NodeFacts {
            get { held.withLock { $0 } }
            set { held.withLock { $0 = newValue } }
        }

        init() {
            var facts = NodeFacts(name: "one")
            facts.milliCPU = 4000
            facts.memory = 16 << 30
            facts.reservedMemory = 1 << 30
            facts.reservedMilliCPU = 500
            facts.ephemeralStorage = 100 << 30
            facts.addresses = [.init(type: "InternalIP", address: "10.0.0.2")]
            facts.kubeletVersion = "v1.37.0"
            facts.architecture = "amd64"
            held = Mutex(facts)
        }
    }

    private let world = World()
    private let machine = Machine()
    private var controller: NodeController { NodeController(node: "one") { [machine] in machine.facts } }

    private func start() async throws {
        try await world.add(.namespaces, "kube-node-lease", [:])
        try await world.settle(controller)
    }

    @Test func `a node tells what the machine has and that it is ready`() async throws {
        try await start()
        let node = try world.object(.nodes, "one")
        #expect(
            node.status["capacity"] == [
                "cpu": "4", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "500",
            ])
        #expect(node.status["allocatable"]?["cpu"] == "3500m")
        #expect(node.status["allocatable"]?["memory"] == "15Gi")
        #expect(node.status["addresses"] == [["type": "InternalIP", "address": "10.0.0.2"]])
        #expect(node.status["nodeInfo", "operatingSystem"] == "linux")
        #expect(node.metadata.labels["kubernetes.io/hostname"] == "one")
        #expect(node.condition("Ready")?["status"] == "True" && node.condition("Ready")?["reason"] == "KubeletReady")
        for pressure in ["MemoryPressure", "DiskPressure", "PIDPressure"] {
            #expect(node.condition(pressure)?["status"] == "False")
        }
        let lease = try world.object(.leases, "one", in: "kube-node-lease")
        #expect(lease.spec["holderIdentity"] == "one" && lease.spec["leaseDurationSeconds"] == 40)
        #expect(lease.metadata.ownerReferences.first?.uid == node.uid)
    }

    @Test(arguments: [0, 1, 1024, 25_276_502_016, 16 << 30, 1 << 50] as [Int64])
    func `amounts of a node are told as they are kept`(bytes: Int64) async throws {
        machine.facts.memory = bytes
        machine.facts.ephemeralStorage = bytes
        machine.facts.reservedMemory = 1
        try await start()
        let node = try world.object(.nodes, "one")
        for place in ["capacity", "allocatable"] {
            let amounts = try #require(node.status[place]?.object)
            for amount in amounts.members {
                let text = try #require(amount.value.string)
                #expect(try Quantity(text).description == text, "\(place) \(amount.key)")
            }
        }
    }

    @Test func `a node at rest writes its lease only`() async throws {
        try await start()
        let start = world.now
        var leases = 0
        for _ in 0..<29 {
            world.now = world.now.later(bySeconds: 10)
            let decision = controller.decide(Resource.nodes.key("one"), in: world, now: world.now)
            #expect(decision.actions.allSatisfy { if case .update(.leases, _, nil) = $0 { true } else { false } })
            leases += decision.actions.count
            for action in decision.actions { try await world.perform(action) }
            #expect(decision.again == world.now.later(bySeconds: 10))
        }
        #expect(leases == 29)
        world.now = start.later(bySeconds: 300)
        try await world.settle(controller)
        let node = try world.object(.nodes, "one")
        #expect(node.condition("Ready")?["lastHeartbeatTime"]?.string == world.now.kubeTime)
        #expect(node.condition("Ready")?["lastTransitionTime"]?.string == start.kubeTime)
    }

    @Test func `pressure is told at once, taints the node, and passes`() async throws {
        try await start()
        machine.facts.lacksDisk = true
        try await world.settle(controller)
        var node = try world.object(.nodes, "one")
        #expect(node.condition("DiskPressure")?["reason"] == "KubeletHasDiskPressure")
        #expect(node.spec["taints"]?[0]?["key"] == "node.kubernetes.io/disk-pressure")
        #expect(world.events == ["Normal NodeHasDiskPressure nodes one: Node one status is now: NodeHasDiskPressure"])
        machine.facts.lacksDisk = false
        machine.facts.notReady = "the network is not up"
        try await world.settle(controller)
        node = try world.object(.nodes, "one")
        #expect(node.condition("Ready")?["message"] == "the network is not up")
        #expect(node.spec["taints"]?.array?.map { $0["key"]?.string } == ["node.kubernetes.io/not-ready"])
    }

    @Test func `a cordon shows as a taint beside the user's own`() async throws {
        try await start()
        try await world.change(.nodes, "one") {
            $0.spec["unschedulable"] = true
            $0.spec["taints"] = [["key": "team", "effect": "NoSchedule"]]
        }
        try await world.settle(controller)
        func keys() throws -> [String?] {
            (try world.object(.nodes, "one").spec["taints"]?.array ?? []).map { $0["key"]?.string }
        }
        #expect(try keys() == ["team", "node.kubernetes.io/unschedulable"])
        try await world.change(.nodes, "one") { $0.spec["unschedulable"] = nil }
        try await world.settle(controller)
        #expect(try keys() == ["team"])
    }

    @Test func `events go an hour after they happened last`() async throws {
        let expiry = EventExpiry()
        let start = world.now
        try await world.add(.events, "old", ["lastTimestamp": .string(start.kubeTime)])
        world.now = start.later(bySeconds: 1800)
        try await world.add(.events, "newer", ["eventTime": .string(world.now.kubeMicroTime)])
        try await world.settle(expiry)
        #expect(world.names(.events) == ["newer", "old"])
        world.now = start.later(bySeconds: 3661)
        try await world.settle(expiry)
        #expect(world.names(.events) == ["newer"])
        world.now = start.later(bySeconds: 5461)
        try await world.settle(expiry)
        #expect(world.names(.events).isEmpty)
    }

    @Test func `an event that waits is looked at in its minute`() async throws {
        try await world.add(.events, "one", ["lastTimestamp": .string(world.now.kubeTime)])
        let change = ObjectCache.Change(
            resource: .events, key: Resource.events.key(namespace: "default", "one"), old: nil,
            new: world.get(.events, namespace: "default", "one"))
        let keys = EventExpiry().concerned(by: change, in: world)
        let key = try #require(keys.first)
        let again = try #require(EventExpiry().decide(key, in: world, now: world.now).again)
        #expect(again > world.now.later(bySeconds: 3599) && again <= world.now.later(bySeconds: 3660))
    }

    @Test func `the oldest of too many ended pods go, and nothing else does`() async throws {
        try await world.addNode()
        for index in 0..<8 {
            world.now = world.now.later(bySeconds: 1)
            try await world.addPod("ended-\(index)") { pod in
                pod.spec["nodeName"] = "one"
                pod.status["phase"] = index % 2 == 0 ? "Succeeded" : "Failed"
            }
        }
        try await world.addRunning("running", address: "10.1.0.5", labels: [:])
        try await world.settle(PodGarbageCollector(threshold: 5))
        #expect(world.names(.pods) == ["ended-3", "ended-4", "ended-5", "ended-6", "ended-7", "running"])
    }

    @Test func `pods of a node that is gone and those deleted before they had one are removed`() async throws {
        try await world.addNode()
        try await world.addPod("lost") { $0.spec["nodeName"] = "two" }
        try await world.addRunning("stays", address: "10.1.0.5", labels: [:])
        try await world.settle(PodGarbageCollector())
        #expect(try world.object(.pods, "stays").isBeingDeleted == false)
        #expect(world.names(.pods) == ["stays"])
    }
}
