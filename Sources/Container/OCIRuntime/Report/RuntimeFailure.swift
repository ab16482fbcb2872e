package import Linux
import OCI
package import Spawn

/// What the runtime could not do, as one sentence for standard error and the log.
///
/// Managers read these: some of the words are runc's (`container not running`), since containerd, Docker and Podman
/// look for them.
package struct RuntimeFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    /// The status that the runtime ends with.
    package var status: Int32

    package init(_ message: String, status: Int32 = 1) {
        self.message = message
        self.status = status
    }

    package init(_ error: SystemError) { self.init(error.description) }
    package init(_ error: SpawnError) { self.init(error.description) }

    package var description: String { message }

    /// The same with what was being done in front.
    func during(_ action: String) -> RuntimeFailure { RuntimeFailure("\(action): \(message)", status: status) }
}

/// Runs system calls; what fails becomes a `RuntimeFailure`, with what was being done in front of it.
func attempt<Value: ~Copyable>(
    _ action: @autoclosure () -> String = "", _ body: () throws(SystemError) -> Value
) throws(RuntimeFailure) -> Value {
    do { return try body() } catch {
        let action = action()
        throw action.isEmpty ? RuntimeFailure(error) : RuntimeFailure(error).during(action)
    }
}

/// The same for starts of programs.
func spawning<Value: ~Copyable>(
    _ action: @autoclosure () -> String = "", _ body: () throws(SpawnError) -> Value
) throws(RuntimeFailure) -> Value {
    do { return try body() } catch {
        let action = action()
        throw action.isEmpty ? RuntimeFailure(error) : RuntimeFailure(error).during(action)
    }
}
