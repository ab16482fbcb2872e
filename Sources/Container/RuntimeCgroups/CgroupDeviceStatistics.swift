import JSON
import Linux

// Block devices and huge pages in the figures of `statistics`.

extension RuntimeCgroup {
    var blockStatistics: JSONValue {
        var json: JSONValue = [:]
        if let controller = branch(.blockIO), controller.isUnified {
            let (bytes, operations) = unifiedBlockEntries(controller)
            if !bytes.isEmpty { json["ioServiceBytesRecursive"] = .array(bytes) }
            if !operations.isEmpty { json["ioServicedRecursive"] = .array(operations) }
        } else if let controller = legacy("blkio") {
            for (key, name) in [
                ("ioServiceBytesRecursive", "io_service_bytes"), ("ioServicedRecursive", "io_serviced"),
                ("ioQueueRecursive", "io_queued"), ("ioServiceTimeRecursive", "io_service_time"),
                ("ioWaitTimeRecursive", "io_wait_time"), ("ioMergedRecursive", "io_merged"),
                ("ioTimeRecursive", "time"),
                ("sectorsRecursive", "sectors"),
            ] {
                let found = [
                    "blkio.bfq.\(name)_recursive", "blkio.throttle.\(name)_recursive", "blkio.\(name)_recursive",
                ]
                .map { legacyBlockEntries(controller, $0) }.first { !$0.isEmpty }
                if let found { json[key] = .array(found) }
            }
        }
        if let pressure = pressure("io.pressure") { json["psi"] = pressure }
        return json
    }

    /// Lines "8:0 Read 4096" with a last one for all.
    private func legacyBlockEntries(_ branch: Branch, _ file: String) -> [JSONValue] {
        (text(branch, file) ?? "").split(separator: "\n").compactMap { line in
            let fields = line.split(whereSeparator: { $0 == " " || $0 == ":" })
            guard fields.count >= 3, let major = Int64(fields[0]), let minor = Int64(fields[1]),
                let value = fields.last.flatMap({ Int64($0) })
            else { return nil }
            return Self.blockEntry(major, minor, fields.count > 3 ? String(fields[2]) : "", value)
        }
    }

    /// Lines "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0".
    private func unifiedBlockEntries(_ branch: Branch) -> (bytes: [JSONValue], operations: [JSONValue]) {
        var bytes: [JSONValue] = []
        var operations: [JSONValue] = []
        for line in (text(branch, "io.stat") ?? "").split(separator: "\n") {
            let fields = line.split(separator: " ")
            let numbers = fields[0].split(separator: ":").compactMap { Int64($0) }
            guard numbers.count == 2 else { continue }
            for field in fields.dropFirst() {
                let parts = field.split(separator: "=")
                guard parts.count == 2, let value = Int64(parts[1]) else { continue }
                switch parts[0] {
                case "rbytes": bytes.append(Self.blockEntry(numbers[0], numbers[1], "Read", value))
                case "wbytes": bytes.append(Self.blockEntry(numbers[0], numbers[1], "Write", value))
                case "dbytes": bytes.append(Self.blockEntry(numbers[0], numbers[1], "Discard", value))
                case "rios": operations.append(Self.blockEntry(numbers[0], numbers[1], "Read", value))
                case "wios": operations.append(Self.blockEntry(numbers[0], numbers[1], "Write", value))
                case "dios": operations.append(Self.blockEntry(numbers[0], numbers[1], "Discard", value))
                default: continue
                }
            }
        }
        return (bytes, operations)
    }

    private static func blockEntry(_ major: Int64, _ minor: Int64, _ operation: String, _ value: Int64) -> JSONValue {
        var json: JSONValue = [:]
        json.set("major", major)
        json.set("minor", minor)
        if !operation.isEmpty { json["op"] = .string(operation) }
        json.set("value", value)
        return json
    }

    var hugePageStatistics: JSONValue {
        guard let controller = branch(.hugePages) else { return [:] }
        let suffix = controller.isUnified ? ".current" : ".usage_in_bytes"
        var json: JSONValue = [:]
        for file in ((try? Files.list(controller.path)) ?? []).sorted()
        where file.hasPrefix("hugetlb.") && file.hasSuffix(suffix) && !file.contains(".rsvd.") {
            let size = String(file.dropFirst("hugetlb.".count).dropLast(suffix.count))
            let prefix = "hugetlb." + size
            let failures =
                controller.isUnified
                ? table(controller, prefix + ".events")["max"] : number(controller, prefix + ".failcnt")
            var one: JSONValue = ["failcnt": .integer(failures ?? 0)]
            one.set("usage", number(controller, file))
            if !controller.isUnified { one.set("max", number(controller, prefix + ".max_usage_in_bytes")) }
            json[size] = one
        }
        return json
    }
}
