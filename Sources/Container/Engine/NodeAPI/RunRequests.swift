package import Linux

/// What the standard streams of a program are connected to.
package enum Attachment: String, Hashable, Sendable, CaseIterable {
    /// The request carries three descriptors, which the program gets as stdin, stdout and stderr. Nothing is logged.
    case passed
    /// stdin is empty, output goes to the log.
    case detached
    /// A pseudo-terminal, logged. The first item carries two descriptors: read the terminal's output from the first,
    /// write its input to the second. Needs `terminal` in the spec.
    case terminal
}

/// Creates and starts a container in one go: `containers.run`.
///
/// The item comes when the program has been exec'ed; the answer then, or with `waits` when it has ended.
package struct RunContainer: NodeRequest {
    package typealias Item = ContainerStarted
    package typealias Answer = RunAnswer
    package static let operation = NodeOperation.runContainer

    package var spec: ContainerSpec
    package var attachment: Attachment
    /// The terminal's size at the start; nil: 24 by 80.
    package var terminalSize: Terminal.Size?
    /// Whether the answer waits for the end.
    package var waits: Bool

    package init(
        _ spec: ContainerSpec, attachment: Attachment, terminalSize: Terminal.Size? = nil, waits: Bool
    ) {
        self.spec = spec
        self.attachment = attachment
        self.terminalSize = terminalSize
        self.waits = waits
    }
}

/// The program runs.
package struct ContainerStarted: NodeValue {
    package var id: String
    package var name: String
    /// The pid on the machine.
    package var pid: Int32
    /// What the start cost in the keeper, from the request's arrival to the end of the exec.
    package var startMicroseconds: Int
    /// Whether a prepared child was taken.
    package var wasPrepared: Bool

    package init(id: String, name: String, pid: Int32, startMicroseconds: Int, wasPrepared: Bool) {
        self.id = id
        self.name = name
        self.pid = pid
        self.startMicroseconds = startMicroseconds
        self.wasPrepared = wasPrepared
    }
}

package struct RunAnswer: NodeValue {
    package var started: ContainerStarted
    /// nil when the caller did not wait for it.
    package var end: ContainerEnd?

    package init(started: ContainerStarted, end: ContainerEnd?) {
        self.started = started
        self.end = end
    }
}

/// How a container's program ended.
package struct ContainerEnd: NodeValue {
    /// What a shell would report: the exit status, or 128 plus the signal; nil when nobody knows (`keeperLost`).
    package var exitStatus: Int32?
    /// The signal that ended it.
    package var signal: Int32?
    package var endedAt: Timestamp
    /// The kernel killed it because the memory limit was reached.
    package var outOfMemory: Bool
    /// The keeper died: how the program ended is unknown.
    package var keeperLost: Bool
    package var userMicroseconds: Int
    package var systemMicroseconds: Int
    package var peakMemoryBytes: Int
    /// Bytes of output that could not be written to the log.
    package var lostLogBytes: Int

    package init(
        exitStatus: Int32?, signal: Int32? = nil, endedAt: Timestamp, outOfMemory: Bool = false,
        keeperLost: Bool = false, userMicroseconds: Int = 0, systemMicroseconds: Int = 0, peakMemoryBytes: Int = 0,
        lostLogBytes: Int = 0
    ) {
        self.exitStatus = exitStatus
        self.signal = signal
        self.endedAt = endedAt
        self.outOfMemory = outOfMemory
        self.keeperLost = keeperLost
        self.userMicroseconds = userMicroseconds
        self.systemMicroseconds = systemMicroseconds
        self.peakMemoryBytes = peakMemoryBytes
        self.lostLogBytes = lostLogBytes
    }
}

/// Another program inside a running container: `containers.exec`.
///
/// Without a terminal the request carries three descriptors for the program. With one it carries none, and the item
/// comes with the pseudo-terminal's master, whose size the caller sets itself.
package struct ExecuteInContainer: NodeRequest {
    package typealias Item = ExecuteStarted
    package typealias Answer = ExecuteAnswer
    package static let operation = NodeOperation.executeInContainer

    /// Id, unambiguous beginning of an id, or name.
    package var container: String
    package var program: String
    package var arguments: [String]
    /// "NAME=value", over the environment of the container.
    package var environment: [String]
    package var directory: String?
    package var user: String?
    /// Asks for a terminal of this size.
    package var terminalSize: Terminal.Size?

    package init(
        container: String, program: String, arguments: [String] = [], environment: [String] = [],
        directory: String? = nil, user: String? = nil, terminalSize: Terminal.Size? = nil
    ) {
        self.container = container
        self.program = program
        self.arguments = arguments
        self.environment = environment
        self.directory = directory
        self.user = user
        self.terminalSize = terminalSize
    }
}

package struct ExecuteStarted: NodeValue {
    package var pid: Int32
    /// Names this program in `KillContainer.execution`: how signals reach it.
    package var execution: String

    package init(pid: Int32, execution: String) {
        self.pid = pid
        self.execution = execution
    }
}

package struct ExecuteAnswer: NodeValue {
    package var end: ContainerEnd

    package init(end: ContainerEnd) { self.end = end }
}

/// Sets the size of a container's terminal: `containers.resize`.
package struct ResizeContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.resizeContainer

    package var container: String
    package var size: Terminal.Size

    package init(container: String, size: Terminal.Size) {
        self.container = container
        self.size = size
    }
}
