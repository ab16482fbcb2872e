import JSON

/// Memory, in bytes; -1 is no limit, 0 leaves it.
package struct MemoryResources: Hashable, Sendable {
    package var limit: Int64?
    package var reservation: Int64?
    /// Memory and swap together.
    package var swap: Int64?
    package var kernel: Int64?
    package var kernelTCP: Int64?
    /// 0 to 100.
    package var swappiness: UInt64?
    package var disableOOMKiller: Bool?
    package var useHierarchy: Bool?
    /// A limit below what is in use is refused.
    package var checkBeforeUpdate: Bool?

    package init() {}

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        limit = try reader.limitAboveZero("limit")
        reservation = try reader.limitAboveZero("reservation")
        swap = try reader.limitAboveZero("swap")
        kernel = try reader.limitAboveZero("kernel")
        kernelTCP = try reader.limitAboveZero("kernelTCP")
        swappiness = try reader.unsigned("swappiness")
        if let swappiness, swappiness > 100 {
            throw reader.error("swappiness", "expected 0 to 100, found \(swappiness)")
        }
        disableOOMKiller = try reader.optional("disableOOMKiller")
        useHierarchy = try reader.optional("useHierarchy")
        checkBeforeUpdate = try reader.optional("checkBeforeUpdate")
    }
}

/// Processors; times in microseconds.
package struct CPUResources: Hashable, Sendable {
    /// 0 leaves it; the kernel takes 2 to 262144.
    package var shares: UInt64?
    /// -1 is no limit, 0 leaves it.
    package var quota: Int64?
    package var burst: UInt64?
    /// 0 leaves it.
    package var period: UInt64?
    /// 0 leaves it.
    package var realtimeRuntime: Int64?
    /// 0 leaves it.
    package var realtimePeriod: UInt64?
    /// "0-3,7".
    package var cpus: String?
    /// "0-3,7".
    package var mems: String?
    /// Whether the whole group gives way to everybody else (SCHED_IDLE).
    package var isIdle: Bool?

    package init() {}

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        shares = try reader.aboveZero("shares")
        quota = try reader.limitAboveZero("quota")
        burst = try reader.unsigned("burst")
        period = try reader.aboveZero("period")
        realtimeRuntime = try reader.limitAboveZero("realtimeRuntime")
        realtimePeriod = try reader.aboveZero("realtimePeriod")
        cpus = try reader.indexList("cpus")
        mems = try reader.indexList("mems")
        let idle: Int64? = try reader.optional("idle")
        if let idle, idle != 0, idle != 1 { throw reader.error("idle", "expected 0 or 1, found \(idle)") }
        isIdle = idle.map { $0 == 1 }
        if let quota, quota > 0, let burst, burst > UInt64(quota) {
            throw reader.error("burst", "\(burst) is above the quota of \(quota)")
        }
    }
}
