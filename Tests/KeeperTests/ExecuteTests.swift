import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// More programs in a sandbox that runs.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Executes {
        let keeper: KeeperProcess
        init() throws { keeper = try KeeperProcess() }

        /// Starts a sandbox that waits until its input ends.
        private func home(_ plan: SandboxPlan = SandboxPlan(), name: String = "home") throws -> Started {
            let started = try keeper.start("echo up; cat", in: plan, name: name)
            #expect(try Files.readSome(started.ends[1].raw, count: 3) == Array("up\n".utf8))
            return started
        }

        /// Executes a command and returns its output and end.
        private func execute(
            _ command: String, name: String = "more", identity: Users.Identity? = nil, in sandbox: String = "home"
        ) throws -> (output: String, end: EndReport) {
            var pipe = try Files.pipe()
            let reader = pipe.takeReader()
            var writer: SharedFD? = SharedFD(pipe.takeWriter())
            let input = try Files.open("/dev/null", O_RDONLY)
            let request = ExecuteRequest(sandbox: sandbox, name: name, call: .shell(command), identity: identity)
            let number = try keeper.client.send(.execute(request), [input.raw, writer!.raw, writer!.raw])
            let reply = try keeper.client.answer(to: number).reply
            guard case .started = reply else {
                if case .failed(let failure) = reply { throw failure }
                throw TestFailure("\(reply)")
            }
            writer = nil
            return (String(decoding: try Files.readAll(reader.raw), as: UTF8.self), try ended(name))
        }

        private func ended(_ name: String) throws -> EndReport {
            let end = try keeper.end(of: name)
            try keeper.demand(.acknowledge(sandbox: name))
            return end
        }

        private let view =
            "for n in mnt pid net ipc uts cgroup user; do readlink /proc/self/ns/$n; done; "
                + "grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status; "
                + "cat /proc/self/cgroup; umask; ulimit -n; pwd; ls /proc/self/fd | wc -l"

        @Test func `an executed program has what the sandbox's own have`() throws {
            for change: (inout SandboxPlan) -> Void in [
                { _ in }, { $0.namespaces.insert(.user) },
                { $0.capabilities = Capabilities(names: ["KILL", "CHOWN"])! },
            ] {
                let plan = SandboxPlan.with {
                    $0.systemCallFilter = try! SeccompProfile.standard.compile().bytes
                    $0.umask = 0o027
                    $0.resourceLimits = [ResourceLimit(.openFiles, soft: 50, hard: 50)]
                    change(&$0)
                }
                let started = try keeper.start("\(view); echo up; cat", in: plan, name: "home")
                var own = ""
                while !own.hasSuffix("up\n") {
                    own += String(decoding: try Files.readSome(started.ends[1].raw, count: 4096), as: UTF8.self)
                }
                let (output, end) = try execute(view)
                #expect(output + "up\n" == own)
                #expect(output.contains("CapInh:\t0000000000000000"))
                #expect(end.status.isSuccess)
                try keeper.demand(.signal(sandbox: "home", number: SIGKILL, wholeTree: true))
                _ = try ended("home")
            }
        }

        @Test func `the sandbox sees it among its processes`() throws {
            let home = try home()
            let (output, _) = try execute("echo $$; cat /proc/1/comm")
            let lines = output.split(separator: "\n").map(String.init)
            #expect((Int(lines.first ?? "") ?? 0) > 1)
            #expect(lines.dropFirst() == ["sh"])
            _ = home
        }

        @Test func `it is listed with its sandbox`() throws {
            let home = try home()
            let null = try Files.open("/dev/null", O_RDWR)
            let request = ExecuteRequest(sandbox: "home", name: "inner", call: .shell("sleep 300"))
            guard case .started = try keeper.ask(.execute(request), [null.raw, null.raw, null.raw]) else {
                throw TestFailure("no start")
            }
            #expect(try keeper.list().first { $0.sandbox == "inner" }?.parent == "home")
            #expect(try keeper.refusal(.execute(request), [null.raw, null.raw, null.raw]).kind == .conflict)
            var deeper = request
            deeper.sandbox = "inner"
            deeper.name = "deeper"
            #expect(try keeper.refusal(.execute(deeper), [null.raw, null.raw, null.raw]).kind == .badRequest)
            deeper.sandbox = "nobody"
            #expect(try keeper.refusal(.execute(deeper), [null.raw, null.raw, null.raw]).kind == .notFound)
            // A signal to it is for it alone.
            try keeper.demand(.signal(sandbox: "inner", number: SIGKILL, wholeTree: true))
            #expect(try ended("inner").status == .signaled(SIGKILL, coreDumped: false))
            #expect(try keeper.list().count == 1)
            _ = home
        }

        @Test func `it dies with the sandbox, with and without a pid namespace`() throws {
            for plan in [SandboxPlan(), .unisolated] {
                let home = try home(plan)
                let null = try Files.open("/dev/null", O_RDWR)
                let request = ExecuteRequest(sandbox: "home", name: "inner", call: .shell("sleep 300"))
                guard case .started = try keeper.ask(.execute(request), [null.raw, null.raw, null.raw]) else {
                    throw TestFailure("no start")
                }
                try Files.writeAll([], to: home.ends[0].raw)
                try keeper.demand(.signal(sandbox: "home", number: SIGKILL, wholeTree: false))
                #expect(try ended("home").status == .signaled(SIGKILL, coreDumped: false))
                #expect(try ended("inner").status == .signaled(SIGKILL, coreDumped: false))
                #expect(try keeper.refusal(.execute(request), [null.raw, null.raw, null.raw]).kind == .notFound)
            }
        }

        @Test func `after the end of the sandbox nothing is executed in it`() throws {
            _ = try keeper.start("exit 3", name: "over")
            _ = try keeper.end(of: "over")
            let null = try Files.open("/dev/null", O_RDWR)
            let failure = try keeper.refusal(
                .execute(ExecuteRequest(sandbox: "over", name: "x", call: .shell("true"))),
                [null.raw, null.raw, null.raw])
            #expect(failure.sentence == "over has ended")
        }

        @Test func `it may run as somebody else`() throws {
            let home = try home()
            let identity = Users.Identity(uid: 1234, gid: 99, groups: [7])
            #expect(
                try execute("id -u; id -g; id -G; grep CapEff /proc/self/status", identity: identity).output
                    == "1234\n99\n99 7\nCapEff:\t0000000000000000\n")
            let nobody = Users.Identity(uid: .max, gid: 0)
            #expect(throws: KeeperFailure.self) { try execute("id -u", identity: nobody) }
            _ = home
        }

        @Test func `it may have a terminal of the sandbox's own`() throws {
            let home = try home()
            let request = ExecuteRequest(
                sandbox: "home", name: "tty", call: .shell("tty; stty size; read x; echo got $x"),
                terminal: Terminal.Size(rows: 33, columns: 44))
            let (reply, ends) = try keeper.client.ask(.execute(request))
            guard case .started = reply else { throw TestFailure("\(reply)") }
            var text = ""
            while !text.contains("33 44\r\n") {
                let part = try Files.readSome(ends[0].raw, count: 1000)
                try #require(!part.isEmpty, "\(text)")
                text += String(decoding: part, as: UTF8.self)
            }
            // Typed before, its echo could come between a line and its end.
            try Files.writeAll(Array("word\n".utf8), to: ends[0].raw)
            while let part = try? Files.readSome(ends[0].raw, count: 1000), !part.isEmpty {
                text += String(decoding: part, as: UTF8.self)
            }
            #expect(text.contains("/dev/pts/0\r\n"))
            #expect(text.contains("33 44\r\n"))
            #expect(text.hasSuffix("got word\r\n"))
            #expect(try ended("tty").status.isSuccess)
            _ = home
        }

        @Test func `a failed execution names its step and leaves the sandbox alone`() throws {
            let home = try home()
            let null = try Files.open("/dev/null", O_RDWR)
            let before = try keeper.status().openDescriptors
            for _ in 0..<10 {
                let failure = try keeper.refusal(
                    .execute(ExecuteRequest(sandbox: "home", name: "bad", call: .program("/no/such"))),
                    [null.raw, null.raw, null.raw])
                #expect(failure.sentence.hasPrefix("execute /no/such: No such file"))
            }
            #expect(try keeper.status().openDescriptors == before)
            #expect(try execute("echo fine").output == "fine\n")
            _ = home
        }

        // Hostile sandboxes.

        @Test func `a sandbox whose programs may trace the machine's is not entered`() throws {
            let plan = SandboxPlan.with { $0.capabilities = Capabilities(names: ["SYS_PTRACE"])! }
            let home = try home(plan)
            let null = try Files.open("/dev/null", O_RDWR)
            let failure = try keeper.refusal(
                .execute(ExecuteRequest(sandbox: "home", name: "x", call: .shell("true"))),
                [null.raw, null.raw, null.raw])
            #expect(failure.sentence.contains("CAP_SYS_PTRACE"))
            _ = home
        }

        @Test func `CVE-2016-9962, CVE-2019-5736: a hostile root gets nothing of those who enter its sandbox`() throws {
            // With every capability that a container of Docker's has, and with all of
            // them, tracing included, in a user namespace.
            for change: (inout SandboxPlan) -> Void in [
                { $0.capabilities = .dockerDefault },
                {
                    $0.namespaces.insert(.user)
                    $0.capabilities = .all
                },
            ] {
                let plan = SandboxPlan.with(change)
                var started = try keeper.start(
                    StartRequest(
                        template: try keeper.define(plan), sandbox: "hostile",
                        call: .program("/usr/bin/perl", "-e", Attacker.program), stdio: .pipes))
                #expect(try Files.readSome(started.ends[1].raw, count: 3) == Array("up\n".utf8))
                let null = SharedFD(try Files.open("/dev/null", O_RDWR))
                for index in 0..<200 {
                    let request = ExecuteRequest(sandbox: "hostile", name: "x\(index)", call: .program("/bin/true"))
                    let reply = try keeper.ask(.execute(request), [null.raw, null.raw, null.raw])
                    guard case .started = reply else {
                        Issue.record("\(reply)")
                        continue
                    }
                    #expect(try ended("x\(index)").status.isSuccess)
                }
                started.ends[0] = null
                let lines = try started.text(1).split(separator: "\n").map(String.init)
                let tried = Int(lines.first?.split(separator: " ").last ?? "") ?? 0
                #expect(tried > 100, "\(lines)")
                #expect(lines.dropFirst().isEmpty, "\(lines)")
                _ = try ended("hostile")
            }
        }
    }
}
