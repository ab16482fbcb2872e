import Glibc
import JSON
import Linux
import TestKit
import Testing

/// The runtime killed on its way, and what a forced deletion makes of it.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(8))) struct FaultTests {
    @Test func `a create that is killed at any instant leaves nothing behind after delete --force`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["sleep", "1000"])
        for microseconds in stride(from: 0, to: 30_000, by: 1000) {
            let id = stage.id("k\(microseconds)")
            // Killed by nobody but us, by its number; its own group, so that the shell does not speak of it.
            _ = try await CommandRunner.run([
                "sh", "-c",
                """
                \(stage.executable) --root \(stage.state) create --bundle \(stage.bundle) \(id) </dev/null >/dev/null 2>&1 &
                pid=$!; sleep 0.\(String(String(1_000_000 + microseconds).dropFirst())); kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null; true
                """,
            ])
            try await stage.demand("delete", "--force", id)
        }
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `a delete that is killed is finished by the next`() async throws {
        let stage = try RuntimeStage()
        for milliseconds in [0, 2, 5, 10] {
            let id = try await stage.sleeping("d\(milliseconds)")
            _ = try await CommandRunner.run([
                "sh", "-c",
                """
                \(stage.executable) --root \(stage.state) delete --force \(id) </dev/null >/dev/null 2>&1 &
                pid=$!; sleep 0.00\(milliseconds); kill -9 $pid 2>/dev/null; wait $pid 2>/dev/null; true
                """,
            ])
            try await stage.demand("delete", "--force", id)
        }
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `a start that fails says why, and the container has stopped`() async throws {
        let stage = try RuntimeStage()
        try stage.directory.write("#!/nonexistent\n", to: "bundle/rootfs/bin/broken", mode: 0o755)
        let id = stage.id()
        try stage.configure(["broken"])
        try await stage.shellOutside("create --bundle \(stage.bundle) \(id)")
        let outcome = try await stage("start", id)
        #expect(
            outcome.status == .exited(1) && outcome.errorText.contains("No such file or directory"),
            "\(outcome.errorText)")
        try await eventually { try await stage.status(id) == "stopped" }
    }

    @Test func `bad input is an error on standard error and in the log, and leaves nothing`() async throws {
        let stage = try RuntimeStage()
        let documents = [
            "", "{", "[]", "null", "{\"ociVersion\":\"2.0.0\"}", "{\"ociVersion\":1}",
            "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"rootfs\"}}", String(repeating: "[", count: 100_000),
        ]
        for document in documents {
            try stage.directory.write(document, to: "bundle/config.json")
            let outcome = try await stage("run", "--bundle", stage.bundle, stage.id())
            #expect(outcome.status == .exited(1) && !outcome.errorText.isEmpty, "\(document.prefix(40))")
        }
        let lines = try Files.readText(stage.directory.path("log")).split(separator: "\n")
        #expect(lines.count == documents.count)
        for line in lines {
            let entry = try JSONParser.parse(String(line))
            #expect(entry["level"]?.string == "error" && entry["msg"]?.string != nil && entry["time"]?.string != nil)
        }
        #expect(try await stage.demand("list", "--quiet") == "")
    }

    @Test func `a root that is a link, a file or missing is refused`() async throws {
        let stage = try RuntimeStage()
        try stage.directory.write("", to: "bundle/file")
        try RuntimeStage.link("link", in: stage.bundle, to: "rootfs")
        for root in ["file", "link", "missing", "rootfs/bin/sh", "../../../proc/self/exe"] {
            let outcome = try await stage.shell("true") { $0["root", "path"] = .string(root) }
            #expect(outcome.status == .exited(1), "\(root)")
        }
        #expect(try await stage.demand("list", "--quiet") == "")
    }
}

/// Terminals, handed to a manager or carried by the runtime.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(3))) struct TerminalTests {
    @Test func `the terminal of a created container comes through the console socket`() async throws {
        let stage = try RuntimeStage()
        let id = stage.id()
        try stage.configure(["sh", "-c", "stty size; tty; echo said; sleep 1000"]) { config in
            config["process", "terminal"] = true
            config["process", "consoleSize"] = ["height": 33, "width": 77]
        }
        let path = stage.directory.path("console")
        let listener = try StreamSocket.listen(at: path)
        try await stage.shellOutside("create --console-socket \(path) --bundle \(stage.bundle) \(id)")
        let connection = try MessageSocket.accept(from: listener.raw)
        var bytes = [UInt8](repeating: 0, count: 64)
        var sent: [SharedFD] = []
        _ = try MessageSocket(adopting: connection).receive(into: &bytes, descriptors: &sent)
        let master = try #require(sent.first)
        try await stage.demand("start", id)
        var text = ""
        try Files.setNonBlocking(master.raw)
        try await eventually {
            var room = [UInt8](repeating: 0, count: 4096)
            if let count = try Files.readAvailable(master.raw, into: &room), count > 0 {
                text += String(decoding: room[..<count], as: UTF8.self)
            }
            return text.contains("said")
        }
        #expect(text.contains("33 77") && text.contains("/dev/pts/0"), "\(text)")
        try await stage.demand("delete", "--force", id)
    }

    @Test func `run and exec carry a terminal, and end with the program's status`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["sh", "-c", "test -t 0 && test -t 1 && echo terminal; exit 3"]) {
            $0["process", "terminal"] = true
        }
        let run = try await stage("run", "--bundle", stage.bundle, stage.id())
        #expect(run.status == .exited(3) && run.text == "terminal\r\n", "\(run)")
        let id = try await stage.sleeping("exec")
        let exec = try await stage("exec", "--tty", id, "sh", "-c", "test -t 0 && tty; exit 4")
        #expect(exec.status == .exited(4) && exec.text == "/dev/pts/0\r\n", "\(exec)")
    }

    @Test func `a terminal that nobody would get is refused`() async throws {
        let stage = try RuntimeStage()
        try stage.configure(["sh"]) { $0["process", "terminal"] = true }
        #expect(try await stage("create", "--bundle", stage.bundle, stage.id()).errorText.contains("--console-socket"))
        try stage.configure(["sh"])
        let outcome = try await stage("create", "--console-socket", "/nowhere", "--bundle", stage.bundle, stage.id())
        #expect(outcome.errorText.contains("--console-socket"))
    }
}
