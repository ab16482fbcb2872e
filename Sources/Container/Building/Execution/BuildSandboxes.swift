package import Engine
internal import Keeper
internal import Linux
package import Sandbox

/// What builds need of the node's link to the keeper.
package protocol BuildKeeper: SandboxKeeper {
    /// Lets go of what is ready for a plan: no other step has its root.
    func forget(_ plan: SandboxPlan) async
}

extension KeeperLink: BuildKeeper {}

/// The sandboxes in which the programs of RUN run.
///
/// Invariants
/// 1. Whoever runs a program is answered: by its end, or because the keeper that ran it is gone.
///    (test: `with the keeper the programs of a build are gone`)
/// 2. A run that is cancelled has ended when it returns, with everything it started.
///    (test: `a cancelled build ends its program and leaves nothing`)
package final class BuildSandboxes: Sendable {
    /// How the names of all of them begin.
    package static let prefix = "build-"

    /// The book of those that run, which the keeper's link is to know as an owner.
    package let lives: SandboxLives
    private let keeper: any BuildKeeper

    package init(_ keeper: any BuildKeeper) {
        self.keeper = keeper
        lives = SandboxLives(keeper, prefix: Self.prefix)
    }

    /// Starts a program and waits for its end; a cancelled task kills it and waits, too.
    ///
    /// - Parameters:
    ///   - descriptors: Its three streams, and what else the start brings.
    ///   - started: Called once the program has them: they can be closed.
    func run(
        _ make: (String) -> SandboxStart, descriptors: [CInt], started: () -> Void
    ) async throws(BuildFailure) -> EndReport {
        let start = make(lives.nextName())
        do throws(BuildFailure) {
            let end = try await end(of: start, descriptors, started)
            await keeper.forget(start.plan)
            return end
        } catch {
            // Its mounts would keep what the step wrote on the disk.
            await keeper.forget(start.plan)
            throw error
        }
    }

    private func end(
        of start: SandboxStart, _ descriptors: [CInt], _ started: () -> Void
    ) async throws(BuildFailure) -> EndReport {
        let awaited = AwaitedEnd()
        do {
            _ = try await lives.start(start, descriptors: descriptors) { awaited.tell($0) }
        } catch { throw BuildFailure(error) }
        started()
        let end = await withTaskCancellationHandler {
            await awaited.value
        } onCancel: {
            Task { await self.lives.kill(start.name) }
        }
        if Task.isCancelled { throw .cancelled }
        switch end {
        case .ended(let report): return report
        case .unknown(let reason): throw BuildFailure(.unavailable, "how the program ended is not known: \(reason)")
        }
    }
}
