import Engine

/// What the end of a program means for our own end.
enum EndReport {
    /// The status to exit with.
    static func status(_ end: ContainerEnd) -> Int32 { end.exitStatus ?? ExitCodes.ownFailure }

    /// What the status alone does not tell; nil when there is nothing.
    static func remark(_ end: ContainerEnd, name: String) -> String? {
        if end.keeperLost || end.exitStatus == nil {
            return "\(name): the keeper died, so nobody knows how the program ended"
        }
        if end.outOfMemory {
            return "\(name): killed because it reached its limit on memory. Give it more with --memory"
        }
        return nil
    }

    /// Leaves with the program's status, after the remark if there is one.
    static func leave(_ end: ContainerEnd, name: String) throws(ProgramStatus) -> Never {
        if let remark = remark(end, name: name) { StandardStreams.writeError("forkless: \(remark)\n") }
        throw ProgramStatus(code: status(end))
    }
}
