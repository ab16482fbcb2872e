import Glibc
import Keeper
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

extension KeeperSuites {
    /// What a sandbox may use, and what becomes of one that wants more.
    @TestThread @Suite(.serialized, .leavesNothingOfItsKeepers) struct Limits {
        let keeper: KeeperProcess
        init() throws { keeper = try KeeperProcess() }

        @Test func `a program that outgrows its memory is killed and reported as such`() throws {
            let plan = SandboxPlan.with { $0.limits.memoryBytes = 32 << 20 }
            let (output, end) = try keeper.run(
                .program(
                    "/usr/bin/perl", "-e",
                    "$| = 1; print \"begun\\n\"; $n = 256 << 20; $x = \"x\" x $n; print \"still here\\n\""), in: plan)
            #expect(output == "begun\n")
            #expect(end.status == .signaled(SIGKILL, coreDumped: false))
            #expect(end.outOfMemory)
            let usage = try #require(end.cgroup)
            #expect((usage.outOfMemoryKills ?? 0) > 0)
            #expect((usage.memoryPeakBytes ?? 0) > 16 << 20)
            #expect((usage.memoryPeakBytes ?? .max) <= 33 << 20)
        }

        @Test func `a program that was killed by a signal did not run out of memory`() throws {
            let plan = SandboxPlan.with { $0.limits.memoryBytes = 32 << 20 }
            let (_, end) = try keeper.shell("kill -9 $$ || sh -c 'exit 3'; exit 3", in: plan)
            #expect(end.status == .exited(3))
            #expect(!end.outOfMemory)
        }

        @Test func `a fork bomb stops at the limit and the machine goes on`() throws {
            let plan = SandboxPlan.with { $0.limits.pids = 20 }
            // Bounded by itself as well, should the limit not hold.
            let bomb = """
                $| = 1; $n = 0;
                for (1..200) {
                  $p = fork(); if (!defined $p) { print "refused: $!\\n"; last }
                  if (!$p) { sleep 60; exit } $n++
                }
                print "$n\\n"
                """
            let (output, end) = try keeper.run(.program("/usr/bin/perl", "-e", bomb), in: plan)
            #expect(output == "refused: Resource temporarily unavailable\n19\n")
            #expect(end.status == .exited(0))
            #expect(try keeper.shell("echo fine", in: plan).output == "fine\n")
        }

        @Test func `limits change while a sandbox runs, and are lifted with its end`() throws {
            let plan = SandboxPlan.with { $0.limits = CgroupLimits(memoryBytes: 64 << 20, pids: 50) }
            let started = try keeper.start("read line", in: plan, name: "changing")
            _ = started
            try keeper.demand(.limit(sandbox: "changing", CgroupLimits(memoryBytes: 128 << 20, pids: 7)))
            let refused = try keeper.refusal(.limit(sandbox: "changing", CgroupLimits(pids: -1)))
            #expect(refused.kind == .badRequest)
            #expect(try keeper.refusal(.limit(sandbox: "nobody", CgroupLimits())).kind == .notFound)
            try keeper.demand(.signal(sandbox: "changing", number: 9, wholeTree: true))
            _ = try keeper.end(of: "changing")
        }

        @Test func `processor time is bounded by the quota`() throws {
            let plan = SandboxPlan.with { $0.limits.cpuMillis = 100 }
            let (_, end) = try keeper.shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done", in: plan)
            let usage = try #require(end.cgroup)
            #expect((usage.cpuThrottledMicroseconds ?? 0) > 0)
        }

        @Test func `a sandbox runs on the processors of its set only`() throws {
            let plan = SandboxPlan.with { $0.limits.cpus = "0" }
            #expect(
                try keeper.shell("grep Cpus_allowed_list /proc/self/status | cut -f2; nproc", in: plan).output
                    == "0\n1\n")
        }

        @Test func `open files are bounded`() throws {
            let plan = SandboxPlan.with { $0.resourceLimits = [ResourceLimit(.openFiles, soft: 10, hard: 10)] }
            let (output, _) = try keeper.run(
                .program(
                    "/usr/bin/perl", "-e",
                    "for (1..50) { open($f[$_], '<', '/dev/null') or do { print \"$_ $!\\n\"; exit } }"), in: plan)
            #expect(output.hasSuffix("Too many open files\n"))
            #expect(Int(output.split(separator: " ").first ?? "") ?? 99 <= 8)
        }

        @Test func `a limit above what the machine allows is a clear error and changes nothing`() throws {
            let limits: [(CgroupLimits, String)] = [
                (CgroupLimits(memoryBytes: 1 << 50), "limit memory to \(1 << 50) bytes"),
                (CgroupLimits(pids: 1 << 40), "limit processes to"),
                (CgroupLimits(cpuMillis: 10_000_000), "limit CPU time to"), (CgroupLimits(cpus: "0-4095"), "use CPUs"),
                (CgroupLimits(cpus: "zero"), "use CPUs"), (CgroupLimits(memoryBytes: 1), "limit memory to 1 bytes"),
            ]
            for (limit, sentence) in limits {
                let failure = try keeper.refusal(.define(.with { $0.limits = limit }))
                #expect(failure.kind == .badRequest)
                #expect(failure.sentence.hasPrefix(sentence), "\(failure)")
            }
            #expect(try keeper.status().templates == 0)
        }

        @Test func `a resource limit above the hard one in force is a clear error and leaves nothing`() throws {
            var hard = rlimit()
            getrlimit(__rlimit_resource_t(7), &hard)
            try #require(hard.rlim_cur < .max - 1)
            let plan = SandboxPlan.with {
                $0.resourceLimits = [ResourceLimit(.openFiles, soft: 1 << 40, hard: 1 << 40)]
            }
            let failure = #expect(throws: KeeperFailure.self) { try keeper.shell("true", in: plan) }
            #expect(failure?.sentence.hasPrefix("set the limit openFiles 1099511627776:1099511627776: ") == true)
            #expect(try keeper.list() == [])
        }

        @Test func `usage is told while a sandbox runs`() throws {
            let plan = SandboxPlan.with { $0.limits.memoryBytes = 64 << 20 }
            let started = try keeper.start("echo up; read x", in: plan, name: "measured")
            _ = try Files.readSome(started.ends[1].raw, count: 3)
            guard case .usage(let usage) = try keeper.ask(.usage(sandbox: "measured")) else {
                throw TestFailure("no usage")
            }
            #expect(usage.pids == 1)
            #expect((1...(64 << 20)).contains(usage.memoryBytes ?? 0))
            #expect((usage.cpuMicroseconds ?? 0) > 0)
        }
    }
}
