import Linux
import OCI
import RuntimeCgroups

extension Verbs {
    /// `pause` and `resume`.
    func freeze(_ id: String, _ frozen: Bool) throws(RuntimeFailure) {
        let directory = try StateDirectory(id, root: options.root)
        let lock = try directory.takeLock()
        defer { withExtendedLifetime(lock) {} }
        let record = try Container(directory).demand(frozen ? .pause : .resume)
        try attempt { () throws(SystemError) in try RuntimeCgroup(recorded: record.cgroups).freeze(frozen) }
    }
}
