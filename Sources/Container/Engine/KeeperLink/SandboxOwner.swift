package import Keeper

/// Somebody on whose behalf the keeper runs sandboxes: containers here, standbys in `Functions`.
///
/// Names of sandboxes say whose they are. Whoever owns one acknowledges its end, with `KeeperLink.acknowledge`.
package protocol SandboxOwner: Sendable {
    /// Whether a sandbox of this name is theirs.
    func owns(_ sandbox: String) -> Bool

    /// The link to a keeper was made: this is all that it runs of theirs, or has ended and was not acknowledged. What
    /// they know of and is not listed does not run any more, but for what `StartedSandbox` says was started in this round
    /// of adoption or a later one: it was not there yet when the list was made. Also called, with nothing, when no keeper
    /// is there. It must not ask the link for anything: nobody is answered before adoption is over.
    func adopt(_ reports: [SandboxReport], round: Int) async

    /// A sandbox of theirs has ended. Called in order, and possibly again for an end that was not acknowledged.
    func ended(_ sandbox: String, _ report: EndReport)
}

/// What the last adoption told, for owners that hear only after it that a start was answered before it.
package struct LastAdoption: Sendable {
    private var round = 0
    private var listed: Set<String> = []

    package init() {}

    package init(_ reports: [SandboxReport], round: Int) {
        self.round = round
        listed = Set(reports.map(\.sandbox))
    }

    package func lists(_ sandbox: String) -> Bool { listed.contains(sandbox) }

    /// Whether what was started has gone with its keeper.
    package func hasLost(_ sandbox: String, _ started: StartedSandbox) -> Bool {
        started.round < round && !lists(sandbox)
    }
}

/// How to get to a keeper: sockets and processes in the node, a scripted double in tests.
package protocol KeeperAccess: Sendable {
    /// A connection to the keeper that runs; nil when none does.
    func connect() async throws(NodeFailure) -> MessageChannel?

    /// Starts a keeper and returns when it can be connected to.
    func start() async throws(NodeFailure)
}
