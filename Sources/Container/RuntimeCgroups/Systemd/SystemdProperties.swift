package import Linux
package import MessageBus
package import OCI
import Sandbox

/// Limits as properties of a unit (systemd.resource-control(5)), so that a reload of systemd leaves them in force. What
/// systemd has no property for is written to the cgroup alone, which the scope delegates. Pure.
package struct SystemdProperties: Hashable, Sendable {
    package struct Property: Hashable, Sendable {
        package var name: String
        package var value: BusValue

        package init(_ name: String, _ value: BusValue) {
            self.name = name
            self.value = value
        }
    }

    package private(set) var list: [Property] = []
    private let isUnified: Bool
    /// systemd's own version.
    private let version: Int

    /// - Parameters:
    ///   - isUnified: whether systemd keeps cgroups of v2.
    ///   - hasDevices: whether device rules are set, too: for a new unit always.
    package init(_ resources: Resources, isUnified: Bool, version: Int, hasDevices: Bool) throws(SystemError) {
        self.isUnified = isUnified
        self.version = version
        add(resources.memory)
        try add(resources.cpu)
        if let tasks = resources.tasks { add("TasksMax", .uint64(Self.limit(tasks))) }
        if let weight = resources.blockIO.weight {
            add(
                isUnified ? "IOWeight" : "BlockIOWeight",
                .uint64(UInt64(isUnified ? UnifiedWrites.ioWeight(of: weight) : Int(weight))))
        }
        if hasDevices || !resources.devices.isEmpty { try add(DeviceRules(resources.devices)) }
    }

    /// What every scope of a container has.
    package static func scope(
        _ unit: SystemdUnit, id: String, process: Int32, isUnified: Bool
    ) -> [Property] {
        [
            Property("Description", .string("forkless-oci container \(id)")),
            Property("Slice", .string(unit.slice)),
            Property("PIDs", .array("u", [.uint32(UInt32(process))])),
            // Ours to divide and to write in.
            Property("Delegate", .boolean(true)),
            Property("DefaultDependencies", .boolean(false)),
            Property("MemoryAccounting", .boolean(true)),
            Property("CPUAccounting", .boolean(true)),
            Property("TasksAccounting", .boolean(true)),
            Property(isUnified ? "IOAccounting" : "BlockIOAccounting", .boolean(true)),
        ]
    }

    private mutating func add(_ name: String, _ value: BusValue) { list.append(Property(name, value)) }

    /// -1 is no limit, systemd's infinity.
    private static func limit(_ value: Int64) -> UInt64 { value < 0 ? .max : UInt64(value) }

    private mutating func add(_ memory: MemoryResources) {
        if let limit = memory.limit { add(isUnified ? "MemoryMax" : "MemoryLimit", .uint64(Self.limit(limit))) }
        guard isUnified else { return }
        if let reservation = memory.reservation { add("MemoryLow", .uint64(Self.limit(reservation))) }
        if let swap = memory.swap {
            // The specification's holds memory, too; whether that fits together, `UnifiedWrites` says.
            if swap < 0 {
                add("MemorySwapMax", .uint64(.max))
            } else if let limit = memory.limit, limit >= 0, swap >= limit {
                add("MemorySwapMax", .uint64(UInt64(swap - limit)))
            }
        }
    }

    private mutating func add(_ cpu: CPUResources) throws(SystemError) {
        if let shares = cpu.shares {
            try CPUShares.check(shares)
            add(
                isUnified ? "CPUWeight" : "CPUShares",
                .uint64(isUnified ? UInt64(CPUShares.weight(of: shares)) : shares))
        }
        if let period = cpu.period, version >= 242 { add("CPUQuotaPeriodUSec", .uint64(period)) }
        if cpu.quota != nil || cpu.period != nil {
            add("CPUQuotaPerSecUSec", .uint64(Self.quotaPerSecond(cpu.quota ?? -1, cpu.period ?? 100_000)))
        }
        guard isUnified, version >= 244 else { return }
        for (name, text) in [("AllowedCPUs", cpu.cpus), ("AllowedMemoryNodes", cpu.mems)] {
            guard let text else { continue }
            add(name, .array("y", try CPUSetWrites.mask(text).map(BusValue.byte)))
        }
    }

    /// systemd counts in steps of one hundredth of a processor; what lies between becomes more, not less.
    static func quotaPerSecond(_ quota: Int64, _ period: UInt64) -> UInt64 {
        guard quota > 0, period > 0 else { return .max }
        let (high, low) = UInt64(quota).multipliedFullWidth(by: 1_000_000)
        guard high < period else { return .max }
        let exact = period.dividingFullWidth((high, low)).quotient
        let step: UInt64 = 10_000
        return exact > .max - step ? .max : (exact + step - 1) / step * step
    }

    private mutating func add(_ rules: DeviceRules) throws(SystemError) {
        let lists = try DeviceLists(rules)
        if lists.allowsAll {
            guard lists.exceptions.isEmpty else {
                throw SystemError(
                    "set linux.resources.devices", code: .notSupported,
                    advice: "systemd cannot deny single devices: deny all and allow others.")
            }
            add("DevicePolicy", .string("auto"))
            return add("DeviceAllow", .array("(ss)", []))
        }
        var entries: [BusValue] = []
        for (device, access) in lists.exceptions {
            let kind = device.kind == .block ? "block" : "char"
            let name: String
            switch (device.major, device.minor) {
            case (nil, nil): name = "\(kind)-*"
            case (let major?, nil): name = "\(kind)-\(major)"
            case (let major?, let minor?): name = "/dev/\(kind)/\(major):\(minor)"
            case (nil, _?):
                throw SystemError(
                    "set linux.resources.devices", code: .notSupported,
                    advice: "systemd cannot allow a minor number of every major one: name the major number.")
            }
            entries.append(.structure([.string(name), .string(access.letters)]))
        }
        add("DevicePolicy", .string("strict"))
        add("DeviceAllow", .array("(ss)", entries))
    }
}

extension CPUSetWrites {
    /// "0-3,7" as a mask, least significant byte first.
    static func mask(_ text: String) throws(SystemError) -> [UInt8] {
        guard let list = IndexList(text), let last = list.ranges.last?.upperBound, last < 1 << 16 else {
            throw SystemError(
                "set linux.resources.cpu.cpus or mems", "\"\(text)\"", code: .invalid,
                advice: "Write a list such as 0-3,7 with ascending ranges.")
        }
        var mask = [UInt8](repeating: 0, count: last / 8 + 1)
        for index in list.ranges.joined() { mask[index / 8] |= 1 << UInt8(index % 8) }
        return mask
    }
}
