import Linux
import MessageBus
import OCI
import RuntimeCgroups
import Spawn

/// The scope of systemd that is a container's cgroup, as the container's directory remembers it.
struct ContainerScope: Hashable, Sendable {
    var name: String
    /// Whether it is a user's systemd that keeps it.
    var isUser: Bool

    /// Two words: whose systemd, and the unit.
    var text: String { "\(isUser ? "user" : "system") \(name)\n" }

    init(name: String, isUser: Bool) {
        self.name = name
        self.isUser = isUser
    }

    init?(text: String) {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count == 2, ["user", "system"].contains(words[0]) else { return nil }
        self.init(name: String(words[1]), isUser: words[0] == "user")
    }

    /// Ends it. What is in it has ended before.
    func stop() throws(RuntimeFailure) {
        try asking("end \(name)") { () throws(BusFailure) in try SystemdManager(isUser: isUser).stop(name) }
    }

    /// Lets systemd know of changed limits, so that it does not take them back.
    func change(_ resources: Resources) throws(RuntimeFailure) {
        let isUnified = try attempt { () throws(SystemError) in try RuntimeCgroupLayout.ofThisProcess().isUnified }
        let manager = try asking { () throws(BusFailure) in try SystemdManager(isUser: isUser) }
        let properties = try attempt { () throws(SystemError) in
            try SystemdProperties(resources, isUnified: isUnified, version: manager.version, hasDevices: false)
        }
        guard !properties.list.isEmpty else { return }
        try asking("change \(name)") { () throws(BusFailure) in try manager.change(name, properties.list) }
    }
}

/// Asks systemd; what fails becomes a `RuntimeFailure`.
func asking<Value>(
    _ action: String = "ask systemd", _ body: () throws(BusFailure) -> Value
) throws(RuntimeFailure) -> Value {
    do { return try body() } catch { throw RuntimeFailure("--systemd-cgroup: \(action): \(error)") }
}

/// A process that only stands in a place until another is there: systemd makes no scope without one, and the container's
/// own is to be born in the scope.
struct Placeholder {
    private let launch: SteeredLaunch
    var pid: Int32 { launch.pid }

    init() throws(RuntimeFailure) {
        var steps = StepProgram()
        let socket = steps.slot()
        steps.add(.unshareFiles(lowest: 3))
        steps.add(.park(socket, first: socket, count: 0))
        launch = try spawning { () throws(SpawnError) in
            try SteeredLaunch(steps, call: ProgramCall(path: "", arguments: [], environment: []), parkingAt: socket)
        }
        _ = try spawning { () throws(SpawnError) in try launch.awaitWord() }
    }

    func end() { launch.abandon() }
}
