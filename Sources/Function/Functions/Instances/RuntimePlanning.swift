package import Engine
package import Lambda
package import Metering
package import Sandbox
package import Spawn

/// How one kind of runtime is run: what its sandbox is, and what is executed in it.
///
/// Plans of one function version are equal, so that its instances share a template and the children that the keeper
/// prepares ahead; what differs from instance to instance comes in the environment of the call.
package protocol RuntimePlanning: Sendable {
    /// Looks at the code and plans. Called once for each version, before its first instance.
    ///
    /// - Throws: `InstanceStartFailure`, which the callers that wait for an instance are answered.
    func plan(_ function: DeployedFunction) async throws(InstanceStartFailure) -> InstanceRecipe
}

/// How instances of one function version are started.
package struct InstanceRecipe: Sendable {
    /// The network is set by the launcher.
    package var plan: SandboxPlan
    /// Without the variables that differ from instance to instance.
    package var call: ProgramCall
    /// External extensions: names of files in /opt/extensions.
    package var extensions: [String] = []
    /// Who starts the sandbox; nil: the keeper itself, by executing `call`.
    package var starter: (any InstanceStarting)?
    /// What is said of how its instances came to be.
    package var start = MeteredCall.Start.cold
    /// What has to be kept as long as instances may be started: a lease of an image, for instance.
    package var holds: [any Sendable] = []

    package init(plan: SandboxPlan, call: ProgramCall) {
        self.plan = plan
        self.call = call
    }
}

/// Starts sandboxes in another way than by executing a program: a zygote's forks, for instance.
package protocol InstanceStarting: Sendable {
    func start(_ start: SandboxStart, descriptors: [CInt]) async throws(StartProblem) -> StartedSandbox
}
