package import JSON
package import Linux

/// The processes of a running container: `containers.top`.
package struct TopContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ContainerProcesses
    package static let operation = NodeOperation.topContainer

    package var container: String

    package init(container: String) { self.container = container }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { .members(("container", container.json)) }
}

package struct ContainerProcesses: NodeValue {
    package var processes: [ProcessSummary]

    package init(processes: [ProcessSummary]) { self.processes = processes }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(processes: try reader.nestedList("processes"))
    }

    package var json: JSONValue { .members(("processes", .array(processes.map(\.json)))) }
}

/// One process, as the machine sees it.
package struct ProcessSummary: NodeValue {
    /// The name of the effective user on this machine, or the number where it has none.
    package var user: String
    package var pid: Int32
    package var parent: Int32
    package var startedAt: Timestamp
    /// "pts/0"; nil: none.
    package var terminal: String?
    package var cpuMilliseconds: Int
    /// Its words, or its name in brackets where it has none.
    package var command: String

    package init(
        user: String, pid: Int32, parent: Int32, startedAt: Timestamp, terminal: String?, cpuMilliseconds: Int,
        command: String
    ) {
        self.user = user
        self.pid = pid
        self.parent = parent
        self.startedAt = startedAt
        self.terminal = terminal
        self.cpuMilliseconds = cpuMilliseconds
        self.command = command
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            user: try reader.required("user"), pid: try reader.required("pid"), parent: try reader.required("parent"),
            startedAt: try reader.required("startedAt"), terminal: try reader.optional("terminal"),
            cpuMilliseconds: try reader.required("cpuMilliseconds"), command: try reader.required("command"))
    }

    package var json: JSONValue {
        .members(
            ("user", user.json), ("pid", pid.json), ("parent", parent.json), ("startedAt", startedAt.json),
            ("terminal", terminal?.json), ("cpuMilliseconds", cpuMilliseconds.json), ("command", command.json))
    }
}
