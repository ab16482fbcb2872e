import Daemon
import Engine
import Linux
import Networking
import Synchronization
import TestKit

/// A node whose machine is a network namespace of the test's: bridges, rules and ports are there and nowhere else.
final class NetworkedNode: Sendable {
    let test: TestNode
    let machine: SharedFD
    /// The node that runs now.
    private let current = Mutex<Node?>(nil)

    init() async throws {
        test = try TestNode()
        machine = try await BlockingPool.shared.run { () throws(SystemError) in
            let namespace = try NetworkNamespace.make()
            try NetworkNamespace.visit(namespace) { () throws(SystemError) in
                try NetlinkSocket().perform(.bringUp("lo"))
                // A new namespace has the switch of the machine that the tests run on.
                try Files.writeText("0", to: "/proc/sys/net/ipv4/ip_forward")
            }
            return namespace
        }
    }

    func start() async throws -> Node {
        let node = try await Node.start(test.settings, machine: MachineNetwork(machine), note: { _ in })
        Task { await node.serve() }
        current.withLock { $0 = node }
        return node
    }

    /// Runs a node with an image `app` of busybox for the length of `body`; afterwards the machine is as before.
    static func with(_ body: (NetworkedNode, Node, NodeClient) async throws -> Void) async throws {
        let own = try await NetworkedNode()
        let before = try await own.trace()
        let node = try await own.start()
        do {
            try TestImage.busybox(in: node.images, as: "app")
            try await body(own, node, try await own.test.connect())
        } catch {
            await own.current.withLock(\.self)?.stop()
            try await own.test.endKeeper()
            throw error
        }
        try await own.end()
        try await eventually("the machine is as before") { try await own.trace() == before }
    }

    /// Removes every container, and ends node and keeper.
    private func end() async throws {
        let client = try await test.connect()
        for container in try await client.call(ListContainers(all: true)).containers {
            // One with --rm may be going by itself.
            _ = try? await client.call(RemoveContainer(container: container.id, force: true))
        }
        try await eventually("nobody is in a network") {
            try await client.call(ListNetworks()).networks.allSatisfy(\.members.isEmpty)
        }
        await current.withLock(\.self)?.stop()
        try await test.endKeeper()
    }

    /// Runs a program in the machine.
    func command(_ arguments: String...) async throws -> CommandRunner.Outcome {
        defer { withExtendedLifetime(machine) {} }
        return try await CommandRunner.run(["nsenter", "--net=/proc/\(OwnProcess.pid)/fd/\(machine.raw)"] + arguments)
    }

    /// Links, rules and switches of the machine.
    func trace() async throws -> String {
        let links = try await command("ip", "-brief", "link").text.split(separator: "\n").map { $0.prefix { $0 != " " } }
        return try await links.sorted().joined(separator: " ") + command("nft", "list", "ruleset").text
            + command("cat", "/proc/sys/net/ipv4/ip_forward").text
    }

    /// Starts a container of `app` that runs a script in the background.
    func start(
        _ client: NodeClient, _ name: String, _ script: String = "exec sleep 1000",
        _ change: (inout ContainerSpec) -> Void = { _ in }
    ) async throws {
        var spec = ContainerSpec(program: "sh", arguments: ["-c", script])
        spec.image = ContainerImage("app")
        spec.name = name
        change(&spec)
        _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
    }

    /// What a program in a container writes.
    func execute(_ client: NodeClient, _ container: String, _ words: String...) async throws -> String {
        let streams = try TestStreams()
        streams.endInput()
        let request = ExecuteInContainer(container: container, program: words[0], arguments: Array(words.dropFirst()))
        async let answer = client.stream(request, descriptors: streams.descriptors) { _, _ in streams.handedOver() }
        _ = try await answer
        streams.handedOver()
        return try await streams.allOutput() + streams.allErrors()
    }

    /// Where a container is in a network.
    func place(_ client: NodeClient, _ container: String, _ network: String = "bridge") async throws -> ContainerPlace? {
        try await client.call(InspectContainer(container: container)).places.first { $0.network == network }
    }
}
