import JSON
import Linux
import OCI
import RuntimeCgroups

extension Verbs {
    /// `update`: changes the limits of a container, by a file of resources or by options.
    func update(_ id: String, _ read: OptionReading) throws(RuntimeFailure) {
        let resources = try ResourceChange.read(read)
        let directory = try StateDirectory(id, root: options.root)
        let lock = try directory.takeLock()
        defer { withExtendedLifetime(lock) {} }
        let record = try Container(directory).demand(.update)
        var cgroup = RuntimeCgroup(recorded: record.cgroups)
        try attempt { () throws(SystemError) in try cgroup.check(resources) }
        // systemd first: it writes what it is told, and more than it is told stands in the cgroup.
        if let scope = directory.scope() { try scope.change(cgroup.completed(resources)) }
        try attempt { () throws(SystemError) in try cgroup.apply(resources) }
    }
}

/// The change that `update` asks for.
enum ResourceChange {
    private static let numbers: [(option: String, part: String, field: String)] = [
        ("blkio-weight", "blockIO", "weight"), ("cpu-period", "cpu", "period"), ("cpu-quota", "cpu", "quota"),
        ("cpu-burst", "cpu", "burst"), ("cpu-share", "cpu", "shares"), ("cpu-rt-period", "cpu", "realtimePeriod"),
        ("cpu-rt-runtime", "cpu", "realtimeRuntime"), ("cpu-idle", "cpu", "idle"), ("pids-limit", "pids", "limit"),
    ]
    private static let sizes: [(option: String, field: String)] = [
        ("memory", "limit"), ("memory-reservation", "reservation"), ("memory-swap", "swap"),
    ]

    static func read(_ read: OptionReading) throws(RuntimeFailure) -> Resources {
        do { return try Resources(try bytes(read)) } catch let failure as RuntimeFailure { throw failure } catch {
            throw RuntimeFailure("\(error)")
        }
    }

    private static func bytes(_ read: OptionReading) throws(RuntimeFailure) -> [UInt8] {
        if let path = read.value("resources") {
            return try attempt("read --resources") { () throws(SystemError) in
                path == "-"
                    ? try Files.readAll(0, limit: RuntimeLimits.documentBytes, name: "standard input")
                    : try Files.read(path, limit: RuntimeLimits.documentBytes)
            }
        }
        return JSONWriter.bytes(try json(read))
    }

    /// The options as the specification's own JSON. Pure.
    static func json(_ read: OptionReading) throws(RuntimeFailure) -> JSONValue {
        var json: JSONValue = [:]
        for (option, part, field) in numbers {
            guard let text = read.value(option) else { continue }
            guard let number = Int64(text) else {
                throw RuntimeFailure("--\(option): expected a number, found \"\(text)\"")
            }
            json[part, field] = .integer(number)
        }
        for (option, field) in sizes {
            guard let text = read.value(option) else { continue }
            json["memory", field] = .integer(try size(text, option))
        }
        for (option, field) in [("cpuset-cpus", "cpus"), ("cpuset-mems", "mems")] {
            if let text = read.value(option) { json["cpu", field] = .string(text) }
        }
        return json
    }

    /// "512m", "1g", "1048576", "-1": bytes.
    private static func size(_ text: String, _ option: String) throws(RuntimeFailure) -> Int64 {
        var digits = text.lowercased()
        if digits.hasSuffix("b") { digits.removeLast() }
        let units: [Character: Int64] = ["k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40]
        var unit: Int64 = 1
        if let last = digits.last, let known = units[last] {
            unit = known
            digits.removeLast()
        }
        guard let number = Int64(digits), number >= -1 else {
            throw RuntimeFailure("--\(option): expected a size such as 512m, found \"\(text)\"")
        }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow else { throw RuntimeFailure("--\(option): \"\(text)\" is too much") }
        return bytes
    }
}
