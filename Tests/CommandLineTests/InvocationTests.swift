import TestKit
import Testing

@testable import CommandLine

@Suite struct InvocationTests {
    private func said(_ arguments: String...) throws -> Outcome {
        guard case .said(let outcome) = Invocation.parse(arguments) else { throw Unexpected() }
        return outcome
    }

    private func run(_ arguments: String...) throws -> RunCommand {
        guard case .verb(let verb as RunCommand) = Invocation.parse(arguments) else { throw Unexpected() }
        return verb
    }

    private struct Unexpected: Error {}

    @Test func `what follows the program is the program's`() throws {
        let run = try run("run", "-it", "--memory", "1g", "sh", "-c", "true", "--help", "--rm", "--", "-x")
        #expect(run.command == ["sh", "-c", "true", "--help", "--rm", "--", "-x"])
        #expect(run.held.isInteractive && run.held.hasTerminal && !run.held.removesOnExit)
        #expect(run.place.memory == "1g")
    }

    @Test func `two dashes end the flags`() throws {
        let words = try ProgramWords(try run("run", "--rm", "--", "-odd", "--", "x").command, verb: "run")
        #expect(words.program == "-odd")
        #expect(words.arguments == ["--", "x"])
    }

    @Test func `a variable may stand right behind its letter`() throws {
        let run = try run("run", "-eA=1", "-e", "B=2", "-lx=y", "-e=C=3", "prog", "-eD=4")
        #expect(run.place.environment == ["A=1", "B=2", "C=3"])
        #expect(run.held.labels == ["x=y"])
        #expect(run.command == ["prog", "-eD=4"])
    }

    @Test func `values may begin with a dash`() throws {
        let run = try run("run", "--pids-limit", "-1", "-e", "-X=1", "prog")
        #expect(run.place.pidsLimit == "-1")
        #expect(run.place.environment == ["-X=1"])
    }

    @Test(arguments: [
        ["run", "--bogus", "prog"], ["run", "-it", "--bogus", "prog"], ["run", "-xi", "prog"], ["ps", "--bogus"],
        ["run", "--memory"], ["bogus"], ["stop"], ["exec", "--rm", "c", "prog"], ["ps", "--output", "xml"],
    ])
    func `a mistake in the flags is said on stderr, with Docker's status`(arguments: [String]) throws {
        guard case .said(let outcome) = Invocation.parse(arguments) else { throw Unexpected() }
        #expect(outcome.status == 125)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errors.hasPrefix("Error: "))
        #expect(outcome.errors.contains("Usage: forkless"))
    }

    @Test func `an unknown flag of run is named`() throws {
        let outcome = try said("run", "--bogus", "prog")
        #expect(
            outcome.errors == """
                Error: Unknown option '--bogus'
                Usage: forkless run [<options>] [<image> ...]
                  See 'forkless run --help' for more information.

                """)
    }

    @Test func `the version is one line`() throws {
        let outcome = try said("--version")
        #expect(outcome == Outcome(status: 0, output: "forkless \(Version.number)\n"))
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func `completions name every verb`(shell: String) throws {
        let outcome = try said("--generate-completion-script", shell)
        #expect(outcome.status == 0)
        for verb in ["run", "exec", "ps", "logs", "stats", "inspect", "stop", "rm"] {
            #expect(outcome.output.contains(verb))
        }
    }

    @Test(arguments: [
        "", "run", "create", "exec", "ps", "logs", "stats", "inspect", "wait", "stop", "kill", "rm", "update", "cp", "attach",
        "build", "images", "save", "load", "pull", "push", "network", "volume", "compare", "probe", "observe", "plan", "pack", "node", "doctor", "version",
    ])
    func `help is what it was`(verb: String) throws {
        let outcome = try verb.isEmpty ? said("--help") : said(verb, "--help")
        #expect(outcome.status == 0)
        let name = verb.isEmpty ? "forkless" : verb
        #expect(try Snapshot.difference(of: outcome.output, from: "help-\(name).txt") == nil)
    }

    @Test(arguments: ["", "deploy", "invoke", "list", "logs", "scale", "url", "report", "publish", "alias", "rm"])
    func `help of functions is what it was`(verb: String) throws {
        let outcome = try verb.isEmpty ? said("fn", "--help") : said("fn", verb, "--help")
        #expect(outcome.status == 0)
        #expect(try Snapshot.difference(of: outcome.output, from: verb.isEmpty ? "help-fn.txt" : "help-fn-\(verb).txt") == nil)
    }

    @Test(arguments: ["", "show", "verify", "export", "replay"])
    func `help of the ledger is what it was`(verb: String) throws {
        let outcome = try verb.isEmpty ? said("ledger", "--help") : said("ledger", verb, "--help")
        #expect(outcome.status == 0)
        #expect(try Snapshot.difference(of: outcome.output, from: verb.isEmpty ? "help-ledger.txt" : "help-ledger-\(verb).txt") == nil)
    }

    @Test func `help of a verb is the same from both sides`() throws {
        #expect(try said("help", "run").output == said("run", "--help").output)
    }
}
