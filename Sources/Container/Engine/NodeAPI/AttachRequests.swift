package import JSON

/// Takes part in the streams of a running container whose output is logged: `containers.attach`. Answered at its end.
///
/// The item carries descriptors: for a terminal its output to read and its input to write; otherwise stdout and stderr
/// to read, and with `hasInput` stdin to write. Who closes them is detached; the container runs on.
package struct AttachContainer: NodeRequest {
    package typealias Item = AttachStarted
    package typealias Answer = ExecuteAnswer
    package static let operation = NodeOperation.attachContainer

    package var container: String

    package init(container: String) { self.container = container }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(container: try reader.required("container"))
    }

    package var json: JSONValue { .members(("container", container.json)) }
}

package struct AttachStarted: NodeValue {
    package var hasTerminal: Bool
    /// Whether there is a standard input to write to.
    package var hasInput: Bool

    package init(hasTerminal: Bool, hasInput: Bool) {
        self.hasTerminal = hasTerminal
        self.hasInput = hasInput
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(hasTerminal: try reader.flag("hasTerminal"), hasInput: try reader.flag("hasInput"))
    }

    package var json: JSONValue { .members(("hasTerminal", hasTerminal.json), ("hasInput", hasInput.json)) }
}

/// Runs another program in a container with nobody waiting for it: `containers.exec.detached`. Its output goes nowhere.
package struct ExecuteDetached: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = ExecuteStarted
    package static let operation = NodeOperation.executeDetached

    /// With a terminal size it gets a terminal.
    package var execution: ExecuteInContainer

    package init(_ execution: ExecuteInContainer) { self.execution = execution }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(try reader.nested("execution"))
    }

    package var json: JSONValue { .members(("execution", execution.json)) }
}

/// Leaves a program that `containers.exec` started on a terminal to itself: `containers.exec.detach`. The request
/// carries the terminal's master, which the node keeps from now on, reading what nobody sees; it ends with the node.
package struct DetachFromExecution: NodeRequest {
    package typealias Item = NoValue
    package typealias Answer = NoValue
    package static let operation = NodeOperation.detachFromExecution

    package var execution: String

    package init(execution: String) { self.execution = execution }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(execution: try reader.required("execution"))
    }

    package var json: JSONValue { .members(("execution", execution.json)) }
}
