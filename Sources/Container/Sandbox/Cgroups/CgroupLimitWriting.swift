package import Linux

// Writing limits: one open, write and close for each setting that differs from what is set already.

extension CgroupHierarchy {
    /// Makes `limits` those of the cgroup.
    ///
    /// Validate them before (`CgroupLimits.validate`): the kernel's own refusals are less clear.
    ///
    /// - Parameter old: what is set now, `.none` for a fresh cgroup: only what differs is written, and what is no
    ///   longer limited is lifted.
    /// - Throws: `SystemError`; EOPNOTSUPP for a limit whose controller the cgroup was made without.
    package func setLimits(
        _ limits: CgroupLimits, of cgroup: Cgroup, replacing old: CgroupLimits = .none
    ) throws(SystemError) {
        let lacking = limits.controllers.subtracting(cgroup.controllers)
        guard lacking.isEmpty else {
            throw SystemError(
                "limit cgroup", cgroup.name, code: .notSupported,
                advice: "It was made without: \(lacking). Make it with.")
        }
        try setMemory(limits, of: cgroup, replacing: old)
        if limits.pids != old.pids, let branch = branch(.pids, of: cgroup) {
            try branch.write(limits.pids.map(String.init) ?? "max", to: "pids.max", of: cgroup.name)
        }
        if let branch = branch(.cpu, of: cgroup) { try setCPU(limits, branch, cgroup.name, replacing: old) }
        if let branch = branch(.cpuset, of: cgroup) {
            if limits.cpus != old.cpus {
                try branch.write(limits.cpus ?? features.allCPUs, to: "cpuset.cpus", of: cgroup.name)
            }
            if limits.memoryNodes != old.memoryNodes {
                try branch.write(limits.memoryNodes ?? features.allMemoryNodes, to: "cpuset.mems", of: cgroup.name)
            }
        }
    }

    private func setMemory(
        _ limits: CgroupLimits, of cgroup: Cgroup, replacing old: CgroupLimits
    ) throws(SystemError) {
        guard limits.memoryBytes != old.memoryBytes || limits.swap != old.swap,
            let branch = branch(.memory, of: cgroup)
        else { return }
        if case .bytes = limits.swap, !features.swapLimit {
            throw SystemError(
                "limit swap of cgroup", cgroup.name, code: .notSupported,
                advice: "This kernel keeps no account of swap: boot with swapaccount=1.")
        }
        do {
            switch branch.version {
            case .v1: try setLegacyMemory(limits, branch, cgroup.name)
            case .v2: try setUnifiedMemory(limits, branch, cgroup.name, replacing: old)
            }
        } catch where error.code == .busy {
            throw SystemError(
                error.operation, error.subject, code: .busy,
                advice: "It uses more than that and the kernel could not take it back.")
        }
    }

    private func setUnifiedMemory(
        _ limits: CgroupLimits, _ branch: CgroupBranch, _ name: String, replacing old: CgroupLimits
    ) throws(SystemError) {
        let isLimited = limits.memoryBytes != nil
        let wasLimited = old.memoryBytes != nil
        if features.swapLimit, limits.swap != old.swap || isLimited != wasLimited {
            let text =
                switch limits.swap {
                case .none: isLimited ? "0" : "max"
                case .bytes(let bytes): String(bytes)
                case .unlimited: "max"
                }
            try branch.write(text, to: "memory.swap.max", of: name)
        }
        if limits.memoryBytes != old.memoryBytes {
            try branch.write(limits.memoryBytes.map(String.init) ?? "max", to: "memory.max", of: name)
        }
        if isLimited != wasLimited {
            // A sandbox that lost one process to the killer is broken in ways nobody tested: all of it goes.
            try branch.write(isLimited ? "1" : "0", to: "memory.oom.group", of: name)
        }
    }

    /// v1 limits memory alone and memory plus swap, and refuses (EINVAL) any moment in which the first is the larger.
    private func setLegacyMemory(_ limits: CgroupLimits, _ branch: CgroupBranch, _ name: String) throws(SystemError) {
        let memory = limits.memoryBytes ?? -1
        let both =
            switch limits.swap {
            case .none: memory
            case .bytes(let bytes): memory + bytes
            case .unlimited: -1
            }
        guard features.swapLimit else {
            try branch.write(String(memory), to: "memory.limit_in_bytes", of: name)
            // Without the account only this keeps a limited group from swapping (cgroup-v1/memory.rst, 5.3).
            let swappiness = limits.memoryBytes != nil && limits.swap == .none ? "0" : "60"
            return try branch.write(swappiness, to: "memory.swappiness", of: name)
        }
        do {
            try branch.write(String(memory), to: "memory.limit_in_bytes", of: name)
            try branch.write(String(both), to: "memory.memsw.limit_in_bytes", of: name)
        } catch where error.code == .invalid {
            // Raised above the old sum: the other way round.
            try branch.write(String(both), to: "memory.memsw.limit_in_bytes", of: name)
            try branch.write(String(memory), to: "memory.limit_in_bytes", of: name)
        }
    }

    private func setCPU(
        _ limits: CgroupLimits, _ branch: CgroupBranch, _ name: String, replacing old: CgroupLimits
    ) throws(SystemError) {
        if limits.cpuMillis != old.cpuMillis {
            // Microseconds in each period of 100 ms, the kernel's default on v1 and said on v2.
            let quota = limits.cpuMillis.map { $0 * 100 }
            switch branch.version {
            case .v1: try branch.write(quota.map(String.init) ?? "-1", to: "cpu.cfs_quota_us", of: name)
            case .v2: try branch.write("\(quota.map(String.init) ?? "max") 100000", to: "cpu.max", of: name)
            }
        }
        if limits.cpuShares != old.cpuShares {
            let shares = limits.cpuShares ?? 1024
            switch branch.version {
            case .v1: try branch.write(String(shares), to: "cpu.shares", of: name)
            case .v2: try branch.write(String(Self.weight(ofShares: shares)), to: "cpu.weight", of: name)
            }
        }
    }

    /// v2's weight for v1's shares: everybody's 1024 is everybody's 100, and ratios stay, as systemd has it.
    static func weight(ofShares shares: Int) -> Int { min(max(shares * 100 / 1024, 1), 10_000) }
}
