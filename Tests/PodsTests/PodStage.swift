import Engine
import Images
import JSON
import Keeper
import KubeObjects
import KubeSchema
import Linux
import Networking
import OCI
import Pods
import Sandbox
import Synchronization
import TestKit
import Testing

/// A node's inside for pods: engine, keeper, networks, images and an agent, in a network namespace of the test's own.
final class PodStage: Sendable {
    static let nodeName = "node-1"

    let directory: TemporaryDirectory
    let api: TestAPI
    let images: ImageStore
    let machine: MachineNetwork
    let namespace: SharedFD
    private let part = Mutex<NodeInside?>(nil)
    let dataPath: TestDataPath?
    let change: @Sendable (inout PodSettings) -> Void

    /// What goes with a node process.
    struct NodeInside: Sendable {
        var engine: ContainerEngine
        var networks: ContainerNetworks
        var link: KeeperLink
        var agent: PodAgent
        var tasks: [Task<Void, Never>]
        var notes: Notes
    }

    final class Notes: Sendable {
        private let notes = Mutex<[String]>([])
        func add(_ note: String) { notes.withLock { $0.append(note) } }
        var all: [String] { notes.withLock { $0 } }
    }

    init(dataPath: TestDataPath? = nil, _ change: @escaping @Sendable (inout PodSettings) -> Void = { _ in })
        async throws
    {
        directory = try TemporaryDirectory("pods")
        api = TestAPI()
        self.dataPath = dataPath
        self.change = change
        try Files.makeDirectories(directory.path("run"))
        try Files.makeDirectories(directory.path("state"))
        try Files.replace(
            directory.path("resolv.conf"), with: Array("nameserver 192.0.2.1\nsearch example.org\n".utf8), mode: 0o644)
        images = try ImageStore(directory: directory.path("state/images"))
        try TestImage.busybox(in: images, as: "busybox:1") { $0.cmd = ["sleep", "1000"] }
        let namespace = try await BlockingPool.shared.run { () throws(SystemError) in try NetworkNamespace.make() }
        try await BlockingPool.shared.run { () throws(SystemError) in
            try NetworkNamespace.visit(namespace) { () throws(SystemError) in
                try NetlinkSocket().perform(.bringUp("lo"))
                try Files.writeText("0", to: "/proc/sys/net/ipv4/ip_forward")
            }
        }
        self.namespace = namespace
        machine = MachineNetwork(namespace)
        try await startNode()
    }

    var inside: NodeInside { part.withLock { $0! } }
    var agent: PodAgent { inside.agent }
    var engine: ContainerEngine { inside.engine }

    func startNode() async throws {
        let notes = Notes()
        let note: @Sendable (String) -> Void = { notes.add($0) }
        let link = KeeperLink(
            KeeperProcess(run: directory.path("run"), executable: try BuiltFile.path("forkless-keeper")),
            nodeName: "pods test")
        let facts = try MachineFacts.ofThisMachine()
        let networks = ContainerNetworks(
            state: directory.path("state"), run: directory.path("run"), machine: machine,
            files: .init(resolver: directory.path("resolv.conf")), note: note)
        let engine = ContainerEngine(
            directory: ContainerDirectory(state: directory.path("state")), link: link,
            planner: LaunchPlanner(machine: facts),
            images: images, networks: networks, note: note)
        _ = try await engine.open()
        let linking = Task { await link.run() }
        try await link.untilUp()
        let cache = ObjectCache(api.store, PodAgent.resources)
        let watching = Task { await cache.run() }
        var settings = PodSettings(
            nodeName: Self.nodeName, hostAddress: IPAddress("192.0.2.10")!, directory: directory.path("state/pods"),
            machine: facts.capacity, controllers: facts.controllers)
        settings.resolverFile = directory.path("resolv.conf")
        settings.machineNetwork = machine
        settings.clusterDNS = IPAddress("10.96.0.10")
        change(&settings)
        let agent = PodAgent(
            engine: engine, networks: networks, images: images, cache: cache, client: api, dataPath: dataPath,
            tokens: TestTokens(), settings: settings, note: note)
        let running = Task {
            do { try await agent.run() } catch { note("\(error)") }
        }
        part.withLock {
            $0 = NodeInside(
                engine: engine, networks: networks, link: link, agent: agent, tasks: [running, watching, linking],
                notes: notes)
        }
    }

    /// As a node that is killed: nothing is told to anybody, and what runs runs on.
    func killNode() async {
        let inside = inside
        inside.tasks[0].cancel()
        await inside.tasks[0].value
        inside.tasks[1].cancel()
        await inside.link.close()
        await inside.tasks[2].value
    }

    /// Removes all pods, and then the node, the keeper and the network.
    func end() async throws {
        for pod in try await api.list(.pods, namespace: nil, labels: .everything) {
            try? await api.delete(.pods, namespace: pod.namespace, pod.name, DeletionOptions(gracePeriodSeconds: 1))
        }
        try await eventually(within: .seconds(60), "all pods are gone") {
            try await api.list(.pods, namespace: nil, labels: .everything).isEmpty
        }
        try await eventually(within: .seconds(30), "no container is left") {
            try await engine.list(ListContainers(all: true)).containers.isEmpty
        }
        let inside = inside
        inside.tasks[0].cancel()
        await inside.tasks[0].value
        inside.tasks[1].cancel()
        try await inside.link.shutDown(killing: true)
        await inside.tasks[2].value
        await inside.networks.shutDown()
    }

    // Pods.

    @discardableResult
    func make(_ name: String, _ spec: JSONValue, _ metadata: JSONValue = [:]) async throws -> KubeObject {
        var spec = spec
        spec["nodeName"] = .string(Self.nodeName)
        var metadata = metadata
        metadata["name"] = .string(name)
        metadata["namespace"] = "default"
        return try await api.create(
            .pods, KubeObject(json: ["apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec]))
    }

    func pod(_ name: String) async throws -> KubeObject { try await api.get(.pods, namespace: "default", name) }

    func delete(_ name: String, grace: Int64? = nil) async throws {
        try await api.delete(.pods, namespace: "default", name, DeletionOptions(gracePeriodSeconds: grace))
    }

    /// Waits until a pod is as wanted, and returns it.
    @discardableResult
    func pod(_ name: String, _ what: String, _ isWanted: @escaping @Sendable (KubeObject) -> Bool) async throws
        -> KubeObject
    {
        do {
            // Longer than the pauses between starts of a container that fails: 10 s, and then 20 s.
            return try await eventuallySome(within: .seconds(60), what) {
                let pod = try await pod(name)
                return isWanted(pod) ? pod : nil
            }
        } catch let error as DeadlinePassed {
            let status = (try? await pod(name))?.status ?? .null
            Issue.record("\(what): \(JSONWriter.text(status)); \(inside.notes.all)")
            throw error
        }
    }

    func phase(_ name: String, _ phase: String) async throws -> KubeObject {
        try await pod(name, "\(name) is \(phase)") { $0.status["phase"]?.string == phase }
    }

    func gone(_ name: String) async throws {
        try await eventually(within: .seconds(60), "\(name) is gone") {
            do { _ = try await pod(name) } catch let error as APIFailure { return error.code == 404 }
            return false
        }
    }

    func log(_ name: String, _ container: String? = nil, _ options: PodLogOptions = PodLogOptions()) async throws
        -> String
    {
        let pod = try await pod(name)
        let target = PodTarget(namespace: "default", name: name, uid: pod.uid, container: container)
        let parts = try await agent.log(target, options)
        var bytes: [UInt8] = []
        while let part = await parts.next() { bytes += part }
        return String(decoding: bytes, as: UTF8.self)
    }

    func target(_ name: String, _ container: String? = nil) async throws -> PodTarget {
        PodTarget(namespace: "default", name: name, uid: try await pod(name).uid, container: container)
    }

    /// Runs a program in a container, and returns its output and status.
    func execute(_ name: String, _ command: String..., container: String? = nil) async throws -> (
        text: String, status: Int32
    ) {
        var options = PodStreamOptions()
        options.stdout = true
        options.stderr = true
        let session = try await agent.execute(try await target(name, container), options, command: command)
        let text = try await Self.read(session.output!)
        return (text, try await session.end())
    }

    static func read(_ fd: SharedFD) async throws -> String {
        var bytes: [UInt8] = []
        while true {
            try await Readiness.shared.readable(fd.raw)
            var room = [UInt8](repeating: 0, count: 4096)
            guard let count = try Files.readAvailable(fd.raw, into: &room) else { continue }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += room[..<count]
        }
    }
}

/// Tokens that say for whom they are.
struct TestTokens: ServiceAccountTokens {
    func token(
        namespace: String, account: String, audiences: [String], seconds: Int64, podName: String, podUID: String
    ) async throws(APIFailure) -> (token: String, expires: Linux.Timestamp) {
        (
            "\(namespace):\(account):\(podName):\(audiences.joined(separator: ","))",
            Linux.Timestamp(nanoseconds: Clock.now().nanoseconds + Int(seconds) * 1_000_000_000)
        )
    }
}

/// Notes who is withdrawn, and lets tests hold that up, and what pods are admitted with.
final class TestDataPath: ServiceDataPath {
    private let state = Mutex<[String]>([])
    let onAdmit: @Sendable (KubeObject, [String]) async -> Void
    let onWithdraw: @Sendable (String) async -> Void

    init(
        onAdmit: @escaping @Sendable (KubeObject, [String]) async -> Void = { _, _ in },
        onWithdraw: @escaping @Sendable (String) async -> Void = { _ in }
    ) {
        self.onAdmit = onAdmit
        self.onWithdraw = onWithdraw
    }

    func admit(_ pod: KubeObject, addresses: [String]) async { await onAdmit(pod, addresses) }

    var withdrawn: [String] { state.withLock { $0 } }

    func withdraw(podUID: String, addresses: [String], deadline: ContinuousClock.Instant) async {
        await onWithdraw(podUID)
        state.withLock { $0.append(podUID) }
    }
}

/// A spec of one container.
func oneContainer(_ command: [String]? = nil, _ change: (inout JSONValue) -> Void = { _ in }) -> JSONValue {
    var container: JSONValue = ["name": "main", "image": "busybox:1"]
    if let command { container["command"] = command.json }
    var spec: JSONValue = ["containers": [container], "terminationGracePeriodSeconds": 5]
    change(&spec)
    return spec
}
