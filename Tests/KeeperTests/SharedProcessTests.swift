import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// Sandboxes in one pid namespace.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct SharedProcesses {
        let keeper: KeeperProcess
        init() throws { keeper = try KeeperProcess() }

        private static let among = SandboxPlan.with {
            $0.namespaces.remove(.pid)
            $0.isProcessesGiven = true
        }

        /// The sandbox whose pid namespace it is.
        private func startOwner() throws -> Started {
            let null = try Files.open("/dev/null", O_RDWR)
            let plan = SandboxPlan.with { $0.usesInit = true }
            let call = ProgramCall(
                path: SandboxPlan.initPath, arguments: [SandboxPlan.initPath, InitProgram.flag], environment: [])
            return try keeper.start(
                StartRequest(template: try keeper.define(plan), sandbox: "owner", call: call, stdio: .passed),
                [null.raw, null.raw, null.raw])
        }

        private func start(
            _ name: String, _ call: ProgramCall, _ plan: SandboxPlan = among
        ) throws -> Started {
            try keeper.start(
                StartRequest(
                    template: try keeper.define(plan), sandbox: name, call: call, stdio: .pipes, among: "owner"))
        }

        /// Asks again, as a node does, while a tracer does not stand still: the keeper waits for a tenth of a second.
        private func startPatiently(_ name: String, _ call: ProgramCall) async throws -> Started {
            try await eventuallySome("the start of \(name)") {
                do { return try start(name, call) } catch let failure as KeeperFailure where failure.isMomentary {
                    return nil
                }
            }
        }

        private func ended(_ name: String) throws -> EndReport {
            let end = try keeper.end(of: name)
            try keeper.demand(.acknowledge(sandbox: name))
            return end
        }

        @Test func `sandboxes in one pid namespace end alone, and all with the one whose it is`() async throws {
            let owner = try startOwner()
            let first = try start("first", .shell("sleep 777 & echo up; cat; exit 3"))
            var second = try start("second", .shell("echo up; cat"))
            for started in [first, second] {
                #expect(try Files.readSome(started.ends[1].raw, count: 3) == Array("up\n".utf8))
            }
            let seen = try start(
                "look", .shell("readlink /proc/1/exe; cat /proc/[0-9]*/cmdline | tr '\\0' ' '; echo; echo $$"))
            let text = try seen.text(1)
            #expect(text.contains("/dev/init --init") && text.contains("sleep 777"), "\(text)")
            #expect(text.split(separator: "\n").last.flatMap { Int($0) } ?? 0 > 3, "none but the owner's is process 1")
            #expect(try ended("look").status == .exited(0))

            // What one has left behind ends with it; the others do not.
            try keeper.demand(.signal(sandbox: "first", number: SIGKILL, wholeTree: false))
            #expect(try ended("first").status == .signaled(SIGKILL, coreDumped: false))
            // It was sent SIGKILL before the end was told, and dies of it when it next gets a processor.
            try await eventually("what the first one has left behind is gone") {
                let again = try start("first", .shell("cat /proc/[0-9]*/cmdline | tr '\\0' ' '"))
                let seen = try again.text(1)
                #expect(try ended("first").status == .exited(0))
                return !seen.contains("sleep 777")
            }
            // Another program in it sees the same.
            var pipe = try Files.pipe()
            let reader = pipe.takeReader()
            var writer: SharedFD? = SharedFD(pipe.takeWriter())
            let null = try Files.open("/dev/null", O_RDONLY)
            let request = ExecuteRequest(sandbox: "second", name: "x", call: .shell("cat /proc/1/cmdline"))
            let reply = try keeper.ask(.execute(request), [null.raw, writer!.raw, writer!.raw])
            writer = nil
            guard case .started = reply else { throw TestFailure("\(reply)") }
            #expect(try Files.readAll(reader.raw).starts(with: "/dev/init".utf8))
            #expect(try ended("x").status == .exited(0))

            try keeper.demand(.signal(sandbox: "owner", number: SIGKILL, wholeTree: true))
            #expect(try ended("owner").status == .signaled(SIGKILL, coreDumped: false))
            #expect(try ended("second").status == .signaled(SIGKILL, coreDumped: false))
            second.ends = []
            withExtendedLifetime(owner) {}
        }

        @Test func `a place among others that does not fit the plan is refused`() throws {
            let null = try Files.open("/dev/null", O_RDWR)
            func refusal(_ plan: SandboxPlan, among: String?) throws -> String {
                let request = StartRequest(
                    template: try keeper.define(plan), sandbox: "x", call: .shell("true"), stdio: .passed, among: among)
                return try keeper.refusal(.start(request), [null.raw, null.raw, null.raw]).sentence
            }
            #expect(try refusal(Self.among, among: nil).contains("no sandbox was named"))
            #expect(try refusal(Self.among, among: "nobody").contains("nothing runs under the name nobody"))
            _ = try startOwner()
            #expect(try refusal(SandboxPlan(), among: "owner").contains("has no given pid namespace"))
            let template = try keeper.define(Self.among)
            #expect(
                try keeper.refusal(.prepare(template: template, count: 1)).sentence.contains("known at their start"))
            var both = Self.among
            both.namespaces.insert(.pid)
            #expect(try keeper.refusal(.define(both)).sentence.contains("given pid namespace"))
        }

        @Test func `who could trace a child on its way stands still until it is a program`() async throws {
            let owner = try startOwner()
            var plan = Self.among
            plan.capabilities = Capabilities(names: ["SYS_PTRACE"])!
            var tracer = try start("tracer", .program("/usr/bin/perl", "-e", Attacker.program), plan)
            #expect(try Files.readSome(tracer.ends[1].raw, count: 3) == Array("up\n".utf8))
            for index in 0..<100 {
                let started = try await startPatiently("x\(index)", .program("/bin/true"))
                #expect(try ended("x\(index)").status.isSuccess)
                withExtendedLifetime(started) {}
            }
            // Who is to enter the tracer's own cgroup would have to stand still, too.
            let null = SharedFD(try Files.open("/dev/null", O_RDWR))
            let request = ExecuteRequest(sandbox: "tracer", name: "y", call: .program("/bin/true"))
            #expect(
                try keeper.refusal(.execute(request), [null.raw, null.raw, null.raw]).sentence.contains(
                    "CAP_SYS_PTRACE"))
            tracer.ends[0] = null
            let lines = try tracer.text(1).split(separator: "\n").map(String.init)
            #expect(Int(lines.first?.split(separator: " ").last ?? "") ?? 0 > 100, "\(lines)")
            #expect(!lines.contains { $0.contains("keeper") }, "\(lines)")
            _ = try ended("tracer")
            withExtendedLifetime(owner) {}
        }

        @Test func `the privileged have the machine's devices and cgroups, and can be entered`() throws {
            let every = try Capabilities.permitted()
            let plan = SandboxPlan.with {
                $0.isPrivileged = true
                $0.capabilities = every
                $0.noNewPrivileges = false
                $0.maskedPaths = []
                $0.readOnlyPaths = []
                $0.showsSysfs = true
                $0.namespaces.remove(.cgroup)
            }
            let started = try keeper.start("echo up; cat", in: plan, name: "mighty")
            #expect(try Files.readSome(started.ends[1].raw, count: 3) == Array("up\n".utf8))
            var pipe = try Files.pipe()
            let reader = pipe.takeReader()
            var writer: SharedFD? = SharedFD(pipe.takeWriter())
            let null = try Files.open("/dev/null", O_RDONLY)
            let look = """
                grep CapEff /proc/self/status; test -w /proc/sys/kernel/hostname && echo proc; touch /dev/x && echo dev
                grep -c ' /sys sysfs rw' /proc/mounts; find /dev -type c -o -type b | grep -v ^/dev/pts | sort | tr '\\n' ' '
                """
            let request = ExecuteRequest(sandbox: "mighty", name: "look", call: .shell(look))
            let reply = try keeper.ask(.execute(request), [null.raw, writer!.raw, writer!.raw])
            writer = nil
            guard case .started = reply else { throw TestFailure("\(reply)") }
            let lines = String(decoding: try Files.readAll(reader.raw), as: UTF8.self).split(separator: "\n").map(
                String.init)
            _ = try ended("look")
            try #require(lines.count == 5, "\(lines)")
            #expect(
                lines[0].hasSuffix(String(every.rawValue, radix: 16)) && lines[1...3] == ["proc", "dev", "1"],
                "\(lines)")
            let devices = Set(lines[4].split(separator: " ").map(String.init))
            #expect(devices.isSuperset(of: ["/dev/null", "/dev/tty"]))
            for name in try Files.list("/dev") {
                guard let kind = try? Files.status("/dev/\(name)", followLinks: false).kind else { continue }
                guard kind == .characterDevice || kind == .blockDevice, name != "console", name != "ptmx" else {
                    continue
                }
                #expect(devices.contains("/dev/\(name)"), "\(name)")
            }
        }
    }
}
