import Linux
import OCI

/// Limits as cgroup v1 takes them (Documentation/admin-guide/cgroup-v1 of Linux).
struct LegacyWrites {
    let resources: Resources

    init(_ resources: Resources) { self.resources = resources }

    func all(for controller: Controller) throws(SystemError) -> [ControlWrite] {
        switch controller {
        case .memory: try memory(resources.memory)
        case .cpu: try cpu(resources.cpu)
        case .cpuset: try CPUSetWrites.all(resources.cpu)
        case .tasks: [ControlWrite("pids.max", resources.tasks.map { $0 < 0 ? "max" : String($0) } ?? "max")]
        case .blockIO: blockIO(resources.blockIO)
        case .hugePages: hugePages
        case .rdma: RDMAWrites.all(resources.rdma)
        case .networkClass: resources.network.classID.map { [ControlWrite("net_cls.classid", $0)] } ?? []
        case .networkPriority:
            resources.network.priorities.sorted { $0.key < $1.key }.map {
                ControlWrite("net_prio.ifpriomap", "\($0.key) \($0.value)")
            }
        }
    }

    private func memory(_ memory: MemoryResources) throws(SystemError) -> [ControlWrite] {
        var writes: [ControlWrite] = []
        if let limit = memory.limit { writes.append(ControlWrite("memory.limit_in_bytes", limit)) }
        // Without a limit on memory one on both would be odd; unlimited is what a machine without swap accounts has.
        let swap = memory.swap ?? (memory.limit == -1 ? -1 : nil)
        if let swap {
            if let limit = memory.limit, swap != -1, limit == -1 || swap < limit {
                throw refuseLimit("memory.swap", "It is memory and swap together, and so at least memory.limit.")
            }
            writes.append(ControlWrite("memory.memsw.limit_in_bytes", swap, mayLack: swap == -1))
        }
        if let reservation = memory.reservation {
            writes.append(ControlWrite("memory.soft_limit_in_bytes", reservation))
        }
        if let kernel = memory.kernel {
            writes.append(ControlWrite("memory.kmem.limit_in_bytes", kernel, mayLack: kernel == -1))
        }
        if let tcp = memory.kernelTCP {
            writes.append(ControlWrite("memory.kmem.tcp.limit_in_bytes", tcp, mayLack: tcp == -1))
        }
        if let swappiness = memory.swappiness { writes.append(ControlWrite("memory.swappiness", swappiness)) }
        if let disabled = memory.disableOOMKiller {
            writes.append(ControlWrite("memory.oom_control", disabled ? 1 : 0))
        }
        // Kernels since 5.11 know no other way than the hierarchical one.
        if let hierarchical = memory.useHierarchy {
            writes.append(ControlWrite("memory.use_hierarchy", hierarchical ? 1 : 0, mayLack: hierarchical))
        }
        return writes
    }

    private func cpu(_ cpu: CPUResources) throws(SystemError) -> [ControlWrite] {
        var writes: [ControlWrite] = []
        if let shares = cpu.shares {
            try CPUShares.check(shares)
            writes.append(ControlWrite("cpu.shares", shares))
        }
        if let period = cpu.period { writes.append(ControlWrite("cpu.cfs_period_us", period)) }
        if let quota = cpu.quota { writes.append(ControlWrite("cpu.cfs_quota_us", quota)) }
        if let burst = cpu.burst { writes.append(ControlWrite("cpu.cfs_burst_us", burst)) }
        if let period = cpu.realtimePeriod { writes.append(ControlWrite("cpu.rt_period_us", period)) }
        if let runtime = cpu.realtimeRuntime { writes.append(ControlWrite("cpu.rt_runtime_us", runtime)) }
        if let idle = cpu.isIdle { writes.append(ControlWrite("cpu.idle", idle ? 1 : 0, mayLack: !idle)) }
        return writes
    }

    private func blockIO(_ io: BlockIOResources) -> [ControlWrite] {
        var writes: [ControlWrite] = []
        if let weight = io.weight {
            writes.append(ControlWrite(anyOf: ["blkio.weight", "blkio.bfq.weight"], String(weight)))
        }
        if let weight = io.leafWeight { writes.append(ControlWrite("blkio.leaf_weight", weight)) }
        for device in io.deviceWeights {
            let number = "\(device.major):\(device.minor)"
            if let weight = device.weight {
                writes.append(
                    ControlWrite(anyOf: ["blkio.weight_device", "blkio.bfq.weight_device"], "\(number) \(weight)"))
            }
            if let weight = device.leafWeight {
                writes.append(ControlWrite("blkio.leaf_weight_device", "\(number) \(weight)"))
            }
        }
        for (file, rates) in [
            ("read_bps", io.readBytes), ("write_bps", io.writeBytes), ("read_iops", io.readOperations),
            ("write_iops", io.writeOperations),
        ] {
            for rate in rates {
                writes.append(
                    ControlWrite("blkio.throttle.\(file)_device", "\(rate.major):\(rate.minor) \(rate.rate)"))
            }
        }
        return writes
    }

    /// Reservations, where the kernel counts them, beside what is in use.
    private var hugePages: [ControlWrite] {
        resources.hugePages.flatMap { limit in
            [
                ControlWrite("hugetlb.\(limit.pageSize).limit_in_bytes", limit.limit),
                ControlWrite("hugetlb.\(limit.pageSize).rsvd.limit_in_bytes", limit.limit, mayLack: true),
            ]
        }
    }
}
