import Daemon
import Engine
import Images
import Linux
import OCI
import Synchronization
import TestKit
import Testing

/// Containers of images through a real node and a real keeper. Networks are tested where they can be made.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct ImageContainerTests {
    private func withNode(
        _ change: (inout ImageDefaults) -> Void = { _ in }, _ body: (TestNode, Node, NodeClient) async throws -> Void
    ) async throws {
        let test = try TestNode()
        let node = try await test.start()
        do {
            try TestImage.busybox(in: node.images, as: "app", change)
            try await body(test, node, try await test.connect())
        } catch {
            await node.stop()
            try await test.endKeeper()
            throw error
        }
        await node.stop()
        try await test.endKeeper()
    }

    private func spec(_ script: String? = nil, _ change: (inout ContainerSpec) -> Void = { _ in }) -> ContainerSpec {
        var spec = ContainerSpec(program: script == nil ? "" : "sh", arguments: script.map { ["-c", $0] } ?? [])
        spec.image = ContainerImage("app")
        spec.network = .isolated
        spec.removesOnExit = true
        change(&spec)
        return spec
    }

    /// Runs to the end; what it wrote, both streams.
    private func run(
        _ client: NodeClient, _ spec: ContainerSpec
    ) async throws -> (output: String, errors: String, status: Int32?) {
        let streams = try TestStreams()
        streams.endInput()
        async let answer = client.stream(
            RunContainer(spec, attachment: .passed, waits: true), descriptors: streams.descriptors
        ) { _, _ in streams.handedOver() }
        let end = try await answer.end
        streams.handedOver()
        return (try await streams.allOutput(), try await streams.allErrors(), end?.exitStatus)
    }

    private func rooms(_ test: TestNode) throws -> [String] {
        try Files.list(test.settings.state + "/rooms").filter { !$0.hasPrefix(".") }
    }

    @Test func `a container runs what its image says, and --rm leaves no room`() async throws {
        try await withNode {
            $0.entrypoint = ["echo", "hello"]
            $0.cmd = ["from", "here"]
        } _: { test, _, client in
            #expect(try await run(client, spec()).output == "hello from here\n")
            #expect(try await run(client, spec { $0.program = "you" }).output == "hello you\n")
            let other = spec("id -u; pwd; hostname; cat /etc/hostname; echo $HOSTNAME") { $0.entrypoint = [] }
            let lines = try await run(client, other).output.split(separator: "\n")
            #expect(lines.prefix(2) == ["0", "/"])
            #expect(lines.count == 5 && Set(lines.dropFirst(2)).count == 1 && lines.last?.count == 12)
            try await eventually("no room is left") { try rooms(test).isEmpty }
        }
    }

    @Test func `user, directory, variables and capabilities are the image's`() async throws {
        try await withNode {
            $0.user = "7:8"
            $0.workingDirectory = "/srv/new/place"
            $0.env = ["PATH=/bin", "COLOUR=blue", "SECRET"]
        } _: { _, _, client in
            let result = try await run(client, spec("id -u; id -g; pwd; echo $COLOUR $SECRET; grep Cap /proc/self/status"))
            #expect(result.status == 0, "\(result.errors)")
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.prefix(4) == ["7", "8", "/srv/new/place", "blue"])
            // CVE-2022-24769: nothing inheritable, and who is not root has nothing.
            #expect(lines.filter { $0.hasPrefix("CapInh") || $0.hasPrefix("CapEff") }.allSatisfy { $0.hasSuffix("0000000000000000") })
            let root = try await run(client, spec("grep CapEff /proc/self/status; touch /srv/x && echo written") { $0.user = "0" })
            #expect(root.output.contains("CapEff:\t00000000a80425fb") && root.output.hasSuffix("written\n"))
        }
    }

    @Test func `a container that is started again finds what it wrote`() async throws {
        try await withNode { test, node, client in
            let spec = spec("cat /data 2>/dev/null; echo x >> /data; true") {
                $0.removesOnExit = false
                $0.name = "keeps"
            }
            _ = try await client.call(CreateContainer(spec))
            #expect(try await node.engine.files(of: "keeps").upper == nil)
            for _ in 0..<3 {
                _ = try await client.call(StartContainer(container: "keeps"))
                _ = try await client.call(WaitForContainer(container: "keeps"))
            }
            let files = try await node.engine.files(of: "keeps")
            #expect(try Files.readText(try #require(files.upper) + "/data") == "x\nx\nx")
            #expect(files.lower.count == 1 && files.pid == nil)
            let room = String(try #require(files.upper).split(separator: "/").dropLast().last!)
            #expect(try rooms(test).contains(room))
            _ = try await client.call(RemoveContainer(container: "keeps"))
            #expect(try !rooms(test).contains(room))
        }
    }

    @Test func `an image is held as long as a container of it is there`() async throws {
        try await withNode { _, node, client in
            _ = try await client.call(CreateContainer(spec { $0.name = "holder"; $0.removesOnExit = false }))
            let image = try node.images.resolve("app")
            #expect(throws: ImageFailure.self) { try node.images.remove(image.id.description, force: false) }
            _ = try await client.call(RemoveContainer(container: "holder"))
            _ = try node.images.remove("app", force: false)
            let failure = await #expect(throws: NodeFailure.self) { try await run(client, spec()) }
            #expect(failure?.kind == .noImage)
        }
    }

    @Test func `a container stays with the image that it was made from`() async throws {
        try await withNode { $0.cmd = ["echo", "old"] } _: { _, node, client in
            let made = try await client.call(CreateContainer(spec { $0.name = "old"; $0.removesOnExit = false }))
            try TestImage.busybox(in: node.images, as: "app") { $0.cmd = ["echo", "new"] }
            _ = try await client.call(StartContainer(container: made.id))
            _ = try await client.call(WaitForContainer(container: made.id))
            #expect(try await run(client, spec()).output == "new\n")
            let details = try await client.call(InspectContainer(container: "old"))
            #expect(details.spec.words == ["echo", "old"])
            _ = try await client.call(RemoveContainer(container: "old"))
        }
    }

    @Test func `another program in a container sees its files and users`() async throws {
        try await withNode { test, _, client in
            let spec = spec("echo guest:x:77:77::/:/bin/sh > /etc/passwd; echo mine > /note; sleep 1000") { $0.name = "host"; $0.removesOnExit = false }
            _ = try await client.call(RunContainer(spec, attachment: .detached, waits: false))
            try await eventually("the user is there") {
                let streams = try TestStreams()
                streams.endInput()
                let request = ExecuteInContainer(
                    container: "host", program: "sh", arguments: ["-c", "id -u; cat /note; hostname"], user: "guest")
                let end = try? await client.stream(request, descriptors: streams.descriptors) { _, _ in streams.handedOver() }
                streams.handedOver()
                guard end?.end.exitStatus == 0 else { return false }
                let lines = try await streams.allOutput().split(separator: "\n")
                return lines.prefix(2) == ["77", "mine"] && lines.last?.count == 12
            }
            _ = try await client.call(RemoveContainer(container: "host", force: true))
        }
    }

    // Hostile images: research 4.1.

    /// CVE-2024-21626
    @Test func `a working directory behind a descriptor leads nowhere`() async throws {
        try await withNode { $0.workingDirectory = "/proc/self/fd/5" } _: { _, _, client in
            for number in 3..<20 {
                let asked = spec("ls") { if number != 5 { $0.directory = "/proc/self/fd/\(number)" } }
                let failure = await #expect(throws: NodeFailure.self) { try await run(client, asked) }
                #expect(failure?.message.contains("/proc/self/fd/\(number)") == true)
            }
        }
    }

    @Test func `a user that is none is refused and nothing is left`() async throws {
        try await withNode { $0.user = "4294967295:1" } _: { test, _, client in
            let failure = await #expect(throws: NodeFailure.self) { try await run(client, spec("id")) }
            #expect(failure?.kind == .badRequest && failure?.message.contains("4294967295") == true)
            let left = try rooms(test)
            #expect(left.isEmpty)
            let containers = try await client.call(ListContainers(all: true)).containers
            #expect(containers.isEmpty)
        }
    }
}
