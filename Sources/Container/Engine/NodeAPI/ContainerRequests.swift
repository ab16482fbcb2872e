// In every request `container` is an id, an unambiguous beginning of one, or a name.

/// Makes a container without starting it: `containers.create`.
package struct CreateContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ContainerCreated
    package static let operation = NodeOperation.createContainer

    package var spec: ContainerSpec

    package init(_ spec: ContainerSpec) { self.spec = spec }
}

package struct ContainerCreated: NodeValue {
    package var id: String
    package var name: String

    package init(id: String, name: String) {
        self.id = id
        self.name = name
    }
}

/// Starts a container that was created or has ended, with its output logged: `containers.start`.
package struct StartContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ContainerStarted
    package static let operation = NodeOperation.startContainer

    package var container: String

    package init(container: String) { self.container = container }
}

/// Waits for the end of a container: `containers.wait`. One that has ended is answered at once.
package struct WaitForContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ContainerEnd
    package static let operation = NodeOperation.waitForContainer

    package var container: String

    package init(container: String) { self.container = container }
}

/// Sends a signal and, after the grace period, SIGKILL to the whole tree: `containers.stop`.
package struct StopContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ContainerEnd
    package static let operation = NodeOperation.stopContainer

    package var container: String
    /// Seconds between the signal and SIGKILL; nil: as the spec says.
    package var timeoutSeconds: Int?
    /// nil: as the spec says.
    package var signal: Int32?

    package init(container: String, timeoutSeconds: Int? = nil, signal: Int32? = nil) {
        self.container = container
        self.timeoutSeconds = timeoutSeconds
        self.signal = signal
    }
}

/// Sends a signal to a container's program: `containers.kill`.
package struct KillContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.killContainer

    package var container: String
    package var signal: Int32
    /// A program started by `containers.exec` instead of the container's own.
    package var execution: String?

    package init(container: String, signal: Int32, execution: String? = nil) {
        self.container = container
        self.signal = signal
        self.execution = execution
    }
}

/// Removes a container with its logs: `containers.remove`.
package struct RemoveContainer: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.removeContainer

    package var container: String
    /// Kills it first when it runs; otherwise that is a conflict.
    package var force: Bool
    /// Also the volumes that have no name of their user's choice and are this container's alone.
    package var volumes: Bool

    package init(container: String, force: Bool = false, volumes: Bool = false) {
        self.container = container
        self.force = force
        self.volumes = volumes
    }
}
