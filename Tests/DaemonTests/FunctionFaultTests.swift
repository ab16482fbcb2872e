import Daemon
import HTTPServing
import JSON
import Linux
import Spawn
import TestKit
import Testing

/// Functions of a node that has no room: what is refused changes nothing, and what was accepted is kept.
@Suite(.serialized, .enabled(if: isRoot)) struct FunctionFaultTests {
    private static let event = [("X-Amz-Invocation-Type", "Event")]

    private func settled(_ node: FunctionNode) async throws {
        try await eventually(within: .seconds(120), "the queue is empty") {
            let counters = try await node.call("GET", "/forkless/v1/events", .null)
            return counters["Waiting"] == 0 && counters["Running"] == 0
        }
    }

    @Test func `a node whose disk is full refuses what it cannot keep, answers on, and takes more when there is room`()
        async throws
    {
        let node = try FunctionNode()
        let state = node.test.settings.state
        try Files.makeDirectories(state)
        let mounted = try await CommandRunner.run(["mount", "-t", "tmpfs", "-o", "size=24m", "forkless-test", state])
        try #require(mounted.status.isSuccess, "\(mounted.errorText)")
        let result = await Result.of { try await fill(node, state) }
        try await node.close()
        try await eventually("the state is not in use") {
            try await CommandRunner.run(["umount", state]).status.isSuccess
        }
        try result.get()
    }

    private func fill(_ node: FunctionNode, _ state: String) async throws {
        let program = try await node.launch()
        try await node.deploy("before", program: "cat")
        let invocations = "/2015-03-31/functions/before/invocations"
        #expect(try await node.call("POST", invocations, Array("1".utf8)).status == 200)

        // No bytes and no files are left.
        let filled = try await CommandRunner.run(["sh", "-c", "cat /dev/zero > \(state)/filler 2>/dev/null; true"])
        #expect(filled.status.isSuccess)
        let event = try await untilRefused(node, invocations)
        #expect(event.status == 500 && event.headers["x-amzn-errortype"]?.hasPrefix("ServiceException") == true)
        #expect(
            String(decoding: event.body, as: UTF8.self).contains("no room left on the disk"),
            "\(String(decoding: event.body, as: UTF8.self))")
        let refused = await #expect(throws: FunctionNode.Unserved.self) {
            try await node.deploy("during", program: "cat")
        }
        #expect(refused?.description.contains("Make room") == true, "\(refused.map { "\($0)" } ?? "")")
        #expect(try await node.call("GET", "/2015-03-31/functions/during").status == 404)
        // What needs no room goes on.
        #expect(try await node.call("GET", "/2015-03-31/functions/before").status == 200)
        let call = try await node.call("POST", invocations, Array("2".utf8))
        #expect(
            call.status == 200 && call.body == Array("2".utf8),
            "\(call.status) \(String(decoding: call.body, as: UTF8.self))")

        try Files.remove(state + "/filler")
        try await node.deploy("after", program: "cat")
        #expect(try await node.call("POST", invocations, Array("3".utf8), headers: Self.event).status == 202)
        #expect(try await node.call("POST", invocations, Array("4".utf8)).body == Array("4".utf8))
        try await settled(node)
        #expect(try program.exitIfEnded() == nil)
        try await node.end(program)

        let again = try await node.launch()
        let names = try await node.call("GET", "/2015-03-31/functions", .null)["Functions"]?.array?.compactMap {
            $0["FunctionName"]?.string
        }
        #expect(names == ["after", "before"])
        let verified = try await node.call("GET", "/forkless/v1/ledger/verify", .null)
        #expect(verified["fault"] == nil, "\(verified)")
        try await node.end(again)
    }

    /// Events are refused once what SQLite had set aside is used up.
    private func untilRefused(_ node: FunctionNode, _ target: String) async throws -> HTTPResponse {
        let payload = Array(("\"" + String(repeating: "x", count: 60_000) + "\"").utf8)
        for _ in 0..<500 {
            let answer = try await node.call("POST", target, payload, headers: Self.event)
            if answer.status != 202 { return answer }
        }
        throw FunctionNode.Unserved(description: "500 events of 60 KB were accepted on a full disk")
    }
}
