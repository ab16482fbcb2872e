package import Linux

// One cgroup for several sandboxes of the same limits, one after the other: making and removing a memory cgroup costs
// the kernel more than starting a program.
//
// What stays behind is page cache that is still charged; it counts against the next sandbox's limit only until the
// kernel takes it back, which it does before it kills. Figures start anew. (`a cgroup used again starts from nought`)

extension CgroupHierarchy {
    /// The figures that matter once everything in the cgroup has ended; levels, which are nought by then, are left out.
    package func finalUsage(of cgroup: Cgroup) throws(SystemError) -> CgroupUsage {
        var usage = CgroupUsage()
        if let branch = branch(.cpuAccounting, of: cgroup) {
            switch branch.version {
            case .v1: usage.cpuMicroseconds = try branch.number("cpuacct.usage", of: cgroup.name).map { $0 / 1000 }
            case .v2:
                guard let stat = try branch.bytes("cpu.stat", of: cgroup.name) else { break }
                usage.cpuMicroseconds = ControlText.value(of: "usage_usec", in: stat)
                usage.cpuUserMicroseconds = ControlText.value(of: "user_usec", in: stat)
                usage.cpuSystemMicroseconds = ControlText.value(of: "system_usec", in: stat)
                usage.cpuThrottledMicroseconds = ControlText.value(of: "throttled_usec", in: stat)
            }
        }
        // Its controller holds only who has a limit on CPU time.
        if let branch = branch(.cpu, of: cgroup), branch.version == .v1,
            let stat = try branch.bytes("cpu.stat", of: cgroup.name)
        {
            usage.cpuThrottledMicroseconds = ControlText.value(of: "throttled_time", in: stat).map { $0 / 1000 }
        }
        if let branch = branch(.memory, of: cgroup) {
            let file = branch.version == .v1 ? "memory.max_usage_in_bytes" : "memory.peak"
            usage.memoryPeakBytes = try branch.number(file, of: cgroup.name)
            usage.outOfMemoryKills = try outOfMemoryKills(of: cgroup)
        }
        return usage
    }

    /// Makes an empty cgroup ready for the next sandbox.
    ///
    /// - Parameter final: what `finalUsage` said; nothing can have been added since.
    /// - Returns: what `CgroupUsage.since` subtracts from the next sandbox's figures.
    package func reuse(_ cgroup: Cgroup, after final: CgroupUsage) throws(SystemError) -> CgroupUsage {
        var baseline = final
        if let branch = branch(.memory, of: cgroup), branch.version == .v1 {
            try branch.write("0", to: "memory.max_usage_in_bytes", of: cgroup.name)
            baseline.memoryPeakBytes = nil
        }
        if let branch = branch(.cpuAccounting, of: cgroup), branch.version == .v1 {
            try branch.write("0", to: "cpuacct.usage", of: cgroup.name)
            baseline.cpuMicroseconds = nil
        }
        return baseline
    }
}
