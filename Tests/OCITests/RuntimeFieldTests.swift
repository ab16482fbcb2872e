import JSON
import OCI
import Testing

/// Every field of config.json with everything that can be wrong with it. The fields are those of
/// `RuntimeDocuments.full`; that no property of the types is missing there, a test of its own sees to.
@Suite struct RuntimeFieldTests {
    // MARK: The table

    /// Fields that must be there where the object around them is.
    static let required: Set<String> = [
        "ociVersion", "root.path", "process.user", "process.user.uid", "process.user.gid", "process.cwd",
        "process.consoleSize.height", "process.consoleSize.width", "process.rlimits[0].type",
        "process.rlimits[0].soft", "process.rlimits[0].hard", "process.scheduler.policy", "process.ioPriority.class",
        "process.ioPriority.priority", "mounts[0].destination", "mounts[0].uidMappings", "mounts[0].gidMappings",
        "linux.devices[0].type", "linux.devices[0].path", "linux.devices[0].major", "linux.devices[0].minor",
        "linux.resources.devices[0].allow", "linux.resources.devices[0].access",
        "linux.resources.blockIO.weightDevice[0].major", "linux.resources.blockIO.weightDevice[0].minor",
        "linux.resources.hugepageLimits[0].pageSize", "linux.resources.hugepageLimits[0].limit",
        "linux.resources.network.priorities[0].name", "linux.resources.network.priorities[0].priority",
        "linux.memoryPolicy.mode", "linux.personality.domain", "linux.seccomp.defaultAction",
        "linux.seccomp.listenerPath", "linux.seccomp.syscalls[0].names", "linux.seccomp.syscalls[0].action",
        "linux.seccomp.syscalls[0].args[0].index", "linux.seccomp.syscalls[0].args[0].value",
        "linux.seccomp.syscalls[0].args[0].op",
    ]
    static let requiredOfAll = required.union(
        ["mounts[0].uidMappings", "mounts[0].gidMappings", "linux.uidMappings", "linux.gidMappings"].flatMap { map in
            ["containerID", "hostID", "size"].map { "\(map)[0].\($0)" }
        }
            + HooksSpec.Stage.allCases.map { "hooks.\($0.rawValue)[0].path" }
            + (0..<8).map { "linux.namespaces[\($0)].type" }
            + ["throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice"]
            .flatMap {
                device in ["major", "minor", "rate"].map { "linux.resources.blockIO.\(device)[0].\($0)" }
            })

    private static let u32 = Int128(0)...Int128(UInt32.max)
    private static let u64 = Int128(0)...Int128(UInt64.max)
    private static let limit = Int128(-1)...Int128(Int64.max)
    private static let id = Int128(0)...Int128(UInt32.max - 1)

    /// What every number may be, given the rest of the document: both ends are accepted, their neighbours refused.
    static let ranges: [String: ClosedRange<Int128>] = {
        var ranges: [String: ClosedRange<Int128>] = [
            "process.consoleSize.height": u64, "process.consoleSize.width": u64, "process.user.uid": id,
            "process.user.gid": id, "process.user.umask": 0...511, "process.user.additionalGids[0]": id,
            "process.rlimits[0].soft": u64, "process.rlimits[0].hard": 10...Int128(UInt64.max),
            "process.oomScoreAdj": -1000...1000, "process.scheduler.nice": -20...19,
            "process.scheduler.priority": 0...99, "process.scheduler.runtime": u64, "process.scheduler.deadline": u64,
            "process.scheduler.period": u64, "process.ioPriority.priority": 0...7,
            "linux.devices[0].major": 0...4095, "linux.devices[0].minor": 0...1_048_575,
            "linux.devices[0].fileMode": 0...65_535, "linux.devices[0].uid": u32, "linux.devices[0].gid": u32,
            "linux.resources.devices[0].major": -1...4095, "linux.resources.devices[0].minor": -1...1_048_575,
            "linux.resources.memory.swappiness": 0...100, "linux.resources.cpu.shares": u64,
            "linux.resources.cpu.quota": limit, "linux.resources.cpu.burst": 0...50_000,
            "linux.resources.cpu.period": u64, "linux.resources.cpu.realtimeRuntime": limit,
            "linux.resources.cpu.realtimePeriod": u64, "linux.resources.cpu.idle": 0...1,
            "linux.resources.pids.limit": limit, "linux.resources.blockIO.weight": 0...1000,
            "linux.resources.blockIO.leafWeight": 0...1000,
            "linux.resources.blockIO.weightDevice[0].major": 0...4095,
            "linux.resources.blockIO.weightDevice[0].minor": 0...1_048_575,
            "linux.resources.blockIO.weightDevice[0].weight": 0...1000,
            "linux.resources.blockIO.weightDevice[0].leafWeight": 0...1000,
            "linux.resources.hugepageLimits[0].limit": u64, "linux.resources.network.classID": u32,
            "linux.resources.network.priorities[0].priority": u32, "linux.resources.rdma.mlx5_1.hcaHandles": u32,
            "linux.resources.rdma.mlx5_1.hcaObjects": u32, "linux.seccomp.defaultErrnoRet": 0...4095,
            "linux.seccomp.syscalls[0].errnoRet": 0...4095, "linux.seccomp.syscalls[0].args[0].index": 0...5,
            "linux.seccomp.syscalls[0].args[0].value": u64, "linux.seccomp.syscalls[0].args[0].valueTwo": u64,
        ]
        for key in ["limit", "reservation", "swap", "kernel", "kernelTCP"] {
            ranges["linux.resources.memory.\(key)"] = limit
        }
        for key in [
            "throttleReadBpsDevice", "throttleWriteBpsDevice", "throttleReadIOPSDevice", "throttleWriteIOPSDevice",
        ] {
            ranges["linux.resources.blockIO.\(key)[0].major"] = 0...4095
            ranges["linux.resources.blockIO.\(key)[0].minor"] = 0...1_048_575
            ranges["linux.resources.blockIO.\(key)[0].rate"] = u64
        }
        for stage in HooksSpec.Stage.allCases { ranges["hooks.\(stage.rawValue)[0].timeout"] = 1...2_147_483_648 }
        for clock in ["monotonic", "boottime"] {
            ranges["linux.timeOffsets.\(clock).secs"] = Int128(Int64.min)...Int128(Int64.max)
            ranges["linux.timeOffsets.\(clock).nanosecs"] = 0...999_999_999
        }
        for map in ["mounts[0].uidMappings", "mounts[0].gidMappings", "linux.uidMappings", "linux.gidMappings"] {
            ranges["\(map)[0].containerID"] = 0...(4_294_967_295 - 1000)
            ranges["\(map)[0].hostID"] = 0...(4_294_967_295 - 1000)
            ranges["\(map)[0].size"] = 1...(4_294_967_295 - 1000)
        }
        return ranges
    }()

    // MARK: The tests

    @Test func `the full document has a value for every property of the types`() throws {
        let spec = try RuntimeDocuments.spec(RuntimeDocuments.full)
        var missing: [String] = []
        // What the options of one mount say is MountOptionsTests' matter.
        Self.findEmpty(spec, "spec", &missing) { $0 is MountOptions || $0 is MountOptions.Propagation }
        // Personality has no flags, and the second namespace alone has a path.
        #expect(missing.filter { !$0.hasSuffix(".path") } == [])
        #expect(missing.allSatisfy { $0.contains("namespaces") })
    }

    @Test func `every number has its range in the table`() {
        let numbers = Self.fields().filter { $0.value.double != nil }.map(\.path)
        #expect(Set(numbers) == Set(Self.ranges.keys))
        #expect(Self.requiredOfAll.isSubset(of: Self.fields().map(\.path)))
    }

    @Test func `a field of another type is refused by its name`() {
        let others: [JSONValue] = [true, 7, 1.5, "x\u{1}", [[]], ["x": [:]]]
        for field in Self.fields() {
            for other in others where !Self.isAlike(field.value, other) {
                let problem = Self.problem(field, other)
                #expect(problem?.contains(field.path) == true, "\(field.path) = \(other): \(problem ?? "accepted")")
            }
        }
    }

    @Test func `a field that is null is a field that is missing, and a required one is missed`() {
        for field in Self.fields() {
            let missing = Self.problem(field, nil)
            let null = Self.problem(field, .null)
            let isElement = field.path.hasSuffix("]")
            if !isElement { #expect(missing == null, "\(field.path)") }
            if Self.requiredOfAll.contains(field.path) {
                // The listener's path is what its metadata misses.
                let isNamed =
                    missing?.contains(field.path) == true || missing?.hasSuffix("needs a listenerPath") == true
                #expect(isNamed, "\(field.path): \(missing ?? "accepted")")
            } else if !isElement {
                #expect(missing == nil, "\(field.path): \(missing ?? "")")
            }
        }
    }

    @Test func `a number beyond its range is refused by its name, and its ends are accepted`() {
        for field in Self.fields() where field.value.double != nil {
            guard let range = Self.ranges[field.path] else { continue }
            for inside in [range.lowerBound, range.upperBound] {
                let problem = Self.problem(field, Self.number(inside))
                #expect(problem == nil, "\(field.path) = \(inside): \(problem ?? "")")
            }
            let beyond: [Int128] = [range.lowerBound - 1, range.upperBound + 1, -(1 << 63) - 1, 1 << 64, 1 << 100]
            let odd = ["1e3", "1.5", "-0.5", "1e400"].compactMap { JSONValue(numberText: $0) }
            for outside in beyond.map(Self.number) + odd {
                let problem = Self.problem(field, outside)
                // A bound that another field sets is that one's error as much as this one's.
                let parent = field.path.split(separator: ".").dropLast().joined(separator: ".")
                #expect(problem?.contains(parent) == true, "\(field.path) = \(outside): \(problem ?? "accepted")")
            }
        }
    }

    @Test func `a text or list without end is refused by its name`() {
        let text = String(repeating: "a", count: 200_000)
        for field in Self.fields() {
            switch field.value {
            case .string:
                let problem = Self.problem(field, .string(text))
                #expect(problem?.contains(field.path) == true, "\(field.path): \(problem ?? "accepted")")
                #expect((problem ?? "").utf8.count < 1000, "\(field.path) is repeated in the error")
            case .array(let elements) where !elements.isEmpty:
                let isLong = ["args", "env"].contains { field.path == "process.\($0)" } || field.path.hasSuffix("Gids")
                let problem = Self.problem(field, .array(Array(repeating: elements[0], count: isLong ? 131_073 : 8193)))
                #expect(problem?.contains(field.path) == true, "\(field.path): \(problem ?? "accepted")")
            default: continue
            }
        }
    }

    @Test func `an empty text, list or object is refused by its name or means nothing`() {
        for field in Self.fields() {
            let empty: JSONValue
            switch field.value {
            case .string: empty = ""
            case .array: empty = []
            case .object: empty = [:]
            default: continue
            }
            guard let problem = Self.problem(field, empty) else { continue }
            let names =
                problem.contains(field.path) || problem.hasSuffix("needs a listenerPath")
                || Self.fields().contains {
                    $0.path.hasPrefix(field.path) && problem.contains($0.path)
                }
            #expect(names, "\(field.path): \(problem)")
        }
    }

    @Test func `a NUL in any text is refused by its name`() {
        for field in Self.fields() {
            guard case .string(let text) = field.value else { continue }
            #expect(Self.problem(field, .string(text + "\0"))?.contains(field.path) == true, "\(field.path)")
        }
    }

    @Test func `members that nobody knows are ignored`() throws {
        var json = RuntimeDocuments.full
        for field in Self.fields() {
            guard case .object(var object) = field.value, !field.path.hasPrefix("annotations"),
                !["sysctl", "unified", "timeOffsets", "rdma", "netDevices"].contains(where: { field.path.hasSuffix($0) }
                )
            else { continue }
            object["dev.forkless.unknown"] = ["a": 1]
            json = Self.replacing(json, field.steps[...], .object(object))
        }
        #expect(try RuntimeDocuments.spec(RuntimeDocuments.full) == RuntimeDocuments.spec(json))
    }

    // MARK: Walking a document

    enum Step {
        case name(String)
        case index(Int)
    }

    struct Field {
        var path: String
        var steps: [Step]
        var value: JSONValue
    }

    /// Every member and element of the full document.
    static func fields() -> [Field] {
        var found: [Field] = []
        func walk(_ value: JSONValue, _ path: String, _ steps: [Step]) {
            if !steps.isEmpty { found.append(Field(path: path, steps: steps, value: value)) }
            switch value {
            case .object(let object):
                for member in object.members {
                    walk(member.value, path.isEmpty ? member.key : "\(path).\(member.key)", steps + [.name(member.key)])
                }
            case .array(let elements):
                for (index, element) in elements.enumerated() {
                    walk(element, "\(path)[\(index)]", steps + [.index(index)])
                }
            default: return
            }
        }
        walk(RuntimeDocuments.full, "", [])
        return found
    }

    static func replacing(_ json: JSONValue, _ steps: ArraySlice<Step>, _ value: JSONValue?) -> JSONValue {
        guard let step = steps.first else { return value ?? .null }
        switch (json, step) {
        case (.object(var object), .name(let name)):
            if steps.count == 1 {
                object[name] = value
            } else {
                object[name] = replacing(object[name]!, steps.dropFirst(), value)
            }
            return .object(object)
        case (.array(var elements), .index(let index)):
            if steps.count == 1, value == nil {
                elements.remove(at: index)
            } else {
                elements[index] = replacing(elements[index], steps.dropFirst(), value)
            }
            return .array(elements)
        default: preconditionFailure("a path of the document leads through it")
        }
    }

    static func problem(_ field: Field, _ value: JSONValue?) -> String? {
        do throws(DocumentError) {
            _ = try RuntimeSpec(Documents.bytes(replacing(RuntimeDocuments.full, field.steps[...], value)))
            return nil
        } catch { return error.problem }
    }

    static func number(_ number: Int128) -> JSONValue { JSONValue(numberText: String(number))! }

    private static func isAlike(_ a: JSONValue, _ b: JSONValue) -> Bool {
        switch (a, b) {
        case (.bool, .bool), (.string, .string): true
        case (.integer, .integer), (.integer, .number), (.number, .integer), (.number, .number): true
        // An empty list has no elements to be wrong: those of personality.flags.
        case (.array, .array), (.object, .object): true
        default: false
        }
    }

    private static func findEmpty(_ value: Any, _ path: String, _ found: inout [String], skip: (Any) -> Bool) {
        if skip(value) { return }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional:
            guard let inner = mirror.children.first else { return found.append(path) }
            findEmpty(inner.value, path, &found, skip: skip)
        case .collection, .dictionary, .set:
            if mirror.children.isEmpty { found.append(path) }
            for (index, child) in mirror.children.enumerated() {
                findEmpty(child.value, "\(path)[\(index)]", &found, skip: skip)
            }
        case .struct, .tuple:
            for child in mirror.children { findEmpty(child.value, "\(path).\(child.label ?? "?")", &found, skip: skip) }
            if mirror.children.isEmpty, isNothing(value) { found.append(path) }
        default: if isNothing(value) { found.append(path) }
        }
    }

    private static func isNothing(_ value: Any) -> Bool {
        if let value = value as? String { return value.isEmpty }
        if let value = value as? Bool { return !value }
        if let value = value as? any FixedWidthInteger { return Int128(value) == 0 }
        return false
    }
}
