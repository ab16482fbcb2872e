package import Linux

/// What a sandbox may use. What is nil is not limited.
///
/// Invariant, with its tests in Tests/SandboxTests/CgroupLimitsTests.swift: `validate` refuses every value that the
/// machine cannot honour or the kernel would refuse or round, before anything is changed.
package struct CgroupLimits: Hashable, Sendable {
    /// How much may be swapped out on top of the memory limit.
    package enum Swap: Hashable, Sendable {
        case none
        case bytes(Int)
        case unlimited
    }

    /// Memory, page cache included; beyond it the kernel kills.
    package var memoryBytes: Int?
    /// Counts only with a memory limit.
    package var swap = Swap.none
    /// Processes and threads.
    package var pids: Int?
    /// CPU time in thousandths of one CPU: 1500 is one and a half CPUs, given out every 100 ms.
    package var cpuMillis: Int?
    /// Weight against siblings when CPU time is short, on v1's scale: 1024 is everybody's.
    package var cpuShares: Int?
    /// The CPUs to use, "0-3,7".
    package var cpus: String?
    /// The memory nodes to use, "0".
    package var memoryNodes: String?

    package init(
        memoryBytes: Int? = nil, swap: Swap = .none, pids: Int? = nil, cpuMillis: Int? = nil, cpuShares: Int? = nil,
        cpus: String? = nil, memoryNodes: String? = nil
    ) {
        self.memoryBytes = memoryBytes
        self.swap = swap
        self.pids = pids
        self.cpuMillis = cpuMillis
        self.cpuShares = cpuShares
        self.cpus = cpus
        self.memoryNodes = memoryNodes
    }

    package static let none = CgroupLimits()

    /// Below this nothing starts; Docker's minimum.
    package static let memoryBytesLeast = 6 << 20
    /// The kernel's smallest quota is 1 ms, which is a hundredth of the period.
    package static let cpuMillisLeast = 10
    /// MIN_SHARES and MAX_SHARES of the kernel's scheduler.
    package static let cpuSharesRange = 2...262_144

    /// The controllers which these limits need.
    package var controllers: CgroupControllers {
        var needed: CgroupControllers = []
        if memoryBytes != nil { needed.insert(.memory) }
        if pids != nil { needed.insert(.pids) }
        if cpuMillis != nil || cpuShares != nil { needed.insert(.cpu) }
        if cpus != nil || memoryNodes != nil { needed.insert(.cpuset) }
        return needed
    }

    /// Refuses limits that are nonsensical or above what the machine has.
    ///
    /// Swap may be larger than the machine's: callers ask for twice the memory by convention, on machines
    /// without swap too, and no promise is broken by it.
    ///
    /// - Throws: `SystemError` (EINVAL) that names the value and what would be right.
    package func validate(machine: MachineCapacity) throws(SystemError) {
        try check(
            "memory", memoryBytes, in: Self.memoryBytesLeast...max(Self.memoryBytesLeast, machine.memoryBytes),
            unit: " bytes")
        try validateSwap()
        try check("processes", pids, in: 1...max(1, machine.processes), unit: "")
        try check(
            "CPU time", cpuMillis, in: Self.cpuMillisLeast...max(Self.cpuMillisLeast, machine.cpus.count * 1000),
            unit: " thousandths of a CPU")
        try check("CPU shares", cpuShares, in: Self.cpuSharesRange, unit: "")
        try check("CPUs", cpus, in: machine.cpus)
        try check("memory nodes", memoryNodes, in: machine.memoryNodes)
    }

    private func validateSwap() throws(SystemError) {
        switch swap {
        case .none: return
        case .bytes(let bytes) where bytes < 0:
            throw SystemError(
                "limit swap to", "\(bytes) bytes", code: .invalid, advice: "Give the bytes on top of the memory limit.")
        case .bytes(let bytes) where memoryBytes.map({ $0.addingReportingOverflow(bytes).overflow }) ?? false:
            throw SystemError("limit swap to", "\(bytes) bytes", code: .invalid, advice: "Memory and swap overflow.")
        case .bytes, .unlimited:
            guard memoryBytes != nil else {
                throw SystemError(
                    "limit swap", code: .invalid, advice: "Swap counts on top of a memory limit: give one, too.")
            }
        }
    }

    private func check(
        _ what: String, _ value: Int?, in allowed: ClosedRange<Int>, unit: String
    ) throws(SystemError) {
        guard let value, !allowed.contains(value) else { return }
        throw SystemError(
            "limit \(what) to", "\(value)\(unit)", code: .invalid,
            advice: value < allowed.lowerBound
                ? "The least is \(allowed.lowerBound)." : "This machine allows at most \(allowed.upperBound).")
    }

    private func check(_ what: String, _ text: String?, in machine: IndexList) throws(SystemError) {
        guard let text else { return }
        guard let list = IndexList(text) else {
            throw SystemError(
                "use \(what)", "\"\(text)\"", code: .invalid,
                advice: "Write a list such as 0-3,7 with ascending ranges.")
        }
        if let missing = list.firstMissing(from: machine) {
            throw SystemError(
                "use \(what)", "\"\(text)\"", code: .invalid, advice: "This machine has \(machine), not \(missing).")
        }
    }
}
