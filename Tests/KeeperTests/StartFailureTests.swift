import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// Starts that fail, and children that are prepared ahead.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct StartFailures {
        let keeper: KeeperProcess
        let place: TemporaryDirectory
        init() throws {
            keeper = try KeeperProcess()
            place = try TemporaryDirectory("keepertest-failures")
        }

        private func cases() throws -> [(ProgramCall, String)] {
            try place.write("#!/no/such/interpreter\n", to: "bad", mode: 0o755)
            try place.write("no program\n", to: "text", mode: 0o755)
            try place.write("echo\n", to: "plain", mode: 0o644)
            let binary = "No such program, or its interpreter (the #! line or the dynamic linker) is missing."
            return [
                (
                    .program("/no/such/program"),
                    "execute /no/such/program: No such file or directory (ENOENT). \(binary)"
                ),
                (.program("/data/bad"), "execute /data/bad: No such file or directory (ENOENT). \(binary)"),
                (
                    .program("/data/plain"),
                    "execute /data/plain: Permission denied (EACCES). The file is not executable"
                ),
                (.program("/data/text"), "execute /data/text: Exec format error (ENOEXEC). The file is no program"),
                (.program("/data"), "execute /data: Permission denied (EACCES)"),
                (
                    .shell("true", directory: "/no/dir"),
                    "change directory to /no/dir: No such file or directory (ENOENT)"
                ),
                (
                    .shell("true", directory: "/etc/passwd"),
                    "change directory to /etc/passwd: Not a directory (ENOTDIR)"
                ),
            ]
        }

        private var plan: SandboxPlan { .with { $0.mounts = [Mount(.bind(place.path), at: "/data", readOnly: true)] } }

        @Test func `a start that fails leaves nothing behind`() throws {
            let template = try keeper.define(plan)
            let before = try keeper.status()
            for _ in 0..<20 {
                for (call, sentence) in try cases() {
                    let failure = try keeper.refusal(
                        .start(StartRequest(template: template, sandbox: "failing", call: call, stdio: .pipes)))
                    #expect(failure.sentence.hasPrefix(sentence), "\(failure)")
                    #expect(failure.kind == .system)
                }
            }
            let after = try keeper.status()
            #expect(try keeper.settles(atDescriptors: before.openDescriptors))
            #expect(after.running == 0)
            #expect(try keeper.list() == [])
            #expect(try childrenOfKeeper() == [])
            // The name is free again.
            #expect(try keeper.start("exit 4", in: plan, name: "failing").report.pid > 0)
            #expect(try keeper.end(of: "failing").status == .exited(4))
        }

        @Test func `a start with a terminal that fails leaves nothing behind`() throws {
            let template = try keeper.define(plan)
            let log = try Files.open(place.path, O_RDONLY | O_DIRECTORY)
            let before = try keeper.status().openDescriptors
            for _ in 0..<10 {
                let size = Terminal.Size(rows: 24, columns: 80)
                let failure = try keeper.refusal(
                    .start(
                        StartRequest(
                            template: template, sandbox: "t", call: .program("/no/such"), stdio: .terminal(size),
                            attached: true)),
                    [log.raw])
                #expect(failure.sentence.hasPrefix("execute /no/such"))
            }
            #expect(try keeper.settles(atDescriptors: before))
        }

        private func childrenOfKeeper() throws -> [String] {
            try Files.readText("/proc/\(keeper.pid)/task/\(keeper.pid)/children").split(separator: " ").map(String.init)
        }

        // Prepared children.

        private func untilPrepared(_ count: Int) async throws {
            try await eventually("\(count) prepared children") { try keeper.status().prepared == count }
        }

        @Test func `prepared children are taken and refilled`() async throws {
            let template = try keeper.define(SandboxPlan())
            try keeper.demand(.prepare(template: template, count: 3))
            try await untilPrepared(3)
            for index in 0..<10 {
                let started = try keeper.start("exit \(index)", name: "p\(index)")
                if index == 0 { #expect(started.report.wasPrepared) }
                #expect(try keeper.end(of: "p\(index)").status == .exited(Int32(index)))
            }
            // Refilling waits until half are taken.
            try await eventually { (2...3).contains(try keeper.status().prepared) }
        }

        @Test func `prepared children that are too many leave`() async throws {
            let template = try keeper.define(SandboxPlan())
            try keeper.demand(.prepare(template: template, count: 5))
            try await untilPrepared(5)
            try keeper.demand(.prepare(template: template, count: 1))
            #expect(try keeper.status().prepared == 1)
            #expect(try childrenOfKeeper().count == 1)
            try keeper.demand(.drop(template: template))
            #expect(try keeper.status().prepared == 0)
            #expect(try childrenOfKeeper() == [])
            #expect(try keeper.refusal(.prepare(template: template, count: 1)).kind == .notFound)
        }

        @Test func `prepared children that somebody killed are replaced`() async throws {
            let template = try keeper.define(SandboxPlan())
            try keeper.demand(.prepare(template: template, count: 3))
            try await untilPrepared(3)
            let first = try childrenOfKeeper()
            for pid in first { kill(Int32(pid)!, SIGKILL) }
            // Started right away, while the keeper may not know yet.
            let started = try keeper.start("echo fine", name: "after")
            #expect(try started.text(1) == "fine\n")
            // A death that is seen after the others were replaced leaves two: refilling waits until half are taken.
            try await eventually("others in their place") {
                try (2...3).contains(keeper.status().prepared) && Set(childrenOfKeeper()).isDisjoint(with: first)
            }
        }

        @Test func `a name is free after a start whose prepared child was killed`() async throws {
            let template = try keeper.define(SandboxPlan())
            for _ in 0..<10 {
                try keeper.demand(.prepare(template: template, count: 1))
                try await untilPrepared(1)
                // The keeper is stopped so that it finds the death and the request together.
                kill(keeper.pid, SIGSTOP)
                for pid in try childrenOfKeeper() { kill(Int32(pid)!, SIGKILL) }
                try keeper.client.send(
                    .start(StartRequest(template: template, sandbox: "same", call: .shell("exit 9"), stdio: .pipes)))
                kill(keeper.pid, SIGCONT)
                #expect(try keeper.end(of: "same").status == .exited(9))
                try keeper.demand(.acknowledge(sandbox: "same"))
                try keeper.demand(.prepare(template: template, count: 0))
            }
        }

        @Test func `dropping a template ends its waiting children and not its programs`() async throws {
            let template = try keeper.define(SandboxPlan())
            let started = try keeper.start("echo up; read x; exit 6", name: "stays")
            _ = try Files.readSome(started.ends[1].raw, count: 3)
            try keeper.demand(.prepare(template: template, count: 4))
            try await untilPrepared(4)
            try keeper.demand(.drop(template: template))
            #expect(try childrenOfKeeper() == ["\(started.report.pid)"])
            try Files.writeAll([10], to: started.ends[0].raw)
            #expect(try keeper.end(of: "stays").status == .exited(6))
        }

        @Test func `equal plans are one template`() throws {
            #expect(try keeper.define(SandboxPlan()) == keeper.define(SandboxPlan()))
            #expect(try keeper.define(SandboxPlan()) != keeper.define(.with { $0.umask = 0 }))
        }
    }
}
