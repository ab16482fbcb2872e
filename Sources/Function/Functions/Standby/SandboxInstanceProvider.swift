package import Engine
internal import Linux

/// Instances of one program, each in a fresh sandbox of this machine.
package final class SandboxInstanceProvider: InstanceProvider {
    private let sandboxes: StandbySandboxes
    private let launch: PlannedLaunch

    /// - Parameter launch: what every copy is: equal plans share a template in the keeper, defined by the first start.
    package init(_ sandboxes: StandbySandboxes, _ launch: PlannedLaunch) {
        self.sandboxes = sandboxes
        self.launch = launch
    }

    package func start() async throws(InstanceFailure) -> StartedInstance { try await sandboxes.start(launch) }

    package func isWaitingForInput(_ instance: StartedInstance) async throws(InstanceFailure) -> Bool {
        do { return try ReadinessProbe.isWaitingForInput(pid: instance.pid) } catch {
            throw InstanceFailure("\(error)")
        }
    }

    package func stop(_ instance: StartedInstance) async { await sandboxes.kill(instance.name) }

    package func end(of instance: StartedInstance) async -> InstanceEnd { await sandboxes.end(of: instance.name) }

    /// The template is the link's, which other programs in an equal place may use.
    package func close() async {}
}
