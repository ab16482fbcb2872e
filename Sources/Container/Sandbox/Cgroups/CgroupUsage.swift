package import Linux

/// What a cgroup has used. What the kernel does not count for it is nil.
package struct CgroupUsage: Hashable, Sendable {
    /// CPU time of all processes that are or were in it, microseconds.
    package var cpuMicroseconds: Int?
    /// The part of it in user mode. v1 counts the parts in ticks of 10 ms, so that they need not add up.
    package var cpuUserMicroseconds: Int?
    /// The part of it in the kernel.
    package var cpuSystemMicroseconds: Int?
    /// How long its processes could have run but for the CPU limit.
    package var cpuThrottledMicroseconds: Int?
    /// Memory now, page cache included.
    package var memoryBytes: Int?
    /// Most memory at any time. v2 has it since Linux 5.19.
    package var memoryPeakBytes: Int?
    /// How often memory was wanted beyond the limit; most times the kernel takes back page cache and goes on. v1 misses
    /// hits where memory and swap share the limit: nil there if it saw none.
    package var memoryLimitHits: Int?
    /// Processes and threads now, with those that have ended and wait to be reaped.
    package var pids: Int?
    /// Processes killed because memory was out. v1 has it since Linux 4.13.
    package var outOfMemoryKills: Int?

    package init() {}

    /// What was used after `baseline` was taken: counters are subtracted, levels stay.
    ///
    /// The peak of before hides a smaller one of after, where the kernel can't reset it: then it is nil.
    package func since(_ baseline: CgroupUsage) -> CgroupUsage {
        func difference(_ now: Int?, _ before: Int?) -> Int? {
            guard let now else { return nil }
            return max(0, now - (before ?? 0))
        }
        var usage = self
        usage.cpuMicroseconds = difference(cpuMicroseconds, baseline.cpuMicroseconds)
        usage.cpuUserMicroseconds = difference(cpuUserMicroseconds, baseline.cpuUserMicroseconds)
        usage.cpuSystemMicroseconds = difference(cpuSystemMicroseconds, baseline.cpuSystemMicroseconds)
        usage.cpuThrottledMicroseconds = difference(cpuThrottledMicroseconds, baseline.cpuThrottledMicroseconds)
        usage.memoryLimitHits = difference(memoryLimitHits, baseline.memoryLimitHits)
        usage.outOfMemoryKills = difference(outOfMemoryKills, baseline.outOfMemoryKills)
        if let peak = memoryPeakBytes, let before = baseline.memoryPeakBytes, peak <= before, before > 0 {
            usage.memoryPeakBytes = nil
        }
        return usage
    }
}

extension CgroupHierarchy {
    /// Reads what the cgroup has used, one small file for each group of figures.
    package func usage(of cgroup: Cgroup) throws(SystemError) -> CgroupUsage {
        var usage = CgroupUsage()
        try readCPU(of: cgroup, into: &usage)
        if let branch = branch(.memory, of: cgroup) {
            switch branch.version {
            case .v1:
                usage.memoryBytes = try branch.number("memory.usage_in_bytes", of: cgroup.name)
                usage.memoryPeakBytes = try branch.number("memory.max_usage_in_bytes", of: cgroup.name)
                usage.memoryLimitHits = try legacyLimitHits(branch, cgroup.name)
                usage.outOfMemoryKills = try outOfMemoryKills(of: cgroup)
            case .v2:
                usage.memoryBytes = try branch.number("memory.current", of: cgroup.name)
                usage.memoryPeakBytes = try branch.number("memory.peak", of: cgroup.name)
                if let events = try branch.bytes("memory.events", of: cgroup.name) {
                    usage.memoryLimitHits = ControlText.value(of: "max", in: events)
                    usage.outOfMemoryKills = ControlText.value(of: "oom_kill", in: events)
                }
            }
        }
        usage.pids = try branch(.pids, of: cgroup)?.number("pids.current", of: cgroup.name)
        return usage
    }

    /// How many of its processes were killed because memory was out; nil where nobody counts.
    package func outOfMemoryKills(of cgroup: Cgroup) throws(SystemError) -> Int? {
        guard let branch = branch(.memory, of: cgroup) else { return nil }
        let file = branch.version == .v1 ? "memory.oom_control" : "memory.events"
        guard let text = try branch.bytes(file, of: cgroup.name) else { return nil }
        return ControlText.value(of: "oom_kill", in: text)
    }

    /// Sets to nought what the kernel lets be set, for the next sandbox in the same cgroup, and returns the rest: what
    /// `CgroupUsage.since` subtracts. Only for a cgroup without processes.
    ///
    /// v1 resets the peak, the limit hits and the CPU time. v2 resets nothing (its memory.peak can only be restarted
    /// for one open file, since 6.12). Neither resets the kills.
    package func resetCounters(of cgroup: Cgroup) throws(SystemError) -> CgroupUsage {
        if let branch = branch(.memory, of: cgroup), branch.version == .v1 {
            try branch.write("0", to: "memory.max_usage_in_bytes", of: cgroup.name)
            try branch.write("0", to: "memory.failcnt", of: cgroup.name)
            if features.swapLimit { try branch.write("0", to: "memory.memsw.failcnt", of: cgroup.name) }
        }
        if let branch = branch(.cpuAccounting, of: cgroup), branch.version == .v1 {
            try branch.write("0", to: "cpuacct.usage", of: cgroup.name)
        }
        var baseline = try usage(of: cgroup)
        // A peak that was reset starts from what is charged now, and does not hide a smaller one.
        if let branch = branch(.memory, of: cgroup), branch.version == .v1 { baseline.memoryPeakBytes = nil }
        return baseline
    }

    /// v1 charges memory plus swap first, and what fails there is counted by neither file on recent kernels (6.18: an
    /// out-of-memory kill at equal limits leaves both at 0). So 0 says nothing where there is such an account.
    private func legacyLimitHits(_ branch: CgroupBranch, _ name: String) throws(SystemError) -> Int? {
        guard let memory = try branch.number("memory.failcnt", of: name) else { return nil }
        guard features.swapLimit else { return memory }
        let both = memory + (try branch.number("memory.memsw.failcnt", of: name) ?? 0)
        return both > 0 ? both : nil
    }

    private func readCPU(of cgroup: Cgroup, into usage: inout CgroupUsage) throws(SystemError) {
        if let branch = branch(.cpuAccounting, of: cgroup) {
            switch branch.version {
            case .v1: try readLegacyAccount(branch, cgroup.name, into: &usage)
            case .v2:
                guard let stat = try branch.bytes("cpu.stat", of: cgroup.name) else { break }
                usage.cpuMicroseconds = ControlText.value(of: "usage_usec", in: stat)
                usage.cpuUserMicroseconds = ControlText.value(of: "user_usec", in: stat)
                usage.cpuSystemMicroseconds = ControlText.value(of: "system_usec", in: stat)
                usage.cpuThrottledMicroseconds = ControlText.value(of: "throttled_usec", in: stat)
            }
        }
        if let branch = branch(.cpu, of: cgroup), branch.version == .v1,
            let stat = try branch.bytes("cpu.stat", of: cgroup.name)
        {
            usage.cpuThrottledMicroseconds = ControlText.value(of: "throttled_time", in: stat).map { $0 / 1000 }
        }
    }

    private func readLegacyAccount(
        _ branch: CgroupBranch, _ name: String, into usage: inout CgroupUsage
    ) throws(SystemError) {
        usage.cpuMicroseconds = try branch.number("cpuacct.usage", of: name).map { $0 / 1000 }
        guard let stat = try branch.bytes("cpuacct.stat", of: name) else { return }
        // USER_HZ is 100 on every machine that Swift runs on (time(7)).
        usage.cpuUserMicroseconds = ControlText.value(of: "user", in: stat).map { $0 * 10_000 }
        usage.cpuSystemMicroseconds = ControlText.value(of: "system", in: stat).map { $0 * 10_000 }
    }
}
