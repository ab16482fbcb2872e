import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// The verbs that need a node, against one that was started as a user starts it.
@Suite(.serialized, .enabled(if: isRoot)) struct NodeIntegrationTests {
    private func json(_ outcome: CommandRunner.Outcome) throws -> JSONValue { try JSONParser.parse(outcome.output) }

    @Test(arguments: [["ps"], ["logs", "x"], ["exec", "x", "true"], ["stop", "x"], ["rm", "x"], ["stats"], ["inspect", "x"], ["kill", "x"]])
    func `a verb that needs a node starts none and says how`(arguments: [String]) async throws {
        let forkless = try TestForkless()
        let outcome = try await forkless.call(arguments)
        #expect(outcome.status == .exited(arguments[0] == "exec" ? 125 : 1))
        #expect(outcome.errorText.hasPrefix("forkless: no node listens at \(forkless.run)/node.sock. Start one: \"forkless node\""))
        #expect(outcome.text.isEmpty)
    }

    @Test func `a container is run, listed, read, entered, stopped and removed`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            let script = "trap 'exit 4' TERM; echo out; echo err >&2; while :; do sleep 0.02; done"
            let started = try await forkless("run", "-d", "--name", "desk", "--label", "team=rates", "sh", "-c", script)
            let id = started.text.split(separator: "\n").map(String.init).first ?? ""
            #expect(id.count == 64, "\(started.errorText)")

            try await eventually("both lines are logged") {
                let logs = try await forkless("logs", "desk")
                return logs.text == "out\n" && logs.errorText == "err\n"
            }
            #expect(try await forkless("logs", "--tail", "0", "desk").text == "")
            #expect(try await forkless("logs", "-t", "desk").text.hasSuffix("Z out\n"))

            #expect(try await forkless("ps", "-q").text == id.prefix(12) + "\n")
            #expect(try await forkless("ps", "--label", "team=fx", "-q").text == "")
            let list = try json(try await forkless("ps", "--output", "json"))
            #expect(list["containers"]?[0]?["name"] == "desk")
            #expect(list["containers"]?[0]?["labels"]?["team"] == "rates")

            let inside = try await forkless("exec", "-i", "-e", "X=7", "desk", "sh", "-c", "echo $X; cat; exit 3", input: "typed")
            #expect(inside.text == "7\ntyped", "\(inside.errorText)")
            #expect(inside.status == .exited(3))
            #expect(try await forkless("exec", "desk", "no-such-program").status == .exited(127))

            let figures = try json(try await forkless("stats", "--no-stream", "--output", "json"))
            #expect(figures["containers"]?[0]?["name"] == "desk")
            #expect((figures["containers"]?[0]?["pids"]?.integer ?? 0) >= 1)

            let refused = try await forkless("rm", "desk")
            #expect(refused.status == .exited(1))
            #expect(refused.errorText.contains("desk"))

            #expect(try await forkless("stop", "desk").text == "desk\n")
            #expect(try await forkless("wait", "desk").text == "4\n")
            let details = try json(try await forkless("inspect", "desk"))
            #expect(details[0]?["summary"]?["id"]?.string == id || details[0]?["id"]?.string == id)
            #expect(try await forkless("rm", "desk").text == "desk\n")
            #expect(try await forkless("ps", "-aq").text == "")
        }
    }

    @Test func `run with a node has the program's status and leaves the container unless told otherwise`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            #expect(try await forkless("run", "--name", "kept", "sh", "-c", "exit 6").status == .exited(6))
            #expect(try await forkless("run", "--rm", "--name", "gone", "true").status == .exited(0))
            let names = try json(try await forkless("ps", "-a", "--output", "json"))["containers"]?.array?.map { $0["name"] }
            #expect(names == ["kept"])
            let clash = try await forkless("run", "--name", "kept", "true")
            #expect(clash.status == .exited(125))
            #expect(clash.errorText.contains("kept"))
        }
    }

    @Test func `several containers are stopped at once, and one that is not there is told apart`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            for name in ["a", "b"] { _ = try await forkless("run", "-d", "--name", name, "sleep", "600") }
            let outcome = try await forkless("kill", "a", "nobody", "b")
            #expect(outcome.text == "a\nb\n")
            #expect(outcome.errorText.contains("\"nobody\""))
            #expect(outcome.status == .exited(1))
            #expect(try await forkless("wait", "a", "b").text == "137\n137\n")
        }
    }

    @Test func `more containers than a connection takes requests for are asked for in turn`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            let names = (0..<300).map { "nobody-\($0)" }
            let outcome = try await forkless.call(["rm"] + names)
            let lines = outcome.errorText.split(separator: "\n")
            #expect(lines.count == names.count)
            #expect(lines.allSatisfy { $0.contains("there is no container") }, "\(lines.first ?? "")")
        }
    }

    @Test func `logs are followed to the end of the program`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            _ = try await forkless("run", "-d", "--name", "slow", "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.1; done")
            #expect(try await forkless("logs", "-f", "slow").text == "1\n2\n3\n")
        }
    }

    @Test func `a function is called: a fresh program for every call, its status ours`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            for word in ["one", "two", "three"] {
                let outcome = try await forkless.call(
                    ["run", "-i", "--rung", "function", "sh", "-c", "read line; echo \"got $line\"; exit 7"], input: word + "\n")
                #expect(outcome.text == "got \(word)\n", "\(outcome.errorText)")
                #expect(outcome.status == .exited(7))
            }
            // Calls are no containers.
            #expect(try await forkless("ps", "-aq").text == "")
        }
    }

    @Test func `what was started is told as JSON, too`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            let started = try json(try await forkless("run", "-d", "--output", "json", "--name", "j", "sleep", "600"))
            #expect(started["name"] == "j")
            #expect((started["pid"]?.integer ?? 0) > 1)
            let stopped = try json(try await forkless("stop", "-t", "0", "--output", "json", "j", "nobody"))
            #expect(stopped[0]?["result"]?["exitStatus"]?.integer == 137)
            #expect(stopped[1]?["error"]?.string?.contains("nobody") == true)
            let ends = try json(try await forkless("wait", "--output", "json", "j"))
            #expect(ends[0]?["end"]?["signal"]?.integer == 9)
        }
        #expect(try await forkless("run", "--output", "json", "true").status == .exited(125))
    }

    @Test func `exec has a terminal`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            _ = try await forkless("run", "-d", "--name", "host", "sleep", "600")
            let terminal = try TestTerminal(
                [forkless.executable, "exec", "-it", "-e", "PS1=in> ", "host", "sh"], environment: forkless.environment,
                size: .init(rows: 30, columns: 90))
            try await terminal.read(until: "in> ")
            try terminal.type("stty size\n")
            try await terminal.read(until: "30 90")
            try terminal.type("exit 8\n")
            #expect(try await terminal.end() == .exited(8))
            _ = try await forkless("rm", "-f", "host")
        }
    }

    @Test func `a node is not started twice in the same directories`() async throws {
        let forkless = try TestForkless()
        try await forkless.withNode {
            let second = try await forkless("node", "--detach")
            #expect(second.status == .exited(1))
            #expect(second.errorText.contains(forkless.state) || second.errorText.contains(forkless.run))
            #expect(try await forkless("version").text.contains("node     0."))
            #expect(try await forkless("doctor").text.contains("answers"))
        }
    }
}
