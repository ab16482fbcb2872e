package import Keeper

/// Somebody on whose behalf the keeper runs sandboxes: containers here, standbys in `Functions`.
///
/// Names of sandboxes say whose they are. Whoever owns one acknowledges its end, with `KeeperLink.acknowledge`.
package protocol SandboxOwner: Sendable {
    /// Whether a sandbox of this name is theirs.
    func owns(_ sandbox: String) -> Bool

    /// The link to a keeper was made: this is all that it runs of theirs, or has ended and was not acknowledged. What
    /// they know of and is not listed does not run any more. Also called, with nothing, when no keeper is there. It must
    /// not ask the link for anything: nobody is answered before adoption is over.
    func adopt(_ reports: [SandboxReport]) async

    /// The same for owners that look at the reports later: what `StartedSandbox` says was started in this round of
    /// adoption or a later one was not there yet when the list was made.
    func adopt(_ reports: [SandboxReport], round: Int) async

    /// A sandbox of theirs has ended. Called in order, and possibly again for an end that was not acknowledged.
    func ended(_ sandbox: String, _ report: EndReport)
}

extension SandboxOwner {
    package func adopt(_ reports: [SandboxReport], round: Int) async { await adopt(reports) }
}

/// How to get to a keeper: sockets and processes in the node, a scripted double in tests.
package protocol KeeperAccess: Sendable {
    /// A connection to the keeper that runs; nil when none does.
    func connect() async throws(NodeFailure) -> MessageChannel?

    /// Starts a keeper and returns when it can be connected to.
    func start() async throws(NodeFailure)
}
