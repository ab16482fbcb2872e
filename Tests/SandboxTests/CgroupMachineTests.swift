import Linux
import Sandbox
import Testing

/// Real programs in this machine's real cgroups: as they are mounted, with v1 alone and with v2 alone.
@Suite struct CgroupMachineTests {
    @Test(arguments: CgroupView.having([]))
    func `a program is in the cgroup that it was started in and in no other`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let wanted = hierarchy.available.intersection([.memory, .pids, .cpu, .cpuset])
            let cgroup = try hierarchy.make("a", wanted)
            let other = try hierarchy.make("b", wanted)
            #expect(try hierarchy.isEmpty(cgroup))
            let inmate = try CgroupInmate("sleep 300 & wait", in: cgroup, of: hierarchy)
            try eventually("the sleep is listed") { try hierarchy.processes(of: cgroup).count == 2 }
            #expect(try hierarchy.processes(of: cgroup).contains(inmate.pid))
            #expect(try !hierarchy.isEmpty(cgroup))
            #expect(try hierarchy.isEmpty(other))
            let membership = try Files.readText("/proc/\(inmate.pid)/cgroup")
            for controller in wanted.names {
                let line = membership.split(separator: "\n").first {
                    let fields = $0.split(separator: ":", omittingEmptySubsequences: false)
                    return fields[1].split(separator: ",").contains { $0 == controller }
                }
                #expect(line?.hasSuffix("/\(hierarchy.parent)/a") != false, "\(controller)")
            }
            try hierarchy.killAll(of: cgroup)
            #expect(try inmate.wait() == .signaled(Signal.kill, coreDumped: false))
        }
    }

    @Test(arguments: CgroupView.having([]))
    func `a program that was not placed at birth joins by writing`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", [])
            let inmate = try CgroupInmate("exec sleep 300", in: cgroup, of: hierarchy, placedAtBirth: false)
            #expect(try hierarchy.processes(of: cgroup) == [inmate.pid])
            try hierarchy.killAll(of: cgroup)
            try inmate.wait()
        }
    }

    @Test(arguments: CgroupView.having([.memory]))
    func `a program that takes more memory than its limit is killed and this is counted`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", .memory)
            try hierarchy.setLimits(CgroupLimits(memoryBytes: 16 << 20), of: cgroup)
            #expect(try hierarchy.outOfMemoryKills(of: cgroup) == 0)
            // tail keeps what has no line end. The second bound is for the machine, should the first not hold.
            let inmate = try CgroupInmate("ulimit -v 400000; exec tail /dev/zero", in: cgroup, of: hierarchy)
            #expect(try inmate.wait() == .signaled(Signal.kill, coreDumped: false))
            let usage = try hierarchy.usage(of: cgroup)
            #expect(usage.outOfMemoryKills == 1)
            #expect(usage.memoryLimitHits != 0)
            let peak = try #require(usage.memoryPeakBytes)
            #expect((8 << 20)...(16 << 20) ~= peak)
        }
    }

    @Test(arguments: CgroupView.having([.pids]))
    func `a fork bomb is stopped at the limit on processes`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", .pids)
            try hierarchy.setLimits(CgroupLimits(pids: 8), of: cgroup)
            let inmate = try CgroupInmate(
                "i=0; while [ $i -lt 40 ]; do sleep 300 & i=$((i+1)); done; exit 0", in: cgroup, of: hierarchy)
            // The shell gives up with status 2 when fork fails; 40 starts without a limit end in 0.
            #expect(try inmate.wait() == .exited(2))
            #expect(try hierarchy.usage(of: cgroup).pids == 7)
            #expect(try hierarchy.processes(of: cgroup).count == 7)
            try hierarchy.killAll(of: cgroup)
            try eventually("all are gone") { try hierarchy.isEmpty(cgroup) }
            // The orphans' new parent has yet to reap them, and until then they count.
            try eventually("all are reaped") { try hierarchy.usage(of: cgroup).pids == 0 }
        }
    }

    @Test(arguments: CgroupView.having([.cpu, .cpuAccounting]))
    func `a program that spins is throttled at its limit on CPU time, and that is counted`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", [.cpu, .cpuAccounting])
            try hierarchy.setLimits(CgroupLimits(cpuMillis: 100, cpuShares: 512), of: cgroup)
            let inmate = try CgroupInmate("while :; do :; done", in: cgroup, of: hierarchy)
            try eventually("it is throttled") {
                try #require(try hierarchy.usage(of: cgroup).cpuThrottledMicroseconds) > 300_000
            }
            try hierarchy.killAll(of: cgroup)
            let record = try inmate.wait()
            #expect(record == .signaled(Signal.kill, coreDumped: false))
            let usage = try hierarchy.usage(of: cgroup)
            // 300 ms of throttling, even if on two CPUs at once, is more than one period with its quota of 10 ms, of
            // which the kernel hands out 5 ms at a time.
            #expect(try #require(usage.cpuMicroseconds) >= 5000)
            let parts = try #require(usage.cpuUserMicroseconds) + #require(usage.cpuSystemMicroseconds)
            #expect(parts <= usage.cpuMicroseconds! + 20_000)
        }
    }

    @Test(arguments: CgroupView.having([.cpuset]))
    func `a program runs on the CPUs it was given`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", .cpuset)
            let inmate = try CgroupInmate("exec sleep 300", in: cgroup, of: hierarchy)
            try hierarchy.setLimits(CgroupLimits(cpus: "0", memoryNodes: "0"), of: cgroup)
            func allowed() throws -> String? {
                try Files.readText("/proc/\(inmate.pid)/status").split(separator: "\n")
                    .first { $0.hasPrefix("Cpus_allowed_list:") }.map(String.init)
            }
            #expect(try allowed() == "Cpus_allowed_list:\t0")
            try hierarchy.setLimits(.none, of: cgroup, replacing: CgroupLimits(cpus: "0", memoryNodes: "0"))
            #expect(try allowed() != "Cpus_allowed_list:\t0" || MachineCapacity.ofThisMachine().cpus.count == 1)
        }
    }

    @Test(arguments: CgroupView.having([.cpuAccounting, .freezer]))
    func `a frozen program uses no CPU time until it is thawed`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", .cpuAccounting)
            func used() throws -> Int { try #require(try hierarchy.usage(of: cgroup).cpuMicroseconds) }
            let inmate = try CgroupInmate("while :; do :; done", in: cgroup, of: hierarchy)
            try eventually("it spins") { try used() > 0 }
            try hierarchy.freeze(cgroup)
            try eventually("it is frozen") { try hierarchy.isFrozen(cgroup) }
            let frozen = try used()
            Clock.pauseBlocking(milliseconds: 20)
            #expect(try used() == frozen)
            try hierarchy.thaw(cgroup)
            #expect(try !hierarchy.isFrozen(cgroup))
            try eventually("it goes on") { try used() > frozen }
            try hierarchy.freeze(cgroup)
            try hierarchy.killAll(of: cgroup)
            #expect(try inmate.wait() == .signaled(Signal.kill, coreDumped: false))
        }
    }

    @Test(arguments: CgroupView.having([]))
    func `killing takes a grandchild that nobody waits for`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", [])
            let inmate = try CgroupInmate(
                "(setsid sh -c '(trap \"\" TERM HUP; sleep 300 & wait) & exit' &); sleep 300", in: cgroup, of: hierarchy
            )
            try eventually("two shells and two sleeps run") { try hierarchy.processes(of: cgroup).count == 4 }
            try hierarchy.killAll(of: cgroup)
            #expect(try inmate.wait() == .signaled(Signal.kill, coreDumped: false))
            try eventually("all are gone") { try hierarchy.isEmpty(cgroup) }
            #expect(try hierarchy.processes(of: cgroup) == [])
        }
    }

    @Test(arguments: CgroupView.having([.pids]))
    func `a program that forks all the time cannot outrun its killer`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", .pids)
            try hierarchy.setLimits(CgroupLimits(pids: 24), of: cgroup)
            // Each of eight shells forks without end and waits, so that the limit is never met.
            let script = "f() { while :; do (:); done; }; for i in 1 2 3 4 5 6 7 8; do f & done; wait"
            let inmate = try CgroupInmate(script, in: cgroup, of: hierarchy)
            try eventually("it forks") { try hierarchy.processes(of: cgroup).count > 9 }
            try hierarchy.killAll(of: cgroup)
            try inmate.wait()
            try eventually("all are gone") { try hierarchy.isEmpty(cgroup) }
            Clock.pauseBlocking(milliseconds: 10)
            #expect(try hierarchy.isEmpty(cgroup))
        }
    }

    @Test(arguments: CgroupView.having([]))
    func `a cgroup with a process is not removed and says that it is busy`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", [])
            let inmate = try CgroupInmate("exec sleep 300", in: cgroup, of: hierarchy)
            let busy = #expect(throws: SystemError.self) { try hierarchy.remove(cgroup) }
            #expect(busy?.code == .busy)
            #expect(busy?.subject.hasSuffix("/\(hierarchy.parent)/a") == true)
            let notEmpty = #expect(throws: SystemError.self) { try hierarchy.close() }
            #expect(notEmpty?.code == .busy)
            try hierarchy.killAll(of: cgroup)
            try inmate.wait()
            try eventually("it can be removed") {
                do {
                    try hierarchy.remove(cgroup)
                    return true
                } catch let error as SystemError where error.code == .busy {
                    return false
                }
            }
            #expect(try hierarchy.find("a") == nil)
        }
    }

    @Test(arguments: CgroupView.having([]))
    func `what another keeper left is killed and removed, nested cgroups too`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("running", [])
            _ = try hierarchy.make("empty", hierarchy.available)
            let inmate = try CgroupInmate("sleep 300 & wait", in: cgroup, of: hierarchy)
            try eventually("both run") { try hierarchy.processes(of: cgroup).count == 2 }
            let mount = hierarchy.layout.unified ?? hierarchy.layout.legacy.first { $0.controllers.contains(.freezer) }
            let nested = try #require(mount).path + "/\(hierarchy.parent)/running/inner/innermost"
            try Files.makeDirectories(nested)
            try Files.writeText("\(inmate.pid)", to: nested + "/cgroup.procs")
            #expect(try hierarchy.processes(of: cgroup).count == 2)
            #expect(try hierarchy.removeLeftovers() == ["empty", "running"])
            #expect(try inmate.wait() == .signaled(Signal.kill, coreDumped: false))
            #expect(!Files.exists(nested))
            #expect(try hierarchy.removeLeftovers() == [])
        }
    }

    @Test(arguments: CgroupView.having([.memory]))
    func `a cgroup is used again with other limits and fresh figures`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", [.memory, .cpuAccounting])
            let first = CgroupLimits(memoryBytes: 16 << 20)
            try hierarchy.setLimits(first, of: cgroup)
            try CgroupInmate("ulimit -v 400000; exec tail /dev/zero", in: cgroup, of: hierarchy).wait()
            try eventually("it is empty") { try hierarchy.isEmpty(cgroup) }
            let baseline = try hierarchy.resetCounters(of: cgroup)
            #expect(baseline.outOfMemoryKills == 1)
            // Above the old sum of memory and swap, and below: v1 wants the two in different orders.
            let larger = CgroupLimits(memoryBytes: 64 << 20)
            try hierarchy.setLimits(larger, of: cgroup, replacing: first)
            try hierarchy.setLimits(CgroupLimits(memoryBytes: 32 << 20), of: cgroup, replacing: larger)
            #expect(try CgroupInmate("exec true", in: cgroup, of: hierarchy).wait() == .exited(0))
            let usage = try hierarchy.usage(of: cgroup).since(baseline)
            #expect(usage.outOfMemoryKills == 0)
            #expect(usage.memoryLimitHits ?? 0 == 0)
            if let peak = usage.memoryPeakBytes { #expect((1..<(12 << 20)).contains(peak)) }
            #expect(try #require(usage.cpuMicroseconds) > 0)
        }
    }

    @Test(arguments: CgroupView.having([]).filter { (try? $0.layout.unified) != nil })
    func `the events file wakes when the last process has ended`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            let cgroup = try hierarchy.make("a", [])
            let inmate = try CgroupInmate("exec sleep 300", in: cgroup, of: hierarchy)
            let events = try #require(try hierarchy.events(of: cgroup)?.release())
            let file = OwnedFD(adopting: events)
            // The kernel tells of what changed since the last read.
            #expect(String(decoding: try Files.readAll(file.raw), as: UTF8.self).contains("populated 1"))
            let poll = try Poll()
            try poll.add(file.raw, .priority, token: 7)
            var woken: [Poll.Event] = []
            try poll.wait(timeoutMilliseconds: 0, into: &woken)
            #expect(woken.isEmpty)
            try hierarchy.killAll(of: cgroup)
            try inmate.wait()
            try poll.wait(timeoutMilliseconds: 20_000, into: &woken)
            #expect(woken.map(\.token) == [7])
            #expect(try hierarchy.isEmpty(cgroup))
        }
    }

    @Test(arguments: CgroupView.having([]))
    func `no descriptor is left open by any operation`(view: CgroupView) throws {
        try withCgroups(view) { hierarchy in
            func round() throws {
                let cgroup = try hierarchy.make("a", hierarchy.available.subtracting(.freezer))
                _ = try hierarchy.joinDescriptors(of: cgroup)
                _ = try hierarchy.placement(of: cgroup)
                _ = try hierarchy.usage(of: cgroup)
                _ = try hierarchy.processes(of: cgroup)
                try hierarchy.killAll(of: cgroup)
                try hierarchy.remove(cgroup)
            }
            // Other suites open and close beside us: what a leak of many rounds would hold is far above what they do.
            let before = try Files.list("/proc/self/fd").count
            for _ in 0..<300 { try round() }
            #expect(try Files.list("/proc/self/fd").count < before + 300)
        }
    }
}
