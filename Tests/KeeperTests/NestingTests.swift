import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// Sandboxes beneath others.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Nestings {
        let keeper: KeeperProcess
        init() throws { keeper = try KeeperProcess() }

        /// What a sandbox beneath another is: root in a user namespace of its own, whose root is the machine's.
        private static let lower = SandboxPlan.with {
            $0.namespaces.insert(.user)
            $0.identityMap = IdentityMap(firstUserOutside: 0, firstGroupOutside: 0, count: 65_536)
            $0.usesInit = true
        }

        private static let holding = ProgramCall(
            path: SandboxPlan.initPath, arguments: [SandboxPlan.initPath, InitProgram.flag], environment: [])

        private func startUpper() throws -> Started {
            let started = try keeper.start("echo up; cat", name: "upper")
            #expect(try Files.readSome(started.ends[1].raw, count: 3) == Array("up\n".utf8))
            return started
        }

        private func startLower(_ name: String = "lower", _ plan: SandboxPlan = lower) throws -> Started {
            let null = try Files.open("/dev/null", O_RDWR)
            return try keeper.start(
                StartRequest(
                    template: try keeper.define(plan), sandbox: name, call: Self.holding, stdio: .passed, beneath: "upper"),
                [null.raw, null.raw, null.raw])
        }

        private func end(_ name: String) throws -> EndReport {
            let end = try keeper.end(of: name)
            try keeper.demand(.acknowledge(sandbox: name))
            return end
        }

        /// Executes a command in the upper sandbox.
        private func above(_ command: String) throws -> String {
            var pipe = try Files.pipe()
            let reader = pipe.takeReader()
            var writer: SharedFD? = SharedFD(pipe.takeWriter())
            let input = try Files.open("/dev/null", O_RDONLY)
            let request = ExecuteRequest(sandbox: "upper", name: "above", call: .shell(command))
            guard case .started = try keeper.ask(.execute(request), [input.raw, writer!.raw, writer!.raw]) else {
                throw TestFailure("nothing was executed")
            }
            writer = nil
            defer { _ = try? end("above") }
            return String(decoding: try Files.readAll(reader.raw), as: UTF8.self)
        }

        /// The pid of the sandbox beneath, as the upper one sees it.
        private let findLower = "p=$(grep -l '^NSpid:.*\t1$' /proc/[0-9]*/status | grep -v /proc/1/ | cut -d/ -f3)"

        @Test func `a program without capabilities enters the sandbox beneath its own, and nobody sees upwards`() throws {
            let upper = try startUpper()
            let lower = try startLower()
            #expect(lower.ends.count > 1, "a pidfd and the files of its cgroups")
            let view = "grep -E '^Cap(Prm|Eff)' /proc/self/status; readlink /proc/self/ns/net; ls -d /proc/[0-9]* | wc -l"
            let seen = try above("\(findLower); \(view); exec nsenter -t $p -U -m -n -i -u -C -p sh -c \"\(view)\"")
                .split(separator: "\n").map(String.init)
            try #require(seen.count == 8, "\(seen)")
            #expect(seen[0].hasSuffix("0000000000000000") && seen[1].hasSuffix("0000000000000000"))
            // Whoever enters a user namespace of his own has every right there, until he gives it away.
            #expect(seen[5].hasSuffix("ffffffffff"))
            #expect(seen[2] != seen[6])
            // The holder, a shell and what it starts.
            #expect(Int(seen[7]) ?? 99 < Int(seen[3]) ?? 0, "\(seen)")
            #expect(ProcessFD.pid(of: lower.ends[0].raw) == lower.report.pid)
            try keeper.demand(.signal(sandbox: "lower", number: SIGKILL, wholeTree: true))
            #expect(try end("lower").status == .signaled(SIGKILL, coreDumped: false))
            withExtendedLifetime(upper) {}
            try keeper.demand(.signal(sandbox: "upper", number: SIGKILL, wholeTree: true))
            _ = try end("upper")
        }

        @Test func `a sandbox beneath another ends with it`() throws {
            let upper = try startUpper()
            _ = try startLower()
            _ = try startLower("second")
            withExtendedLifetime(upper) {}
            try keeper.demand(.signal(sandbox: "upper", number: SIGKILL, wholeTree: false))
            for name in ["lower", "second", "upper"] {
                #expect(try end(name).status == .signaled(SIGKILL, coreDumped: false), "\(name)")
            }
        }

        @Test func `the cgroup of a sandbox beneath another is not used again`() throws {
            let upper = try startUpper()
            let first = try startLower()
            try keeper.demand(.signal(sandbox: "lower", number: SIGKILL, wholeTree: false))
            _ = try end("lower")
            let second = try startLower("second")
            for join in first.ends.dropFirst() {
                #expect(throws: (any Error).self) { try Files.writeAll(Array("0".utf8), to: join.raw) }
            }
            withExtendedLifetime((upper, second)) {}
            try keeper.demand(.signal(sandbox: "upper", number: SIGKILL, wholeTree: false))
            for name in ["second", "upper"] { _ = try end(name) }
        }

        @Test func `a sandbox beneath another needs namespaces of its own`() throws {
            let upper = try startUpper()
            for missing: Namespaces in [.user, .pid] {
                let plan = SandboxPlan.with {
                    $0 = Self.lower
                    $0.namespaces.remove(missing)
                }
                #expect(throws: KeeperFailure.self) { try startLower("lower", plan) }
            }
            try keeper.demand(.freeze(sandbox: "upper"))
            #expect(throws: KeeperFailure.self) { try startLower() }
            try keeper.demand(.thaw(sandbox: "upper"))
            withExtendedLifetime(upper) {}
            try keeper.demand(.signal(sandbox: "upper", number: SIGKILL, wholeTree: false))
            _ = try end("upper")
            #expect(throws: KeeperFailure.self) { try startLower() }
        }
    }
}
