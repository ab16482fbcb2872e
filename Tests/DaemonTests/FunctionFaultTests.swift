import Daemon
import HTTPServing
import JSON
import Linux
import Spawn
import TestKit
import Testing

/// Functions of a node that is killed or has no room: what was accepted is kept, what is refused changes nothing.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct FunctionFaultTests {
    private static let event = [("X-Amz-Invocation-Type", "Event")]
    private static let queued = 10_000

    private func withNode(_ body: (FunctionNode) async throws -> Void) async throws {
        let node = try FunctionNode()
        let result = await Result.of { try await body(node) }
        try await node.close()
        try result.get()
    }

    // Kill -9 under load.

    @Test func `ten thousand queued events outlive a node that is killed under load, and a key has one effect`()
        async throws
    {
        try await withNode { node in
            let out = node.test.directory.path("out")
            try Files.makeDirectories(out)
            try Files.setPermissions(out, 0o777)
            // While it is there, nothing gets on.
            try Files.replace(out + "/hold", with: [])
            let first = try await node.launch()
            try await node.deploy(
                "book",
                program:
                    "sh -c 'read line; while [ -e /mnt/out/hold ]; do sleep 0.05; done; echo \"$line\" >> /mnt/out/effects'",
                [
                    "Timeout": 300, "Tags": ["forkless:key": "path:$.n"],
                    "FileSystemConfigs": [
                        [
                            "Arn": .string("arn:forkless:directory:us-east-1:000000000000:" + out),
                            "LocalMountPath": "/mnt/out",
                        ]
                    ],
                ])
            try await node.deploy("echo", program: "cat")
            try await node.call("PUT", "/2017-10-31/functions/book/concurrency", ["ReservedConcurrentExecutions": 8])

            let queued = await accept(0..<Self.queued, on: node)
            #expect(queued.count == Self.queued)
            let counters = try await node.call("GET", "/forkless/v1/events", .null)
            #expect(
                counters["Waiting"]?.integer == Int64(Self.queued), "\(counters)")

            // More events and calls come while it works, until it is gone.
            try Files.remove(out + "/hold")
            async let calls = callUntilGone(node)
            async let late = accept(Self.queued..<2 * Self.queued, on: node)
            try await eventually(within: .seconds(60), "work is under way") { self.effects(out).count > 200 }
            try await node.kill(first)
            let accepted = queued.union(await late)
            #expect(await calls > 0)
            let atDeath = effects(out)
            #expect(Set(atDeath).count < accepted.count, "it was killed in the middle")

            let second = try await node.launch()
            try await eventually(within: .seconds(400), "every accepted event has its effect") {
                Set(self.effects(out)).isSuperset(of: accepted)
            }
            try await settled(node)
            let effects = effects(out)
            // Only what was with an instance at the death may have come twice: its answer was never recorded.
            let repeated = Dictionary(grouping: effects, by: \.self).filter { $0.value.count > 1 }
            #expect(repeated.count <= 64 && repeated.values.allSatisfy { $0.count == 2 }, "\(repeated.count)")
            // Programs that ran at the death have ended after it, and may have written since `atDeath` was read.
            let firstPlace = Dictionary(effects.enumerated().map { ($1, $0) }, uniquingKeysWith: min)
            #expect(repeated.keys.allSatisfy { firstPlace[$0]! >= atDeath.count - 128 })

            // A client that did not hear the answers sends them again.
            let again = await accept(0..<500, on: node)
            #expect(again.count == 500)
            try await settled(node)
            #expect(self.effects(out).count == effects.count)
            let verified = try await node.call("GET", "/forkless/v1/ledger/verify", .null)
            #expect(verified["fault"] == nil, "\(verified)")
            try await node.end(second)
        }
    }

    private func effects(_ out: String) -> [Int] {
        ((try? Files.readText(out + "/effects")) ?? "").split(separator: "\n").compactMap { line in
            (try? JSONParser.parse(String(line)))?["n"]?.integer.map { Int($0) }
        }
    }

    private func settled(_ node: FunctionNode) async throws {
        try await eventually(within: .seconds(120), "the queue is empty") {
            let counters = try await node.call("GET", "/forkless/v1/events", .null)
            return counters["Waiting"] == 0 && counters["Running"] == 0
        }
    }

    /// Sends events with these numbers, until the node is gone; the numbers of those that were accepted.
    private func accept(_ numbers: Range<Int>, on node: FunctionNode) async -> Set<Int> {
        await withTaskGroup(of: [Int].self) { group in
            for lane in 0..<8 {
                group.addTask {
                    var accepted: [Int] = []
                    for number in numbers where number % 8 == lane {
                        let answer = try? await node.call(
                            "POST", "/2015-03-31/functions/book/invocations", Array("{\"n\":\(number)}".utf8),
                            headers: Self.event)
                        guard answer?.status == 202 else { break }
                        accepted.append(number)
                    }
                    return accepted
                }
            }
            return await group.reduce(into: []) { $0.formUnion($1) }
        }
    }

    /// Calls another function until nobody answers; how many calls were answered.
    private func callUntilGone(_ node: FunctionNode) async -> Int {
        var answered = 0
        while let answer = try? await node.call("POST", "/2015-03-31/functions/echo/invocations", Array("1".utf8)),
            answer.status == 200
        {
            answered += 1
        }
        return answered
    }

    // A full disk.

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
