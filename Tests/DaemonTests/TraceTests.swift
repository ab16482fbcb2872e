import Daemon
import JSON
import Linux
import TestKit
import Testing

/// One call through a whole node: its id and its trace from the door to the program, the log and the ledger.
@Suite(.serialized, .enabled(if: isRoot), .leavesNothing) struct TraceTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    private static let amazon = "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736"

    /// A runtime in shell: answers each event with the fields that came with it.
    private static let bootstrap = """
        #!/bin/sh
        while :; do
          fields=$(curl -sS -D /tmp/head -o /tmp/event "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next" && cat /tmp/head)
          id=$(sed -n 's/^Lambda-Runtime-Aws-Request-Id: //Ip' /tmp/head | tr -d '\\r')
          trace=$(sed -n 's/^Lambda-Runtime-Trace-Id: //Ip' /tmp/head | tr -d '\\r')
          curl -sS -o /dev/null -d "{\\"id\\":\\"$id\\",\\"trace\\":\\"$trace\\",\\"event\\":$(cat /tmp/event)}" \\
            "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/$id/response"
        done
        """

    private func curl(_ machine: ShiftedMachine, _ path: String, _ more: [String]) async throws -> (head: String, body: String) {
        let outcome = try await CommandRunner.run(
            ["curl", "-sS", "--max-time", "60", "--unix-socket", machine.test.settings.lambdaSocket, "-i"] + more + ["http://node\(path)"])
        guard let gap = outcome.text.firstRange(of: "\r\n\r\n") else { return (outcome.text, outcome.errorText) }
        return (outcome.text[..<gap.lowerBound].lowercased(), String(outcome.text[gap.upperBound...]))
    }

    private func field(_ name: String, _ head: String) -> String? {
        head.split(separator: "\r\n").first { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }

    private func deploy(_ name: String, on machine: ShiftedMachine) async throws {
        let zip = TestZip([TestZip.Entry("bootstrap", Self.bootstrap, mode: 0o100755)])
        let body: JSONValue = [
            "FunctionName": .string(name), "Runtime": "provided.al2023", "Role": "arn:aws:iam::000000000000:role/none", "Handler": "bootstrap",
            "Timeout": 30, "Code": ["ZipFile": .string(Base64.text(zip.bytes))],
        ]
        let made = try await curl(machine, "/2015-03-31/functions", ["-X", "POST", "-d", JSONWriter.text(body)])
        try #require(made.head.contains(" 201"), "\(made)")
    }

    /// The lines of the node's log about a request.
    private func lines(_ machine: ShiftedMachine, _ id: String) async throws -> [JSONValue] {
        try await eventuallySome("the log has the request \(id)") {
            let found = try await CommandRunner.run([
                "jq", "-c", "select(.request_id == \"\(id)\")", machine.test.directory.path("log"),
            ])
            let lines = try found.text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8)) }
            return lines.isEmpty ? nil : lines
        }
    }

    private func records(_ machine: ShiftedMachine, _ id: String) async throws -> [JSONValue] {
        let shown = try await machine.forkless(["ledger", "show", "--request", id, "--output", "json"])
        try #require(shown.status.isSuccess, "\(shown.errorText)")
        return try shown.text.split(separator: "\n").map { try JSONParser.parse(Array($0.utf8))["record"] ?? .null }
    }

    @Test func `a call has one id and one trace from its door to the sandbox, the log and the ledger`() async throws {
        try await ShiftedMachine.with { machine, quiet in
            try await machine.end(quiet)
            // What it has said is no JSON.
            try Files.remove(machine.test.directory.path("log"))
            let node = try await machine.launch(["--log-format", "json", "--log-calls"])
            try await deploy("teller", on: machine)
            try await invocations(machine)
            try await shiftedCalls(machine)
            // Whatever the node has said is JSON.
            let all = try await CommandRunner.run(["jq", "-e", ".time and .level and .part and .message", machine.test.directory.path("log")])
            let said = try machine.said()
            #expect(all.status.isSuccess && !all.text.contains("false"), "\(said)")
            return node
        }
    }

    private func invocations(_ machine: ShiftedMachine) async throws {
        let path = "/2015-03-31/functions/teller/invocations"
        let answer = try await curl(
            machine, path, ["-X", "POST", "-d", "{}", "-H", "traceparent: \(Self.parent)", "-H", "tracestate: a=1"])
        let json = try JSONParser.parse(Array(answer.body.utf8))
        let id = try #require(field("x-amzn-requestid", answer.head))
        #expect(json["id"]?.string == id)
        let trace = try #require(json["trace"]?.string)
        #expect(trace.hasPrefix(Self.amazon + ";Parent=") && trace.hasSuffix(";Sampled=1") && !trace.contains("00f067aa0ba902b7"))
        let line = try #require(try await lines(machine, id).first)
        #expect(line["trace_id"]?.string == Self.trace && line["part"] == "functions" && line["function"] == "teller")
        #expect(trace.contains("Parent=\(line["span_id"]?.string ?? "?");"))
        #expect(line["outcome"] == "success" && line["duration_us"]?.integer != nil)
        let record = try #require(try await records(machine, id).first)
        #expect(record["traceId"]?.string == Self.trace && record["spanId"] == line["span_id"])
        // An asynchronous call goes on in its trace, and one without a trace begins one.
        let accepted = try await curl(
            machine, path, ["-X", "POST", "-d", "{}", "-H", "X-Amz-Invocation-Type: Event", "-H", "X-Amzn-Trace-Id: \(Self.amazon);Sampled=0"])
        let event = try #require(field("x-amzn-requestid", accepted.head))
        #expect(try await lines(machine, event).contains { $0["trace_id"]?.string == Self.trace && $0["source"] == "async" })
        let alone = try await curl(machine, path, ["-X", "POST", "-d", "{}", "-H", "traceparent: 00-\(Self.trace)-0000000000000000-01"])
        let begun = try #require(try JSONParser.parse(Array(alone.body.utf8))["trace"]?.string)
        #expect(begun.hasPrefix("Root=1-") && !begun.contains("77b34da6a3ce929d0e0e4736") && begun.hasSuffix(";Sampled=0"))
        // Requests that are no calls have lines as well.
        let listed = try await curl(machine, "/2015-03-31/functions/none", [])
        let listedID = try #require(field("x-amzn-requestid", listed.head))
        let refused = try #require(try await lines(machine, listedID).first)
        #expect(refused["part"] == "lambda-api" && refused["status"] == 404 && refused["level"] == "warn")
    }

    private func shiftedCalls(_ machine: ShiftedMachine) async throws {
        let program = try await machine.copy(of: "/usr/bin/env", as: "show")
        try await machine.shift(program, "--to", "container", "--mode", "full")
        let traced = try await machine.run(["env", "TRACEPARENT=\(Self.parent)", "TRACESTATE=a=1", "WHO=caller", program])
        var variables: [String: String] = [:]
        for line in traced.text.split(separator: "\n") {
            let name = String(line.prefix { $0 != "=" })
            #expect(variables[name] == nil, "\(name) is there once")
            variables[name] = String(line.dropFirst(name.count + 1))
        }
        #expect(variables["WHO"] == "caller" && variables["TRACESTATE"] == "a=1")
        #expect(variables["_X_AMZN_TRACE_ID"] == nil)
        let id = try #require(variables["FORKLESS_REQUEST_ID"])
        let line = try #require(try await lines(machine, id).first)
        #expect(line["part"] == "exec" && line["trace_id"]?.string == Self.trace)
        #expect(variables["TRACEPARENT"] == "00-\(Self.trace)-\(line["span_id"]?.string ?? "?")-01")
        #expect(try await records(machine, id).first?["version"] == "container")
        // A call without a trace has the environment that exec would give.
        let alone = try await machine.run(["env", "-i", "WHO=caller", "TRACEPARENT=00-broken", program]).text
        #expect(alone == "WHO=caller\nTRACEPARENT=00-broken\n")
        // To a function: the door's call and the function's have one id.
        try await machine.shift(program, "--to", "function=teller", "--mode", "full")
        let answer = try await machine.run(["env", "TRACEPARENT=\(Self.parent)", program], input: "{}")
        let json = try JSONParser.parse(answer.output)
        #expect(json["trace"]?.string?.hasPrefix(Self.amazon + ";Parent=") == true)
        let called = try #require(json["id"]?.string)
        // The door records a call once it has answered it.
        try await eventually("the door's record and the function's are there") {
            try await Set(records(machine, called).compactMap { $0["function"]?.string }).count == 2
        }
    }
}
