import Engine

/// The statuses of `forkless`, as Docker has them.
enum ExitCodes {
    /// A verb that runs no program has failed.
    static let verbFailed: Int32 = 1
    /// Forkless has failed, not the program.
    static let ownFailure: Int32 = 125
    /// The program is there but cannot be executed.
    static let notExecutable: Int32 = 126
    /// There is no such program.
    static let notFound: Int32 = 127

    /// What `run` and `exec` return for a failure to start.
    static func start(_ failure: NodeFailure) -> Int32 {
        switch failure.kind {
        case .notExecutable: notExecutable
        case .notFound: notFound
        default: ownFailure
        }
    }
}

/// A verb that could not do its work: a sentence for stderr and a status.
struct CommandFailure: Error, CustomStringConvertible {
    /// What was tried, on what, why it failed, what to do.
    var description: String
    var status: Int32

    init(_ description: String, status: Int32 = ExitCodes.verbFailed) {
        self.description = description
        self.status = status
    }
}
