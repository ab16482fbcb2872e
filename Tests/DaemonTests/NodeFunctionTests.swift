import Daemon
import Engine
import Linux
import TestKit
import Testing

/// Calls of programs that stand by, through a real node and a real keeper.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct NodeFunctionTests {
    private func withNode(_ body: (NodeClient) async throws -> Void) async throws {
        let test = try TestNode()
        let node = try await test.start()
        let result: Result<Void, any Error>
        do { result = .success(try await body(try await test.connect())) } catch { result = .failure(error) }
        await node.stop()
        try await test.endKeeper()
        try result.get()
    }

    private func function(_ script: String) -> ContainerSpec {
        var spec = ContainerSpec(program: "sh", arguments: ["-c", script])
        spec.rung = .function
        spec.name = "scorer"
        return spec
    }

    private struct Outcome {
        var answer: FunctionAnswer
        var output: String
        var errors: String
    }

    private func call(
        _ client: NodeClient, _ spec: ContainerSpec, _ input: String, minimum: Int? = nil, maximum: Int? = nil
    ) async throws -> Outcome {
        let streams = try TestStreams()
        let request = CallFunction(spec, minimum: minimum, maximum: maximum)
        let calling = Task { try await client.call(request, descriptors: streams.descriptors) }
        let output = Task { try await streams.allOutput() }
        let errors = Task { try await streams.allErrors() }
        try streams.write(input)
        streams.endInput()
        let answer = try await calling.value
        streams.handedOver()
        return Outcome(answer: answer, output: try await output.value, errors: try await errors.value)
    }

    @Test func `every call has its own process, and its streams and status are the program's`() async throws {
        try await withNode { client in
            let spec = function("read line; echo \"$$ got $line\"; echo note >&2; exit 3")
            var outputs: Set<String> = []
            for number in 1...5 {
                let outcome = try await call(client, spec, "trade \(number)\n")
                #expect(outcome.answer.end.exitStatus == 3)
                #expect(outcome.output.hasSuffix("got trade \(number)\n"))
                #expect(outcome.errors == "note\n")
                outputs.insert(outcome.output)
            }
            #expect(outputs.count == 5)
            let list = try await client.call(ListFunctions()).functions
            #expect(list.map(\.name) == ["scorer"])
            #expect(list.first?.calls == 5)
            #expect(list.first?.program == "sh")
        }
    }

    @Test func `a copy that waits takes the call`() async throws {
        try await withNode { client in
            let spec = function("read line; echo $line")
            _ = try await call(client, spec, "first\n", minimum: 1)
            try await eventually("a copy stands by") {
                try await client.call(ListFunctions()).functions.first?.waiting == 1
            }
            let outcome = try await call(client, spec, "second\n", minimum: 1)
            #expect(outcome.answer.wasStandby)
            #expect(outcome.output == "second\n")
        }
    }

    @Test func `much output comes whole, though its reader is slow to begin`() async throws {
        try await withNode { client in
            let outcome = try await call(client, function("read line; echo $line; head -c 3000000 /dev/zero | tr '\\0' x"), "begin\n")
            #expect(outcome.output.utf8.count == 3_000_006)
            #expect(outcome.output.hasPrefix("begin\nxxx"))
        }
    }

    @Test func `a program that cannot be started is an error of its own kind`() async throws {
        try await withNode { client in
            var spec = ContainerSpec(program: "no-such-program")
            spec.rung = .function
            let streams = try TestStreams()
            let failure = await #expect(throws: NodeFailure.self) {
                try await client.call(CallFunction(spec), descriptors: streams.descriptors)
            }
            #expect(failure?.kind == .notFound)
            spec.hasTerminal = true
            let terminal = await #expect(throws: NodeFailure.self) {
                try await client.call(CallFunction(spec), descriptors: streams.descriptors)
            }
            #expect(terminal?.message.contains("-t") == true)
            let bare = await #expect(throws: NodeFailure.self) { try await client.call(CallFunction(spec)) }
            #expect(bare?.kind == .badRequest)
        }
    }

    @Test func `a caller that takes its call back ends the program`() async throws {
        try await withNode { client in
            let streams = try TestStreams()
            let spec = function("read line; sleep 600")
            let calling = Task { try await client.call(CallFunction(spec), descriptors: streams.descriptors) }
            try streams.write("go\n")
            try await eventually("the call is served") {
                try await client.call(ListFunctions()).functions.first?.busy == 1
            }
            calling.cancel()
            _ = try? await calling.value
            try await eventually("the program has ended") {
                try await client.call(ListFunctions()).functions.first?.busy == 0
            }
        }
    }
}
