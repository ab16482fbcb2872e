import JSON

/// A namespace of the container (config-linux.md, "Namespaces").
package struct NamespaceSpec: Hashable, Sendable {
    package enum Kind: String, NamedBySpecification {
        case pid, network, mount, ipc, uts, user, cgroup, time

        /// CLONE_NEW* (uapi linux/sched.h).
        package var cloneFlag: UInt64 {
            switch self {
            case .pid: 0x2000_0000
            case .network: 0x4000_0000
            case .mount: 0x0002_0000
            case .ipc: 0x0800_0000
            case .uts: 0x0400_0000
            case .user: 0x1000_0000
            case .cgroup: 0x0200_0000
            case .time: 0x0000_0080
            }
        }

        /// The name below /proc/PID/ns.
        package var fileName: String {
            switch self {
            case .network: "net"
            case .mount: "mnt"
            default: rawValue
            }
        }
    }

    package var kind: Kind
    /// The absolute path of one to join; nil makes a new one.
    package var path: String?

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        kind = try reader.requiredName("type")
        path = try reader.filePath("path")
        if let path, !path.hasPrefix("/") {
            throw reader.error("path", "expected an absolute path, found \"\(path)\"")
        }
    }
}

extension LinuxSpec {
    /// The namespace of that kind, when the container has one of its own.
    package func namespace(_ kind: NamespaceSpec.Kind) -> NamespaceSpec? { namespaces.first { $0.kind == kind } }

    /// Whether the container gets a new namespace of that kind.
    package func hasNew(_ kind: NamespaceSpec.Kind) -> Bool { namespace(kind).map { $0.path == nil } ?? false }
}

/// How far a clock of the container is ahead (config-linux.md, "Offset for Time Namespace").
package struct TimeOffset: Hashable, Sendable {
    package enum Clock: String, NamedBySpecification { case monotonic, boottime }

    package var seconds: Int64
    /// Below a thousand million.
    package var nanoseconds: UInt32

    static func byClock(_ reader: inout JSONObjectReader) throws(JSONShapeError) -> [Clock: TimeOffset] {
        let read = try reader.partByName("timeOffsets") { _, part throws(JSONShapeError) in try TimeOffset(&part) }
        var result: [Clock: TimeOffset] = [:]
        for (name, offset) in read { result[try Clock.named(name, in: reader, "timeOffsets")] = offset }
        return result
    }

    private init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        seconds = try reader.optional("secs") ?? 0
        nanoseconds = try reader.optional("nanosecs") ?? 0
        guard nanoseconds < 1_000_000_000 else {
            throw reader.error("nanosecs", "expected 0 to 999999999, found \(nanoseconds)")
        }
    }
}
