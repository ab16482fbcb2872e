package import JSON
import Linux

/// What a container uses, in the form that managers know from `runc events --stats` (the member `data`).
///
/// Times are nanoseconds, memory is bytes. What the kernel does not count is left out, or 0 where the form has no way
/// to leave it out.
extension RuntimeCgroup {
    package func statistics() -> JSONValue {
        [
            "cpu": cpuStatistics,
            "cpuset": cpusetStatistics,
            "memory": memoryStatistics,
            "pids": taskStatistics,
            "blkio": blockStatistics,
            "hugetlb": hugePageStatistics,
            "intel_rdt": [:],
            "network_interfaces": .null,
        ]
    }

    func text(_ branch: Branch?, _ file: String) -> String? {
        branch.flatMap { try? Files.readText($0.path + "/" + file) }
    }

    func number(_ branch: Branch?, _ file: String) -> Int64? { text(branch, file).flatMap(Self.number) }

    /// A figure; one beyond Int64 ("none" on v1 is near 2^63) is the largest, and "max" as well.
    static func number(_ text: some StringProtocol) -> Int64? {
        text == "max" ? .max : Int64(text) ?? (UInt64(text) == nil ? nil : .max)
    }

    /// Lines of "key value".
    func table(_ branch: Branch?, _ file: String) -> [String: Int64] {
        var table: [String: Int64] = [:]
        for line in (text(branch, file) ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            if fields.count == 2, let value = Self.number(fields[1]) { table[String(fields[0])] = value }
        }
        return table
    }

    func legacy(_ name: String) -> Branch? {
        branches.first { !$0.isUnified && $0.controllers.contains(name) }
    }

    // MARK: CPU

    private var cpuStatistics: JSONValue {
        var usage: JSONValue = ["kernel": 0, "user": 0]
        var throttling: JSONValue = [:]
        if let account = legacy("cpuacct") {
            usage.set("total", number(account, "cpuacct.usage"))
            for (key, file) in [
                ("percpu", "cpuacct.usage_percpu"), ("percpu_kernel", "cpuacct.usage_percpu_sys"),
                ("percpu_user", "cpuacct.usage_percpu_user"),
            ] {
                let each = (text(account, file) ?? "").split(separator: " ").compactMap { Int64($0) }
                if !each.isEmpty { usage[key] = .array(each.map { .integer($0) }) }
            }
            usage.set("kernel", number(account, "cpuacct.usage_sys"))
            usage.set("user", number(account, "cpuacct.usage_user"))
        } else {
            let table = table(unified, "cpu.stat")
            usage.set("total", table["usage_usec"].map(Self.nanoseconds))
            usage.set("kernel", table["system_usec"].map(Self.nanoseconds))
            usage.set("user", table["user_usec"].map(Self.nanoseconds))
        }
        let controller = branch(.cpu)
        let table = table(controller, "cpu.stat")
        throttling.set("periods", table["nr_periods"])
        throttling.set("throttledPeriods", table["nr_throttled"])
        throttling.set("throttledTime", table["throttled_time"] ?? table["throttled_usec"].map(Self.nanoseconds))
        var json: JSONValue = ["usage": usage, "throttling": throttling]
        if let pressure = pressure("cpu.pressure") { json["psi"] = pressure }
        return json
    }

    private static func nanoseconds(_ microseconds: Int64) -> Int64 {
        microseconds.multipliedReportingOverflow(by: 1000).partialValue
    }

    private var cpusetStatistics: JSONValue {
        let set = legacy("cpuset")
        var json: JSONValue = [:]
        for (key, file) in [
            ("cpu_exclusive", "cpuset.cpu_exclusive"), ("mem_hardwall", "cpuset.mem_hardwall"),
            ("mem_exclusive", "cpuset.mem_exclusive"), ("memory_migrate", "cpuset.memory_migrate"),
            ("memory_spread_page", "cpuset.memory_spread_page"), ("memory_spread_slab", "cpuset.memory_spread_slab"),
            ("memory_pressure", "cpuset.memory_pressure"), ("sched_load_balance", "cpuset.sched_load_balance"),
            ("sched_relax_domain_level", "cpuset.sched_relax_domain_level"),
        ] { json[key] = .integer(number(set, file) ?? 0) }
        let controller = branch(.cpuset)
        for (key, file) in [("cpus", "cpuset.cpus"), ("mems", "cpuset.mems")] {
            let list = Self.indexes(text(controller, file) ?? "")
            if !list.isEmpty { json[key] = .array(list.map { .integer($0) }) }
        }
        return json
    }

    /// The numbers of a list "0-3,7"; a machine has few.
    private static func indexes(_ text: String) -> [Int64] {
        text.split(separator: ",").flatMap { part -> [Int64] in
            let ends = part.split(separator: "-").compactMap { Int64($0) }
            guard let first = ends.first, let last = ends.last, first <= last, last < 65_536 else { return [] }
            return Array(first...last)
        }
    }

    // MARK: Memory and tasks

    private var memoryStatistics: JSONValue {
        let controller = branch(.memory)
        let raw = table(controller, "memory.stat")
        var json: JSONValue = [:]
        if controller?.isUnified == true {
            json.set("cache", raw["file"])
            json["usage"] = entry(
                controller, limit: "memory.max", usage: "memory.current", maximum: "memory.peak",
                failures: table(controller, "memory.events")["max"])
            json["swap"] = unifiedSwap(controller)
            json["kernel"] = ["limit": 0, "failcnt": 0]
            json["kernelTCP"] = ["limit": 0, "failcnt": 0]
        } else {
            json.set("cache", raw["total_cache"] ?? raw["cache"])
            for (key, prefix) in [
                ("usage", "memory"), ("swap", "memory.memsw"), ("kernel", "memory.kmem"),
                ("kernelTCP", "memory.kmem.tcp"),
            ] {
                json[key] = entry(
                    controller, limit: prefix + ".limit_in_bytes", usage: prefix + ".usage_in_bytes",
                    maximum: prefix + ".max_usage_in_bytes", failures: number(controller, prefix + ".failcnt"))
            }
        }
        if !raw.isEmpty { json["raw"] = raw.json }
        if let pressure = pressure("memory.pressure") { json["psi"] = pressure }
        return json
    }

    private func entry(
        _ branch: Branch?, limit: String, usage: String, maximum: String, failures: Int64?
    ) -> JSONValue {
        var json: JSONValue = ["limit": .integer(number(branch, limit) ?? 0), "failcnt": .integer(failures ?? 0)]
        json.set("usage", number(branch, usage))
        json.set("max", number(branch, maximum))
        return json
    }

    /// v2 counts swap alone; the form wants it with memory.
    private func unifiedSwap(_ branch: Branch?) -> JSONValue {
        func sum(_ a: String, _ b: String) -> Int64? {
            guard let a = number(branch, a), let b = number(branch, b) else { return nil }
            return a == .max || b == .max ? .max : a + b
        }
        var json: JSONValue = [
            "limit": .integer(sum("memory.max", "memory.swap.max") ?? 0),
            "failcnt": .integer(table(branch, "memory.swap.events")["fail"] ?? 0),
        ]
        json.set("usage", sum("memory.current", "memory.swap.current"))
        return json
    }

    private var taskStatistics: JSONValue {
        let controller = branch(.tasks)
        var json: JSONValue = [:]
        json.set("current", number(controller, "pids.current"))
        // No limit is 0, which is left out.
        if let limit = number(controller, "pids.max"), limit != .max { json.set("limit", limit) }
        return json
    }

    // MARK: Pressure

    /// Lines "some avg10=0.00 avg60=0.00 avg300=0.00 total=0" of v2 (Documentation/accounting/psi.rst of Linux).
    func pressure(_ file: String) -> JSONValue? {
        guard let text = text(unified, file) else { return nil }
        var json: JSONValue = [:]
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            var one: JSONValue = [:]
            for field in fields.dropFirst() {
                let parts = field.split(separator: "=")
                guard parts.count == 2, let value = JSONValue(numberText: String(parts[1])) else { continue }
                one[String(parts[0])] = value
            }
            json[String(fields[0])] = one
        }
        return json
    }
}

extension JSONValue {
    /// Sets a figure, and leaves out nothing and 0, as the form does.
    mutating func set(_ key: String, _ value: Int64?) {
        if let value, value != 0 { self[key] = .integer(value) }
    }
}
