package import Engine
package import Keeper
package import Sandbox

/// What instances need of the node's link to the keeper.
package protocol InstanceKeeper: SandboxKeeper {
    /// Runs another program inside a sandbox.
    func execute(_ request: ExecuteRequest, descriptors: [CInt]) async throws(NodeFailure) -> StartedSandbox
    /// Has the keeper get ready for a plan that is going to be started sooner or later.
    func expect(_ plan: SandboxPlan) async
    /// Lets go of what the keeper has ready for a plan.
    func forget(_ plan: SandboxPlan) async
}

extension KeeperLink: InstanceKeeper {}

/// The sandboxes of all instances of a node, and the programs executed in them.
package final class FunctionSandboxes: Sendable {
    /// How the names of all instances begin.
    package static let prefix = "fn-"

    package typealias Ended = SandboxLives.Ended

    package let keeper: any InstanceKeeper
    /// The book of those that run, which the keeper's link is to know as an owner.
    package let lives: SandboxLives

    package init(_ keeper: any InstanceKeeper) {
        self.keeper = keeper
        lives = SandboxLives(keeper, prefix: Self.prefix)
    }

    /// A name that was never used.
    package func nextName() -> String { lives.nextName() }

    /// Starts a sandbox of a name from `nextName`: `SandboxLives.start`.
    package func start(
        _ start: SandboxStart, descriptors: [CInt], ended: @escaping Ended
    ) async throws(NodeFailure) -> StartedSandbox {
        try await lives.start(start, descriptors: descriptors, ended: ended)
    }

    /// Runs another program in a sandbox that runs.
    ///
    /// - Parameter ended: called once when it has ended, unless this throws.
    package func execute(
        _ request: ExecuteRequest, descriptors: [CInt], ended: @escaping Ended
    ) async throws(NodeFailure) -> StartedSandbox {
        try await lives.noting(request.name, ended) { () async throws(NodeFailure) in
            try await keeper.execute(request, descriptors: descriptors)
        }
    }

    /// Kills everything in a sandbox, however long the keeper cannot be reached.
    package func kill(_ name: String) async { await lives.kill(name) }
}
