import Daemon
import Engine
import Glibc
import Linux
import TestKit
import Testing

/// Programs run through a real node and a real keeper.
@Suite(.serialized, .enabled(if: isRoot)) struct NodeRunTests {
    @Test func `a program runs, its output is logged, and its status is the answer's`() async throws {
        let test = try TestNode()
        let node = try await test.start()
        let client = try await test.connect()
        var spec = ContainerSpec(program: "sh", arguments: ["-c", "echo out; echo err >&2; exit 7"])
        spec.name = "first"
        let answer = try await client.stream(RunContainer(spec, attachment: .detached, waits: true)) { started, _ in
            #expect(started.name == "first")
            #expect(started.pid > 0)
        }
        #expect(answer.end?.exitStatus == 7)
        var lines: [String] = []
        _ = try await client.stream(ReadLogs(container: "first")) { item, _ in
            lines += item.lines.map { "\($0.stream) \(String(decoding: $0.content, as: UTF8.self))" }
        }
        #expect(lines.sorted() == ["stderr err", "stdout out"])
        let list = try await client.call(ListContainers(all: true))
        #expect(list.containers.map(\.name) == ["first"])
        #expect(list.containers[0].phase == .exited)
        _ = try await client.call(RemoveContainer(container: "first"))
        #expect(try await client.call(ListContainers(all: true)).containers.isEmpty)
        await node.stop()
        try await test.endKeeper()
    }
}
