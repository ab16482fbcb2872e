package import Engine
package import Lambda
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
    /// The limits once initialisation is over; nil: those of the plan.
    package var share: CgroupLimits?
    /// External extensions: names of files in /opt/extensions.
    package var extensions: [String] = []
    /// Who is asked for a place first; nil: the keeper starts each sandbox, by executing `call`.
    package var starter: (any InstanceStarting)?
    /// What has to be kept as long as instances may be started: a lease of an image, for instance.
    package var holds: [any Sendable] = []

    package init(plan: SandboxPlan, call: ProgramCall) {
        self.plan = plan
        self.call = call
    }
}

/// Starts instances in another way than by executing a program in a fresh sandbox: as forks of a zygote.
///
/// An instance has a name of its own here; what sandbox it lives in is whoever starts it knows.
package protocol InstanceStarting: Sendable {
    /// A place for an instance, with the network that is there; nil: this one is to be started as if there were none of
    /// this. Whoever got a place starts the instance or kills it.
    func place(for instance: String) async -> InstanceNetwork?

    /// Starts an instance in its place.
    ///
    /// - Parameters:
    ///   - descriptors: standard input, output and error.
    ///   - ended: called once when it has ended, unless this throws.
    func start(
        _ instance: String, environment: StringBlock, descriptors: [CInt], ended: @escaping FunctionSandboxes.Ended
    ) async throws(NodeFailure) -> StartedSandbox

    /// Kills everything in an instance's place.
    func kill(_ instance: String) async

    /// Asks its program to end.
    func terminate(_ instance: String) async

    /// What it is for will not be started any more: what is prepared may go, and the rest with the last instance.
    func forget() async
}
