import HTTPServing
import JSON
import Linux
import Metering
import Spawn
import TestKit
import Testing

/// The function rung of a whole node: what was accepted and counted outlives it.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct FunctionNodeTests {
    private func withNode(_ body: (FunctionNode) async throws -> Void) async throws {
        let node = try FunctionNode()
        let result: Result<Void, any Error>
        do { result = .success(try await body(node)) } catch { result = .failure(error) }
        try await node.close()
        try result.get()
    }

    private static let event = [("X-Amz-Invocation-Type", "Event")]

    @Test func `accepted events outlive a node that was killed`() async throws {
        try await withNode { node in
            let results = node.test.directory.path("results")
            try Files.makeDirectories(results)
            let first = try await node.launch()
            try await node.deploy("echo", program: "cat", ["Timeout": 30])
            try await node.call(
                "PUT", "/2019-09-25/functions/echo/event-invoke-config",
                ["DestinationConfig": ["OnSuccess": ["Destination": .string("arn:forkless:directory:us-east-1:000000000000:" + results)]]])
            let accepted = try await accept(2000, on: node) {
                // In the middle of its work, while more is accepted.
                try? await eventually("results come") { (try? Files.list(results).count) ?? 0 > 50 }
                try? first.signal(Signal.kill)
            }
            _ = try await first.wait()
            #expect(accepted.count > 50)
            let second = try await node.launch()
            // One file for each event, named by its request.
            try await eventually(within: .seconds(120), "every accepted event has been processed") {
                let names = Set(try Files.list(results).map { String($0.prefix { $0 != "." }) })
                return accepted.isSubset(of: names)
            }
            try await node.end(second)
        }
    }

    /// Sends so many events beside each other, until the node is gone; the requests of those that were accepted.
    private func accept(
        _ count: Int, on node: FunctionNode, meanwhile: @escaping @Sendable () async -> Void
    ) async throws -> Set<String> {
        await withTaskGroup(of: [String].self) { group in
            for lane in 0..<8 {
                group.addTask {
                    var accepted: [String] = []
                    for number in 0..<count / 8 {
                        let answer = try? await node.call(
                            "POST", "/2015-03-31/functions/echo/invocations", Array("{\"n\":\(lane * 10_000 + number)}".utf8),
                            headers: Self.event)
                        guard let answer, answer.status == 202, let id = answer.headers["x-amzn-RequestId"] else { break }
                        accepted.append(id)
                    }
                    return accepted
                }
            }
            group.addTask {
                await meanwhile()
                return []
            }
            return await group.reduce(into: []) { $0.formUnion($1) }
        }
    }

    @Test func `a node that ends loses no record`() async throws {
        try await withNode { node in
            let program = try await node.launch()
            try await node.deploy("upper", program: "tr a-z A-Z")
            for number in 0..<20 {
                let answer = try await node.call("POST", "/2015-03-31/functions/upper/invocations", Array("\"a\(number)\"".utf8))
                #expect(answer.status == 200)
                #expect(String(decoding: answer.body, as: UTF8.self) == "\"A\(number)\"")
            }
            try await node.end(program)
            let again = try await node.launch()
            let verified = try await node.call("GET", "/forkless/v1/ledger/verify", .null)
            #expect(verified["good"] == 20)
            #expect(verified["fault"] == nil)
            try await node.end(again)
        }
    }

    @Test func `a usual port that is taken is a remark, one that was asked for an error`() async throws {
        try await withNode { node in
            let taken = try await node.launch(["--lambda-listen", "127.0.0.1:0", "--http-listen", "off"])
            let location = String(try await node.endpoint().dropFirst("http://".count))
            try await node.end(taken)
            let holder = try FunctionNode()
            let first = try await holder.launch(["--lambda-listen", location, "--http-listen", "off"])
            let failure = await #expect(throws: FunctionNode.Unserved.self) {
                _ = try await node.launch(["--lambda-listen", location, "--http-listen", "off"])
            }
            #expect(failure?.description.contains("--lambda-listen \(location)") == true)
            try await holder.end(first)
            try await holder.close()
        }
    }
}
