import JSON
import Linux

/// Whether packets pass through the machine, ip(7) and the kernel's networking/ip-sysctl: networks need that, and the
/// machine gets back what it had.
///
/// Invariants
/// 1. What the machine had is on disk before it is changed. (test: `the machine routes no longer than its networks need it`)
/// 2. A machine where somebody else has bridges keeps on routing. (test: `routing that was there or that others need stays`)
struct RoutingRecord: Hashable, Sendable {
    /// Of the kernel that ran; after another start of the machine the record means nothing.
    var boot: String
    /// The network namespace that plays the machine.
    var namespace: UInt64
    /// Switches below /proc/sys/net that were turned from "0" to "1".
    var opened: [String]

    private static let ipv4 = "ipv4/ip_forward"

    /// What a network needs.
    static func switches(for network: NetworkDefinition) -> [String] {
        if network.isInternal { return [] }
        return [ipv4] + (network.ipv6 == nil ? [] : ["ipv6/conf/all/forwarding"])
    }

    /// Whether the machine did not route at all before.
    var hasOpenedAll: Bool { opened.contains(Self.ipv4) }

    /// The boot and namespace of the calling thread, with nothing opened.
    static func here() throws(SystemError) -> RoutingRecord {
        RoutingRecord(
            boot: try Files.readText("/proc/sys/kernel/random/boot_id"),
            namespace: try Files.status("/proc/thread-self/ns/net").inode, opened: [])
    }

    /// Whether it tells of the same machine, and still does.
    func isOf(_ other: RoutingRecord) -> Bool { boot == other.boot && namespace == other.namespace }

    var json: JSONValue {
        ["boot": .string(boot), "namespace": .string(String(namespace)), "opened": .array(opened.map { .string($0) })]
    }

    init(boot: String, namespace: UInt64, opened: [String]) {
        self.boot = boot
        self.namespace = namespace
        self.opened = opened
    }

    init(json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        let text: String = try reader.required("namespace")
        guard let namespace = UInt64(text) else { throw reader.error("namespace", "\"\(text)\" is no number") }
        self.init(boot: try reader.required("boot"), namespace: namespace, opened: try reader.list("opened"))
    }
}

extension NetworkService {
    /// Lets the machine route for a network, and notes what it had.
    func openRouting(for network: NetworkDefinition) async throws(NetworkFailure) {
        let directory = directory
        hasOpenedRouting = try await orFailureAsync { [machine] () async throws(SystemError) in
            try await machine.run { () throws(SystemError) in
                var record = try RoutingRecord.here()
                if let earlier = try directory.routing(), earlier.isOf(record) { record = earlier }
                var closed: [String] = []
                for name in RoutingRecord.switches(for: network) where try Files.readText(Self.path(name)) == "0" {
                    closed.append(name)
                }
                if !closed.isEmpty {
                    record.opened += closed.filter { !record.opened.contains($0) }
                    try directory.write(record)
                    for name in closed { try Files.writeText("1", to: Self.path(name)) }
                }
                return record.hasOpenedAll
            }
        }
    }

    /// Gives back what the machine had, unless somebody else's bridges need what we have opened.
    func closeRouting() async {
        let directory = directory
        hasOpenedRouting = false
        // What cannot be closed is what most machines with containers have anyway.
        try? await machine.run { () throws(SystemError) in
            guard let record = try directory.routing() else { return }
            let hasOthers = try NetlinkSocket().links().contains { $0.kind == "bridge" }
            if try record.isOf(RoutingRecord.here()), !hasOthers {
                for name in record.opened { try Files.writeText("0", to: Self.path(name)) }
            }
            try directory.removeRouting()
        }
    }

    private static func path(_ name: String) -> String { "/proc/sys/net/\(name)" }
}
