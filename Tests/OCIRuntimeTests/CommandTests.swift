import JSON
import OCIRuntime
import Testing

/// The command line is runc's.
@Suite struct CommandTests {
    @Test func `an id that could lead elsewhere is refused`() {
        for id in ["a/b", "..", ".", "", "-x", "a b", String(repeating: "a", count: 4000), "ä", "a\n"] {
            #expect(throws: RuntimeFailure.self) { try Command.read(["state", id]) }
        }
        #expect(throws: Never.self) { try Command.read(["state", "a_B.c+1-9"]) }
    }

    @Test func `what containerd's shim calls is read`() throws {
        let (options, command) = try Command.read([
            "--root", "/run/r", "--log", "/l", "--log-format", "json", "create", "--bundle", "/b", "--pid-file", "/p",
            "--console-socket=/c", "--no-pivot", "--preserve-fds", "2", "id",
        ])
        #expect(options.root == "/run/r" && options.log == "/l" && options.logFormat == .json)
        guard case .create(let making) = command else {
            Issue.record("\(command)")
            return
        }
        #expect(making.id == "id" && making.bundle == "/b" && making.pidFile == "/p" && making.consoleSocket == "/c")
        #expect(making.noPivot && !making.noNewKeyring && making.preservedDescriptors == 2)
    }

    @Test func `after the id of exec everything is the program's`() throws {
        let (_, command) = try Command.read(["exec", "-t", "--env", "A=1", "-e", "B=2", "id", "ls", "-l", "--env", "x"])
        guard case .exec(let executing) = command else {
            Issue.record("\(command)")
            return
        }
        #expect(executing.hasTerminal && executing.environment == ["A=1", "B=2"])
        #expect(executing.arguments == ["ls", "-l", "--env", "x"])
    }

    @Test(arguments: [
        ["frobnicate"], ["create"], ["create", "--nope", "id"], ["create", "--bundle"], ["start", "a", "b"],
        ["delete", "--force=maybe", "a"], ["list", "--format", "yaml"], ["exec", "id"],
        ["--log-format", "xml", "list"],
        ["create", "--preserve-fds", "-1", "id"], ["events", "--interval", "0s", "id"], ["---root", "x", "list"],
        ["--rootless", "maybe", "list"], ["checkpoint", "a"], ["restore", "a"], ["list", "stray"],
    ])
    func `what is not understood is an error`(_ words: [String]) {
        #expect(throws: RuntimeFailure.self) { try Command.read(words) }
    }
}
