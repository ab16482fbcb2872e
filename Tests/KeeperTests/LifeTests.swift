import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// From the start of a program to its end.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Life {
        let keeper: KeeperProcess
        init() throws { keeper = try KeeperProcess() }

        @Test func `every exit status arrives`() throws {
            for status in stride(from: 0, through: 255, by: 17) {
                #expect(try keeper.shell("exit \(status)").end.status == .exited(Int32(status)))
            }
        }

        @Test func `death by signal arrives as such`() throws {
            for signal in [SIGKILL, SIGTERM, SIGHUP, SIGUSR1] {
                let started = try keeper.start(
                    "exec perl -e 'print \"up\\n\"; close STDOUT; "
                        + "$SIG{TERM} = $SIG{HUP} = $SIG{USR1} = \"DEFAULT\"; sleep 60'",
                    in: .unisolated, name: "victim")
                _ = try Files.readAll(started.ends[1].raw)
                try keeper.demand(.signal(sandbox: "victim", number: signal, wholeTree: false))
                #expect(try keeper.end(of: "victim").status == .signaled(signal, coreDumped: false))
                try keeper.demand(.acknowledge(sandbox: "victim"))
            }
        }

        @Test func `usage figures are plausible`() throws {
            let (_, end) = try keeper.run(
                .program("/usr/bin/perl", "-e", "$x = 'x' x (20 << 20); for (1..300000) { $y += $_ }"))
            #expect(end.usage.cpuMicroseconds > 1000)
            #expect((20 << 20...200 << 20).contains(end.usage.peakResidentBytes), "\(end.usage)")
            #expect(end.usage.minorFaults > 1000)
            #expect(end.endedAt.nanoseconds > 1_700_000_000_000_000_000)
            let cpu = try #require(end.cgroup?.cpuMicroseconds)
            #expect(cpu >= end.usage.cpuMicroseconds / 2)
        }

        @Test func `the first process of a sandbox hears signals that it handles`() throws {
            let started = try keeper.start(
                "trap 'echo got; exit 5' TERM; echo up; while :; do sleep 0.02; done", name: "polite")
            #expect(try Files.readSome(started.ends[1].raw, count: 3) == Array("up\n".utf8))
            try keeper.demand(.signal(sandbox: "polite", number: SIGTERM, wholeTree: false))
            #expect(try started.text(1) == "got\n")
            #expect(try keeper.end(of: "polite").status == .exited(5))
        }

        @Test func `a program that ignores SIGTERM ends by SIGKILL`() throws {
            let started = try keeper.start("trap '' TERM; echo up; while :; do sleep 0.02; done", name: "stubborn")
            _ = try Files.readSome(started.ends[1].raw, count: 3)
            try keeper.demand(.signal(sandbox: "stubborn", number: SIGTERM, wholeTree: true))
            guard case .usage = try keeper.ask(.usage(sandbox: "stubborn")) else { throw TestFailure("it ended") }
            try keeper.demand(.signal(sandbox: "stubborn", number: SIGKILL, wholeTree: true))
            #expect(try keeper.end(of: "stubborn").status == .signaled(SIGKILL, coreDumped: false))
        }

        @Test func `a signal to the whole tree reaches every process, without a pid namespace, too`() throws {
            let command =
                "trap 'wait; exit 0' USR1; "
                + "for i in 1 2 3 4 5; do sh -c 'trap \"echo child; exit\" USR1; echo up; "
                + "while :; do sleep 0.02; done' & done; wait; wait"
            let started = try keeper.start(command, in: .unisolated, name: "tree")
            var text = ""
            while text.split(separator: "\n").count < 5 {
                text += String(decoding: try Files.readSome(started.ends[1].raw, count: 100), as: UTF8.self)
            }
            try keeper.demand(.signal(sandbox: "tree", number: SIGUSR1, wholeTree: true))
            #expect(try started.text(1) == String(repeating: "child\n", count: 5))
            #expect(try keeper.end(of: "tree").status.isSuccess)
        }

        @Test func `a frozen sandbox stands still until it is thawed`() throws {
            let started = try keeper.start("echo up; while read x; do echo $x; done", name: "ice")
            _ = try Files.readSome(started.ends[1].raw, count: 3)
            try keeper.demand(.freeze(sandbox: "ice"))
            #expect(try keeper.list().first?.isFrozen == true)
            try Files.writeAll(Array("one\n".utf8), to: started.ends[0].raw)
            #expect(try Descriptors.isReadable(started.ends[1].raw, withinMilliseconds: 100) == false)
            let refused = try keeper.refusal(
                .execute(
                    ExecuteRequest(
                        sandbox: "ice", name: "e", call: .shell("true"), terminal: Terminal.Size(rows: 1, columns: 1))))
            #expect(refused.sentence == "execute in ice: it is frozen. Thaw it first.")
            try keeper.demand(.thaw(sandbox: "ice"))
            #expect(try Files.readSome(started.ends[1].raw, count: 4) == Array("one\n".utf8))
            #expect(try keeper.list().first?.isFrozen == false)
        }

        @Test func `after a sandbox was killed the next of its plan starts as any other`() throws {
            for round in 0..<4 {
                let started = try keeper.start("echo up; read x", name: "round\(round)")
                #expect(try Files.readSome(started.ends[1].raw, count: 3) == Array("up\n".utf8))
                try keeper.demand(.signal(sandbox: "round\(round)", number: SIGKILL, wholeTree: true))
                #expect(try keeper.end(of: "round\(round)").status == .signaled(SIGKILL, coreDumped: false))
            }
        }

        @Test func `a frozen sandbox can be killed`() throws {
            let started = try keeper.start("echo up; read x", name: "ice")
            _ = try Files.readSome(started.ends[1].raw, count: 3)
            try keeper.demand(.freeze(sandbox: "ice"))
            try keeper.demand(.signal(sandbox: "ice", number: SIGKILL, wholeTree: true))
            #expect(try keeper.end(of: "ice").status == .signaled(SIGKILL, coreDumped: false))
        }

        @Test func `children that outlive their program are ended with it`() throws {
            for plan in [SandboxPlan(), .unisolated] {
                let (output, end) = try keeper.shell(
                    "setsid sleep 300 >/dev/null 2>&1 & "
                        + "setsid sh -c 'sleep 300 & sleep 300' >/dev/null 2>&1 & echo left",
                    in: plan)
                #expect(output == "left\n")
                #expect(end.status.isSuccess)
            }
        }

        @Test func `names are letters, digits and a few signs, and one program's at a time`() throws {
            let template = try keeper.define(SandboxPlan())
            func start(_ name: String, _ template: UInt32) -> KeeperRequest {
                .start(StartRequest(template: template, sandbox: name, call: .shell("read x"), stdio: .pipes))
            }
            for name in ["", ".", "..", ".hidden", "a/b", "a b", "ä", String(repeating: "x", count: 129), "a\n"] {
                let failure = try keeper.refusal(start(name, template))
                #expect(failure.kind == .badRequest, "\(name)")
            }
            guard case .started = try keeper.ask(start(String(repeating: "x", count: 128), template)) else {
                throw TestFailure("a long name was refused")
            }
            let (first, ends) = try keeper.client.ask(start("A-z_0.9", template))
            guard case .started = first else { throw TestFailure("\(first)") }
            #expect(try keeper.refusal(start("A-z_0.9", template)).kind == .conflict)
            _ = ends
            try keeper.demand(.signal(sandbox: "A-z_0.9", number: SIGKILL, wholeTree: true))
            _ = try keeper.end(of: "A-z_0.9")
            // Until its end is acknowledged the name stands for it.
            #expect(try keeper.refusal(start("A-z_0.9", template)).kind == .conflict)
            try keeper.demand(.acknowledge(sandbox: "A-z_0.9"))
            #expect(try keeper.refusal(start("A-z_0.9", 99)).kind == .notFound)
            let again = try keeper.ask(start("A-z_0.9", template))
            guard case .started = again else { throw TestFailure("not free: \(again)") }
        }

        @Test func `requests about nothing say so`() throws {
            let requests: [KeeperRequest] = [
                .signal(sandbox: "no", number: 9, wholeTree: false), .freeze(sandbox: "no"), .thaw(sandbox: "no"),
                .usage(sandbox: "no"), .acknowledge(sandbox: "no"), .attach(sandbox: "no"), .drop(template: 7),
                .prepare(template: 7, count: 1), .resize(sandbox: "no", Terminal.Size(rows: 1, columns: 1)),
            ]
            for request in requests { #expect(try keeper.refusal(request).kind == .notFound, "\(request)") }
            let template = try keeper.define(SandboxPlan())
            #expect(try keeper.refusal(.prepare(template: template, count: .max)).kind == .badRequest)
        }

        @Test func `a wrong number of descriptors is refused`() throws {
            let template = try keeper.define(SandboxPlan())
            let null = try Files.open("/dev/null", O_RDWR)
            for (streams, count) in [
                (StandardStreams.passed, 2), (.passed, 4), (.logged, 1), (.pipes, 1),
                (.terminal(Terminal.Size(rows: 1, columns: 1)), 0),
            ] {
                let failure = try keeper.refusal(
                    .start(StartRequest(template: template, sandbox: "x", call: .shell("true"), stdio: streams)),
                    [CInt](repeating: null.raw, count: count))
                #expect(
                    failure.sentence == "start x: \(streams.descriptorCount) descriptors were expected, \(count) came")
            }
            #expect(try keeper.list() == [])
        }

        @Test func `a hundred thousand arguments and a large environment arrive`() throws {
            let arguments = StringBlock(
                ["perl", "-e", "print scalar(@ARGV), ' ', length($ENV{BIG0}) + length($ENV{BIG15})"]
                    + (0..<100_000).map(String.init))
            let environment = StringBlock((0..<16).map { "BIG\($0)=" + String(repeating: "e", count: 100_000) })
            let plan = SandboxPlan.with { $0.resourceLimits = [ResourceLimit(.stackBytes, soft: 64 << 20, hard: nil)] }
            let (output, _) = try keeper.run(
                ProgramCall(path: "/usr/bin/perl", arguments: arguments, environment: environment), in: plan)
            #expect(output == "100000 200000")
        }

        @Test func `arguments that are too long for the kernel are a clear error`() throws {
            let call = ProgramCall(
                path: "/bin/true", arguments: StringBlock(["true", String(repeating: "x", count: 200_000)]),
                environment: [])
            let failure = #expect(throws: KeeperFailure.self) { try keeper.run(call) }
            #expect(
                failure?.sentence.hasPrefix(
                    "execute /bin/true: Argument list too long (E2BIG). Arguments and environment") == true)
        }

        @Test func `a long message in a memory file that is not sealed is refused`() throws {
            let client = try KeeperClient(keeper.socketPath)
            _ = try client.hello()
            let file = try Files.open(keeper.run.path("unsealed"), O_RDWR | O_CREAT, mode: 0o600)
            try Files.writeAll(KeeperRequest.list.encoded(number: 2), to: file.raw)
            try client.socket.send(KeeperProtocol.inMemoryFile, descriptors: [file.raw])
            let answer = try #require(try client.receive())
            guard case .failed(let failure) = answer.reply else { throw TestFailure("\(answer)") }
            #expect(failure.kind == .protocolError)
            #expect(failure.sentence.contains("must be sealed"))
            #expect(try client.receive() == nil)
            // The others are served on.
            #expect(try keeper.list() == [])
        }

        @Test func `two hundred starts at once all succeed`() throws {
            let template = try keeper.define(SandboxPlan())
            let null = try Files.open("/dev/null", O_RDWR)
            for index in 0..<200 {
                try keeper.client.send(
                    .start(
                        StartRequest(
                            template: template, sandbox: "many-\(index)", call: .shell("exit \(index % 50)"),
                            stdio: .passed)),
                    [null.raw, null.raw, null.raw])
            }
            for index in 0..<200 {
                #expect(try keeper.end(of: "many-\(index)").status == .exited(Int32(index % 50)))
            }
            var started = 0
            for event in keeper.client.events { if case .started = event { started += 1 } }
            #expect(started == 200)
        }
    }
}
