import Glibc
import Linux
import OCI
import Sandbox

/// Limits as cgroup v2 takes them (Documentation/admin-guide/cgroup-v2.rst of Linux), converted where the
/// specification speaks in v1's terms.
struct UnifiedWrites {
    let resources: Resources
    let current: (String) -> String?

    init(_ resources: Resources, current: @escaping (String) -> String?) {
        self.resources = resources
        self.current = current
    }

    func all(for controller: Controller) throws(SystemError) -> [ControlWrite] {
        switch controller {
        case .memory: try memory(resources.memory)
        case .cpu: try cpu(resources.cpu)
        case .cpuset: try CPUSetWrites.all(resources.cpu)
        case .tasks: [ControlWrite("pids.max", resources.tasks.map(Self.limit) ?? "max")]
        case .blockIO: try blockIO(resources.blockIO)
        case .hugePages: hugePages
        case .rdma: RDMAWrites.all(resources.rdma)
        case .networkClass, .networkPriority: throw refuseLimit("network", "cgroup v2 has no controller for it.")
        }
    }

    private static func limit(_ value: Int64) -> String { value < 0 ? "max" : String(value) }

    private func memory(_ memory: MemoryResources) throws(SystemError) -> [ControlWrite] {
        try refuseLegacyMemory(memory)
        var writes: [ControlWrite] = []
        if let limit = memory.limit {
            if memory.checkBeforeUpdate == true, limit >= 0,
                let used = current("memory.current").flatMap({ Int64($0) }),
                used > limit
            {
                throw SystemError(
                    "set linux.resources.memory.limit", "\(limit)", code: .busy,
                    advice: "\(used) bytes are in use, and checkBeforeUpdate is set.")
            }
            writes.append(ControlWrite("memory.max", Self.limit(limit)))
        }
        // A kernel without the file has no swap: neither none nor all of it needs a word.
        if let text = try swapLimit(memory) {
            writes.append(ControlWrite("memory.swap.max", text, mayLack: text == "max" || text == "0"))
        }
        if let reservation = memory.reservation { writes.append(ControlWrite("memory.low", Self.limit(reservation))) }
        return writes
    }

    /// The specification's swap holds memory, too; v2's does not.
    private func swapLimit(_ memory: MemoryResources) throws(SystemError) -> String? {
        guard let swap = memory.swap else { return memory.limit == -1 ? "max" : nil }
        if swap == -1 { return "max" }
        let limit = memory.limit ?? current("memory.max").flatMap { Int64($0) }
        guard let limit, limit >= 0 else {
            throw refuseLimit("memory.swap", "It holds memory, too: give memory.limit with it.")
        }
        guard swap >= limit else {
            throw refuseLimit("memory.swap", "It is memory and swap together, and so at least memory.limit.")
        }
        return String(swap - limit)
    }

    private func refuseLegacyMemory(_ memory: MemoryResources) throws(SystemError) {
        let gone = "cgroup v2 has nothing like it."
        if let kernel = memory.kernel, kernel != -1 { throw refuseLimit("memory.kernel", gone) }
        if let tcp = memory.kernelTCP, tcp != -1 { throw refuseLimit("memory.kernelTCP", gone) }
        if memory.swappiness != nil { throw refuseLimit("memory.swappiness", gone) }
        if memory.disableOOMKiller == true { throw refuseLimit("memory.disableOOMKiller", gone) }
        if memory.useHierarchy == false {
            throw refuseLimit("memory.useHierarchy", "cgroup v2 is always hierarchical.")
        }
    }

    private func cpu(_ cpu: CPUResources) throws(SystemError) -> [ControlWrite] {
        if cpu.realtimeRuntime != nil || cpu.realtimePeriod != nil {
            throw refuseLimit("cpu.realtimeRuntime", "cgroup v2 has nothing like it.")
        }
        var writes: [ControlWrite] = []
        if let idle = cpu.isIdle { writes.append(ControlWrite("cpu.idle", idle ? 1 : 0, mayLack: !idle)) }
        // An idle group has no weight.
        if let shares = cpu.shares, cpu.isIdle != true {
            try CPUShares.check(shares)
            writes.append(ControlWrite("cpu.weight", CPUShares.weight(of: shares)))
        }
        if let text = quota(cpu) { writes.append(ControlWrite("cpu.max", text)) }
        if let burst = cpu.burst { writes.append(ControlWrite("cpu.max.burst", burst)) }
        return writes
    }

    /// The kernel keeps the period when only a quota is written, but has no way to write a period alone.
    private func quota(_ cpu: CPUResources) -> String? {
        guard let period = cpu.period else { return cpu.quota.map(Self.limit) }
        let quota =
            cpu.quota.map(Self.limit) ?? current("cpu.max").flatMap { $0.split(separator: " ").first.map(String.init) }
        return "\(quota ?? "max") \(period)"
    }

    private func blockIO(_ io: BlockIOResources) throws(SystemError) -> [ControlWrite] {
        if io.leafWeight != nil || io.deviceWeights.contains(where: { $0.leafWeight != nil }) {
            throw refuseLimit("blockIO.leafWeight", "cgroup v2 has nothing like it.")
        }
        var writes: [ControlWrite] = []
        // BFQ's weights are on the specification's scale; io.weight has one of its own and takes "default N" or
        // "MAJOR:MINOR N".
        if let weight = io.weight { writes.append(weightWrite("default", weight)) }
        for device in io.deviceWeights {
            guard let weight = device.weight else { continue }
            writes.append(weightWrite("\(device.major):\(device.minor)", weight))
        }
        for (key, rates) in [
            ("rbps", io.readBytes), ("wbps", io.writeBytes), ("riops", io.readOperations),
            ("wiops", io.writeOperations),
        ] {
            for rate in rates {
                let limit = rate.rate == 0 ? "max" : String(rate.rate)
                writes.append(ControlWrite("io.max", "\(rate.major):\(rate.minor) \(key)=\(limit)"))
            }
        }
        return writes
    }

    private func weightWrite(_ device: String, _ weight: UInt16) -> ControlWrite {
        current("io.bfq.weight") != nil
            ? ControlWrite("io.bfq.weight", "\(device) \(weight)")
            : ControlWrite("io.weight", "\(device) \(Self.ioWeight(of: weight))")
    }

    /// 10 to 1000 onto 1 to 10000.
    static func ioWeight(of weight: UInt16) -> Int { 1 + (Int(weight) - 10) * 9999 / 990 }

    private var hugePages: [ControlWrite] {
        resources.hugePages.flatMap { limit in
            [
                ControlWrite("hugetlb.\(limit.pageSize).max", limit.limit),
                ControlWrite("hugetlb.\(limit.pageSize).rsvd.max", limit.limit, mayLack: true),
            ]
        }
    }
}

/// v1's shares of CPU time.
enum CPUShares {
    /// The kernel would round what is beyond (MIN_SHARES and MAX_SHARES).
    static func check(_ shares: UInt64) throws(SystemError) {
        guard (2...262_144).contains(shares) else {
            throw SystemError(
                "set linux.resources.cpu.shares", "\(shares)", code: .invalid,
                advice: shares < 2 ? "The minimum allowed is 2." : "The maximum allowed is 262144.")
        }
    }

    /// v2's weight for them: 2 is 1, 1024 is 100 and 262144 is 10000, with a curve between that keeps ratios near the
    /// default. It is the one that other runtimes use since 2025, so that neighbours on a machine are weighed alike.
    static func weight(of shares: UInt64) -> Int {
        if shares <= 2 { return 1 }
        if shares >= 262_144 { return 10_000 }
        let bits = log2(Double(shares))
        let exponent = (bits * bits + 125 * bits) / 612 - 7.0 / 34
        return Int(pow(10, exponent).rounded(.up))
    }
}

/// The files that v1 and v2 have alike.
enum CPUSetWrites {
    static func all(_ cpu: CPUResources) throws(SystemError) -> [ControlWrite] {
        var writes: [ControlWrite] = []
        for (field, file, text) in [("cpus", "cpuset.cpus", cpu.cpus), ("mems", "cpuset.mems", cpu.mems)] {
            guard let text else { continue }
            guard IndexList(text) != nil else {
                throw SystemError(
                    "set linux.resources.cpu.\(field)", "\"\(text)\"", code: .invalid,
                    advice: "Write a list such as 0-3,7 with ascending ranges.")
            }
            writes.append(ControlWrite(file, text))
        }
        return writes
    }
}

enum RDMAWrites {
    static func all(_ limits: [String: RDMALimit]) -> [ControlWrite] {
        limits.sorted { $0.key < $1.key }.map { device, limit in
            var text = device
            if let handles = limit.handles { text += " hca_handle=\(handles)" }
            if let objects = limit.objects { text += " hca_object=\(objects)" }
            return ControlWrite("rdma.max", text)
        }
    }
}
