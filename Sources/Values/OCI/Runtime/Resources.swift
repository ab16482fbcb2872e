import JSON

/// What a container may use (config-linux.md, "Control groups"), or what an update changes. Every nil leaves what is
/// there, and so does 0 where the field says so: the specification's own types write 0 for nothing.
package struct Resources: Hashable, Sendable {
    /// In the order in which they are applied.
    package var devices: [DeviceRule] = []
    package var memory = MemoryResources()
    package var cpu = CPUResources()
    /// Tasks; -1 is no limit.
    package var tasks: Int64?
    package var blockIO = BlockIOResources()
    package var hugePages: [HugePageLimit] = []
    package var network = NetworkResources()
    /// By the device's name.
    package var rdma: [String: RDMALimit] = [:]
    /// Files of a v2 cgroup and what is written there.
    package var unified: [String: String] = [:]

    package init() {}

    /// Reads the resources of an update.
    package init(_ bytes: [UInt8]) throws(DocumentError) {
        self = try readRuntimeDocument("resources", bytes) { reader throws(JSONShapeError) in try Resources(&reader) }
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        devices = try reader.parts("devices") { rule throws(JSONShapeError) in try DeviceRule(&rule) }
        memory = try reader.object("memory") { part throws(JSONShapeError) in try MemoryResources(&part) } ?? memory
        cpu = try reader.object("cpu") { part throws(JSONShapeError) in try CPUResources(&part) } ?? cpu
        tasks = try reader.object("pids") { part throws(JSONShapeError) in try part.limit("limit") } ?? nil
        blockIO = try reader.object("blockIO") { part throws(JSONShapeError) in try BlockIOResources(&part) } ?? blockIO
        hugePages = try reader.parts("hugepageLimits", count: 64) { part throws(JSONShapeError) in
            try HugePageLimit(&part)
        }
        network = try reader.object("network") { part throws(JSONShapeError) in try NetworkResources(&part) } ?? network
        rdma = try reader.partByName("rdma") { name, part throws(JSONShapeError) in try RDMALimit(&part, name) }
        unified = try reader.textByName("unified", limit: RuntimeLimits.pathBytes)
        for name in unified.keys.sorted() where name.contains("/") || name.hasPrefix(".") || !name.contains(".") {
            throw reader.error("unified.\(name)", "expected the name of a file in a cgroup, such as \"memory.high\"")
        }
    }
}

/// A rule of the device controller (config-linux.md, "Allowed Device list").
package struct DeviceRule: Hashable, Sendable {
    package enum Kind: String, NamedBySpecification {
        case all = "a"
        case character = "c"
        case block = "b"
    }

    /// r, w and m.
    package struct Access: OptionSet, Hashable, Sendable {
        package var rawValue: UInt8
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        package static let read = Access(rawValue: 1)
        package static let write = Access(rawValue: 2)
        package static let makeNode = Access(rawValue: 4)
        package static let all: Access = [.read, .write, .makeNode]
    }

    package var isAllowed: Bool
    package var kind: Kind
    /// nil is every one.
    package var major: UInt32?
    package var minor: UInt32?
    package var access: Access

    package init(isAllowed: Bool, kind: Kind, major: UInt32? = nil, minor: UInt32? = nil, access: Access = .all) {
        self.isAllowed = isAllowed
        self.kind = kind
        self.major = major
        self.minor = minor
        self.access = access
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        isAllowed = try reader.required("allow")
        kind = try reader.name("type") ?? .all
        major = try Self.number(&reader, "major", limit: DeviceNumberLimits.major)
        minor = try Self.number(&reader, "minor", limit: DeviceNumberLimits.minor)
        access = []
        for letter in try reader.requiredText("access", limit: 16) {
            switch letter {
            case "r": access.insert(.read)
            case "w": access.insert(.write)
            case "m": access.insert(.makeNode)
            default: throw reader.error("access", "expected letters out of r, w and m; found \"\(letter)\"")
            }
        }
    }

    /// -1 is a manager's word for every number.
    private static func number(
        _ reader: inout JSONObjectReader, _ key: String, limit: UInt32
    ) throws(JSONShapeError) -> UInt32? {
        guard let number: Int64 = try reader.optional(key), number != -1 else { return nil }
        return try reader.deviceNumber(key, limit: limit)
    }
}

/// Huge pages of one size.
package struct HugePageLimit: Hashable, Sendable {
    /// As in the name of the control file: "2MB".
    package var pageSize: String
    /// Bytes.
    package var limit: UInt64

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        pageSize = try reader.requiredText("pageSize", limit: 16)
        let digits = pageSize.dropLast(2)
        let isSize =
            ["KB", "MB", "GB"].contains(String(pageSize.suffix(2))) && !digits.hasPrefix("0")
            && !digits.isEmpty && digits.utf8.allSatisfy { (0x30...0x39).contains($0) }
        guard isSize else { throw reader.error("pageSize", "expected a size such as \"2MB\", found \"\(pageSize)\"") }
        limit = try reader.requiredUnsigned("limit")
    }
}

/// net_cls and net_prio of v1.
package struct NetworkResources: Hashable, Sendable {
    package var classID: UInt32?
    /// By interface.
    package var priorities: [String: UInt32] = [:]

    package init() {}

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        classID = try reader.optional("classID")
        let read = try reader.parts("priorities", count: 1024) { part throws(JSONShapeError) in
            let name = try part.requiredText("name", limit: 15)
            let priority: UInt32 = try part.required("priority")
            return (name, priority)
        }
        for (index, (name, priority)) in read.enumerated() {
            guard priorities.updateValue(priority, forKey: name) == nil else {
                throw reader.error("priorities[\(index)].name", "\"\(name)\" stands twice")
            }
        }
    }
}

/// Handles and objects of one RDMA device; nil leaves it.
package struct RDMALimit: Hashable, Sendable {
    package var handles: UInt32?
    package var objects: UInt32?

    init(_ reader: inout JSONObjectReader, _ device: String) throws(JSONShapeError) {
        handles = try reader.optional("hcaHandles")
        objects = try reader.optional("hcaObjects")
        guard handles != nil || objects != nil else {
            throw reader.error("hcaHandles", "expected hcaHandles or hcaObjects, found neither")
        }
        guard !device.utf8.contains(where: { $0 <= 0x20 }) else {
            throw reader.error("hcaHandles", "no RDMA device has white space in its name")
        }
    }
}

extension JSONObjectReader {
    /// A limit, where -1 is none.
    mutating func limit(_ key: String) throws(JSONShapeError) -> Int64? {
        guard let value: Int64 = try optional(key) else { return nil }
        guard value >= -1 else { throw error(key, "expected a limit or -1 for none, found \(value)") }
        return value
    }

    /// The same where 0 is nothing.
    mutating func limitAboveZero(_ key: String) throws(JSONShapeError) -> Int64? {
        guard let value = try limit(key), value != 0 else { return nil }
        return value
    }

    /// A number where 0 is nothing.
    mutating func aboveZero(_ key: String) throws(JSONShapeError) -> UInt64? {
        guard let value = try unsigned(key), value != 0 else { return nil }
        return value
    }
}
