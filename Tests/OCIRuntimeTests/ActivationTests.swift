import Linux
import TestKit
import Testing

@testable import OCIRuntime

/// What a service manager hands through the runtime.
@Suite(.serialized, .leavesNothing, .timeLimit(.minutes(3))) struct ActivationTests {
    @Test func `sockets are passed on that are meant for this process`() throws {
        func read(_ pid: String?, _ count: String?) throws -> Int {
            try Activation(pid: 7, listenPID: pid, listenCount: count, names: "a:b", notifySocket: nil).sockets
        }
        #expect(try read("7", "2") == 2 && read("8", "2") == 0 && read(nil, "2") == 0 && read("7", nil) == 0)
        for count in ["-1", "x", "", "1025", "99999999999999999999"] {
            #expect(throws: RuntimeFailure.self) { _ = try read("7", count) }
        }
        let activation = try Activation(pid: 7, listenPID: "7", listenCount: "2", names: "a:b", notifySocket: "")
        #expect(
            activation.environment(["A=1", "LISTEN_FDS=9"], pid: 1)
                == ["A=1", "LISTEN_PID=1", "LISTEN_FDS=2", "LISTEN_FDNAMES=a:b"])
        #expect(activation.notifySocket == nil)
        #expect(throws: RuntimeFailure.self) {
            _ = try Activation(pid: 7, listenPID: nil, listenCount: nil, names: nil, notifySocket: "vsock:2:1")
        }
    }

    @Test func `only readiness is passed on`() {
        func said(_ text: String) -> String? { ReadinessRelay.readiness(Array(text.utf8)[...]) }
        #expect(said("STATUS=x\nREADY=1\nMAINPID=1\nFDSTORE=1") == "READY=1")
        #expect(said("READY=0") == nil && said("XREADY=1") == nil && said("STATUS=READY=1") == nil && said("") == nil)
    }

    @Test func `a program gets the sockets of its service, before those that are preserved`() async throws {
        let stage = try RuntimeStage()
        try stage.directory.write("first", to: "one")
        try stage.directory.write("second", to: "two")
        try stage.configure([
            "sh", "-c", "echo $LISTEN_PID $LISTEN_FDS $LISTEN_FDNAMES; cat <&3 <&3; cat <&4; ls /proc/self/fd",
        ])
        let outcome = try await CommandRunner.run([
            "sh", "-c",
            """
            exec 3<\(stage.directory.path("one")) 4<\(stage.directory.path("two")) 5</etc; export LISTEN_PID=$$ LISTEN_FDS=1 \
            LISTEN_FDNAMES=name; exec \(stage.call) run --preserve-fds 1 --bundle \(stage.bundle) \(stage.id())
            """,
        ])
        #expect(outcome.text == "1 1 name\nfirstsecond0\n1\n2\n3\n4\n5\n", "\(outcome.text)\(outcome.errorText)")
    }

    /// A container whose program says that it is ready through `command`, started by a service manager that listens.
    private func ready(_ command: String, in stage: RuntimeStage, verbs: (String) -> String) async throws -> [String] {
        let manager = stage.directory.path("manager")
        let listener = try DatagramSocket.bind(at: manager)
        stage.addPython()
        try stage.configure(["/usr/bin/python3", "-c", command]) { stage.bindPython(&$0) }
        let outcome = try await CommandRunner.run([
            "sh", "-c",
            "export NOTIFY_SOCKET=\(manager); { \(verbs(stage.id())); } </dev/null >/dev/null 2>\(stage.directory.path("errors"))",
        ])
        #expect(outcome.status.isSuccess, "\((try? Files.readText(stage.directory.path("errors"))) ?? "")")
        var messages: [String] = []
        var room = [UInt8](repeating: 0, count: 4096)
        while let count = try Files.readAvailable(listener.raw, into: &room) {
            messages.append(String(decoding: room[..<count], as: UTF8.self))
        }
        return messages
    }

    private static let program = """
        import os, socket, time
        s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect(os.environ["NOTIFY_SOCKET"])
        s.send(b"STATUS=soon"); s.send(b"MAINPID=4711\\nREADY=1"); time.sleep(1000)
        """

    @Test func `a start waits until the program is ready, and says which process it is`() async throws {
        let stage = try RuntimeStage()
        let messages = try await ready(Self.program, in: stage) { id in
            "\(stage.call) create --bundle \(stage.bundle) \(id) && \(stage.call) start \(id)"
        }
        #expect(messages == ["READY=1\n", "MAINPID=\(try await stage.pid(stage.id()))\n", "BARRIER=1"], "\(messages)")
        try await stage.demand("delete", "--force", stage.id())
    }

    @Test func `a run in the foreground passes readiness on and stays the main process`() async throws {
        let stage = try RuntimeStage()
        let messages = try await ready(Self.program.replacing("1000", with: "0.2"), in: stage) { id in
            "\(stage.call) run --bundle \(stage.bundle) \(id)"
        }
        #expect(messages == ["READY=1\n", "BARRIER=1"], "\(messages)")
    }

    @Test func `a start ends when the program ends without a word`() async throws {
        let stage = try RuntimeStage()
        let messages = try await ready("pass", in: stage) { id in
            "\(stage.call) create --bundle \(stage.bundle) \(id) && \(stage.call) start \(id)"
        }
        #expect(messages == [])
        try await stage.demand("delete", "--force", stage.id())
    }
}
