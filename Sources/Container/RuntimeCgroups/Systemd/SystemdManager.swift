import Linux
package import MessageBus

/// systemd, asked over its bus (org.freedesktop.systemd1(5)).
///
/// Invariant: a unit that is asked for is there, or gone, when a call returns: its job is waited for.
/// (test: `a container's cgroup is a scope that systemd made`)
package struct SystemdManager {
    private let bus: BusConnection
    /// The number in front of its version.
    package let version: Int
    /// The cgroup in which its units are: "" for the machine's own.
    package let controlGroup: String

    private static let destination = "org.freedesktop.systemd1"
    private static let path = "/org/freedesktop/systemd1"
    private static let manager = "org.freedesktop.systemd1.Manager"

    /// - Parameter isUser: the manager of this user's services instead of the machine's.
    package init(isUser: Bool) throws(BusFailure) {
        bus = try BusConnection(path: try Self.address(isUser: isUser))
        let version = try Self.property("Version", bus)
        self.version = Int(version.drop { !$0.isNumber }.prefix { $0.isNumber }) ?? 0
        let group = try Self.property("ControlGroup", bus)
        controlGroup = group == "/" ? "" : group
        try bus.subscribe("type='signal',sender='\(Self.destination)',interface='\(Self.manager)',member='JobRemoved'")
    }

    private static func address(isUser: Bool) throws(BusFailure) -> String {
        let name = isUser ? "DBUS_SESSION_BUS_ADDRESS" : "DBUS_SYSTEM_BUS_ADDRESS"
        if let address = OwnProcess.variable(name) {
            if let path = BusAddress.path(address) { return path }
            throw .unreachable("\(name) is \"\(address)\"; expected unix:path=PATH")
        }
        if !isUser { return "/run/dbus/system_bus_socket" }
        guard let directory = OwnProcess.variable("XDG_RUNTIME_DIR") else {
            throw .unreachable("neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set")
        }
        return directory + "/bus"
    }

    private static func property(_ name: String, _ bus: BusConnection) throws(BusFailure) -> String {
        let answer = try bus.call(
            .call(
                destination, path, "org.freedesktop.DBus.Properties", "Get", [.string(manager), .string(name)]))
        guard let text = answer.first?.text else { throw .malformed("property \(name) of systemd that is no text") }
        return text
    }

    private func call(_ method: String, _ arguments: [BusValue]) throws(BusFailure) -> [BusValue] {
        try bus.call(.call(Self.destination, Self.path, Self.manager, method, arguments))
    }

    /// Makes a scope around processes and waits until it stands.
    package func start(_ unit: String, _ properties: [SystemdProperties.Property]) throws(BusFailure) {
        let arguments: [BusValue] = [
            .string(unit), .string("fail"), Self.list(properties), .array("(sa(sv))", []),
        ]
        let answer: [BusValue]
        do { answer = try call("StartTransientUnit", arguments) } catch {
            // One of this name that has failed stays until somebody has looked at it.
            guard error.name == "org.freedesktop.systemd1.UnitExists" else { throw error }
            _ = try call("ResetFailedUnit", [.string(unit)])
            answer = try call("StartTransientUnit", arguments)
        }
        try settle(answer, "to start \(unit)")
    }

    /// Ends a unit and waits until it is gone; one that is gone is no error.
    package func stop(_ unit: String) throws(BusFailure) {
        do {
            try settle(try call("StopUnit", [.string(unit), .string("replace")]), "to stop \(unit)")
        } catch {
            guard error.name == "org.freedesktop.systemd1.NoSuchUnit" else { throw error }
        }
        // Most are gone by then, and that is said with an error.
        _ = try? call("ResetFailedUnit", [.string(unit)])
    }

    /// Changes properties of a unit that runs, until it ends.
    package func change(_ unit: String, _ properties: [SystemdProperties.Property]) throws(BusFailure) {
        _ = try call("SetUnitProperties", [.string(unit), .boolean(true), Self.list(properties)])
    }

    private static func list(_ properties: [SystemdProperties.Property]) -> BusValue {
        .array("(sv)", properties.map { .structure([.string($0.name), .variant($0.value)]) })
    }

    private func settle(_ answer: [BusValue], _ what: String) throws(BusFailure) {
        guard case .path(let job)? = answer.first else { throw .malformed("answer of systemd that is no job") }
        let signal = try bus.signal("systemd \(what)") { signal in
            signal.member == "JobRemoved" && signal.body.count >= 4 && signal.body[1] == .path(job)
        }
        let result = signal.body[3].text ?? ""
        guard result == "done" else { throw .refused(name: "\(what): \(result)", message: "") }
    }
}
