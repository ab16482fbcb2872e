package import Linux

extension RuntimeCgroup {
    /// Makes a user the owner of the v2 group, so that programs in it can divide it further (config-linux.md, "Cgroup
    /// ownership"): the directory and the files that the kernel lists for that, no others.
    ///
    /// - Parameter uid: As seen by the runtime.
    package func delegate(to uid: UInt32) throws(SystemError) {
        guard let unified else { return }
        let group = UInt32.max  // chown(2): left as it is
        let place = try Files.place(unified.path)
        try FileEntries.setOwner(uid, group, of: ".", at: place.raw)
        let listed = (try? Files.readText("/sys/kernel/cgroup/delegate"))?.split(separator: "\n").map(String.init)
        for file in listed ?? ["cgroup.procs", "cgroup.subtree_control", "cgroup.threads"] {
            do {
                try FileEntries.setOwner(uid, group, of: file, at: place.raw)
            } catch where error.code == .noEntry {
                continue
            }
        }
    }
}
