import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// Nodes that come and go, and keepers that end.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Nodes {
        @Test func `a node that comes back finds what runs and what has ended`() throws {
            let keeper = try KeeperProcess()
            let place = try TemporaryDirectory("keepertest-node")
            let log = try Files.open(place.path, O_RDONLY | O_DIRECTORY)
            let input = try Files.pipe().ends()
            let running = try keeper.start(
                "echo begun; read x; echo more; exit 8", name: "runs", streams: .logged, [input.reader.raw, log.raw])
            _ = try keeper.start("exit 5", name: "ended")
            let generation = keeper.identity.generation
            try keeper.reconnect()
            // It goes on while no node looks, and its output is kept.
            #expect(try keeper.end(of: "ended").status == .exited(5))
            #expect(try keeper.list().map(\.sandbox).sorted() == ["ended", "runs"])
            #expect(try keeper.list().first { $0.sandbox == "runs" }?.start == running.report)
            try Files.writeAll([10], to: input.writer.raw)
            #expect(try keeper.end(of: "runs").status == .exited(8))
            // Not acknowledged: told again, and again.
            for _ in 0..<3 {
                try keeper.reconnect()
                #expect(try keeper.end(of: "runs").status == .exited(8))
                #expect(try keeper.end(of: "ended").status == .exited(5))
            }
            #expect(keeper.identity.generation == generation)
            for name in ["runs", "ended"] { try keeper.demand(.acknowledge(sandbox: name)) }
            try keeper.reconnect()
            #expect(try keeper.list() == [])
            #expect(keeper.client.events == [])
            let text = String(decoding: try Files.read(place.path("log")), as: UTF8.self)
            #expect(text.split(separator: "\n").map { $0.split(separator: " ").last } == ["begun", "more"])
        }

        @Test func `a node that vanishes in the middle of a start leaves a program that is known, or none`() throws {
            let keeper = try KeeperProcess()
            let template = try keeper.define(SandboxPlan())
            for index in 0..<30 {
                let client = try KeeperClient(keeper.socketPath)
                _ = try client.hello()
                try client.send(
                    .start(
                        StartRequest(template: template, sandbox: "s\(index)", call: .shell("exit 6"), stdio: .pipes)))
                // Gone with the connection before any answer.
            }
            // Whatever became of it: it is known by its name, or the name is free.
            for index in 0..<30 {
                do { _ = try keeper.start("exit 7", name: "s\(index)") } catch let failure as KeeperFailure {
                    #expect(failure.kind == .conflict)
                    #expect(try keeper.end(of: "s\(index)").status == .exited(6))
                    continue
                }
                #expect(try keeper.end(of: "s\(index)").status == .exited(7))
            }
            #expect(try keeper.list().count == 30)
        }

        @Test func `two nodes hear of every end`() throws {
            let keeper = try KeeperProcess()
            let other = try KeeperClient(keeper.socketPath)
            _ = try other.hello()
            _ = try keeper.start("exit 1", name: "both")
            #expect(try keeper.end(of: "both").status == .exited(1))
            #expect(try other.end(of: "both").status == .exited(1))
        }

        @Test func `a node that speaks nonsense is cut off and the others go on`() throws {
            let keeper = try KeeperProcess()
            var chance = SeededChance(seed: 23)
            for round in 0..<300 {
                let client = try KeeperClient(keeper.socketPath)
                var bytes = chance.bytes(200)
                // A header that is right leads further in; never the request that ends the keeper.
                if round % 3 != 0, bytes.count > 1 {
                    bytes[0] = KeeperProtocol.version
                    bytes[1] = UInt8(1 + round % (SeededChance.requestKinds - 1))
                }
                guard !bytes.isEmpty else { continue }
                try client.socket.send(bytes)
                _ = try? client.receive()
            }
            #expect(try keeper.list() == [])
            #expect(try keeper.status().running == 0)
        }

        @Test func `no plan whatever ends the keeper`() throws {
            let keeper = try KeeperProcess()
            var chance = SeededChance(seed: 29)
            for _ in 0..<200 {
                var plan = chance.plan()
                // Half of the time something near to what would work.
                if chance.flip() {
                    plan.namespaces = chance.flip() ? .standard : Namespaces.standard.union(.user)
                    plan.root = .host
                    plan.limits = .none
                    plan.umask = 0
                    plan.temporaryBytes = chance.flip() ? 1 : 1 << 40
                    plan.sharedMemoryBytes = max(1, plan.sharedMemoryBytes)
                    plan.hostname = "x"
                    plan.identity.uid = 0
                }
                let reply = try keeper.ask(.define(plan))
                if case .template(let number) = reply {
                    let started = try keeper.ask(
                        .start(StartRequest(template: number, sandbox: "any", call: .shell("exit"), stdio: .pipes)))
                    if case .started = started {
                        _ = try keeper.end(of: "any")
                        try keeper.demand(.acknowledge(sandbox: "any"))
                    }
                    try keeper.demand(.drop(template: number))
                }
            }
            #expect(try keeper.shell("echo fine").output == "fine\n")
        }

        @Test func `a node that does not read is cut off and the others go on`() throws {
            let keeper = try KeeperProcess()
            for index in 0..<20 { _ = try keeper.start("exit", name: "\(index)-" + String(repeating: "n", count: 100)) }
            let before = try keeper.status().residentBytes
            let deaf = try KeeperClient(keeper.socketPath)
            _ = try deaf.hello()
            try Files.setNonBlocking(deaf.socket.fd.raw)
            var isCut = false
            for _ in 0..<2_000_000 where !isCut {
                do { try deaf.send(.list) } catch let error as SystemError {
                    if error.code != .again { isCut = true }
                }
                // Another is served meanwhile.
                if Int.random(in: 0..<2000) == 0 { #expect(try keeper.status().templates == 1) }
            }
            #expect(isCut)
            #expect(try keeper.status().residentBytes < before + (40 << 20))
        }

        @Test func `a killed keeper takes its programs along and the next one cleans up`() async throws {
            let keeper = try KeeperProcess()
            let template = try keeper.define(SandboxPlan())
            try keeper.demand(.prepare(template: template, count: 3))
            let started = try keeper.start("sh -c 'sleep 301 & sleep 301' & echo up; sleep 301", name: "along")
            let leaver = try keeper.start("setsid sleep 301 & echo up; sleep 301", in: .unisolated, name: "leaver")
            for one in [started, leaver] {
                #expect(try Files.readSome(one.ends[1].raw, count: 3) == Array("up\n".utf8))
            }
            keeper.crash()
            for one in [started, leaver] {
                // Whoever adopted it reaps it in its own time.
                try await eventually("process \(one.report.pid) is gone") { kill(one.report.pid, 0) == -1 }
            }
            // Its directory tells the next one which cgroups were its own: what escaped the death signal is in them.
            let next = try KeeperProcess(in: keeper.run)
            #expect(next.identity.generation != keeper.identity.generation)
            #expect(try next.list() == [])
            #expect(try next.shell("echo again").output == "again\n")
        }

        @Test func `a keeper that is told to terminate ends everything and keeps the last words`() throws {
            let keeper = try KeeperProcess()
            let place = try TemporaryDirectory("keepertest-last")
            let log = try Files.open(place.path, O_RDONLY | O_DIRECTORY)
            let null = try Files.open("/dev/null", O_RDWR)
            let template = try keeper.define(SandboxPlan())
            try keeper.demand(.prepare(template: template, count: 2))
            let started = try keeper.start(
                "echo word; sleep 300", name: "talks", streams: .logged, attached: true, [null.raw, log.raw])
            _ = try Files.readSome(started.ends[0].raw, count: 5)
            keeper.terminate()
            #expect(kill(started.report.pid, 0) == -1)
            #expect(String(decoding: try Files.read(place.path("log")), as: UTF8.self).hasSuffix("stdout F word\n"))
            #expect(!Files.exists(keeper.socketPath))
        }

        @Test func `a keeper with programs ends only when it may kill them`() throws {
            let keeper = try KeeperProcess()
            let started = try keeper.start("read x; exit 2", name: "busy")
            let failure = try keeper.refusal(.shutdown(killing: false))
            #expect(failure.kind == .conflict)
            #expect(failure.sentence.contains("1 programs run") || failure.sentence.contains("1 program runs"))
            try Files.writeAll([10], to: started.ends[0].raw)
            #expect(try keeper.end(of: "busy").status == .exited(2))
        }

        @Test func `a second keeper for the same directory is refused`() throws {
            let keeper = try KeeperProcess()
            var pipe = try Files.pipe()
            let reader = pipe.takeReader()
            var writer: SharedFD? = SharedFD(pipe.takeWriter())
            let pid = try KeeperProcess.launch(
                ["--socket", keeper.socketPath, "--run", keeper.run.path], errors: writer!.raw)
            writer = nil
            let text = String(decoding: try Files.readAll(reader.raw), as: UTF8.self)
            #expect(text.hasPrefix("forkless-keeper: be the keeper of \(keeper.run.path): "), "\(text)")
            #expect(KeeperProcess.wait(for: pid))
            #expect(try keeper.shell("echo fine").output == "fine\n")
        }

        @Test(arguments: [
            ["--nonsense"], ["--socket"], ["--socket", "/x"], ["--connection", "x"], ["--connection", "7"],
        ])
        func `a wrong command line says what is wrong and how it would be right`(arguments: [String]) throws {
            var pipe = try Files.pipe()
            let reader = pipe.takeReader()
            var writer: SharedFD? = SharedFD(pipe.takeWriter())
            let pid = try KeeperProcess.launch(arguments, errors: writer!.raw)
            writer = nil
            let text = String(decoding: try Files.readAll(reader.raw), as: UTF8.self)
            #expect(text.hasPrefix("forkless-keeper: ") && text.contains("\nusage: forkless-keeper "), "\(text)")
            #expect(KeeperProcess.wait(for: pid))
        }

        @Test func `the keeper does not grow with the number of starts`() throws {
            let keeper = try KeeperProcess()
            let template = try keeper.define(SandboxPlan())
            let null = try Files.open("/dev/null", O_RDWR)
            func starts(_ count: Int) throws {
                for index in 0..<count {
                    let request = StartRequest(
                        template: template, sandbox: "g\(index)", call: .program("/bin/true"), stdio: .passed)
                    guard case .started = try keeper.ask(.start(request), [null.raw, null.raw, null.raw]) else {
                        throw TestFailure("no start")
                    }
                    _ = try keeper.end(of: "g\(index)")
                    try keeper.demand(.acknowledge(sandbox: "g\(index)"))
                }
            }
            try starts(100)
            let early = try keeper.status()
            try starts(400)
            let late = try keeper.status()
            #expect(late.starts == 500)
            #expect(try keeper.settles(atDescriptors: 0...early.openDescriptors + 2), "\(early) \(late)")
            #expect(
                late.residentBytes <= early.residentBytes + (1 << 20), "\(early.residentBytes) \(late.residentBytes)")
        }

        @Test func `the socket is for its owner only`() throws {
            let keeper = try KeeperProcess()
            #expect(try Files.status(keeper.socketPath).permissions == 0o600)
        }

        @Test func `nobody may trace the keeper or read its memory`() throws {
            let keeper = try KeeperProcess()
            // What is not dumpable belongs to root whoever runs it (proc(5)).
            let (output, _) = try keeper.shell("cat /proc/1/comm")
            #expect(output == "sh\n" || output == "cat\n")
            #expect(try Files.readText("/proc/\(keeper.pid)/status").contains("CoreDumping:\t0"))
        }
    }
}
