import Linux

/// Making a container's directories with what they need before a process can be in them, and undoing it.
struct CgroupMaking {
    private var made: [String] = []
    /// Whether the container's own directories all came to be here.
    private(set) var hasMadeAll = true

    mutating func make(_ branch: RuntimeCgroup.Branch, handingDown controllers: [String]) throws(SystemError) {
        var path = branch.mount
        var isLeafMade = false
        for part in branch.path.dropFirst(branch.mount.count).split(separator: "/") {
            if !controllers.isEmpty { Self.handDown(controllers, from: path) }
            path += "/" + String(part)
            isLeafMade = try makeOne(path)
            if isLeafMade, branch.controllers.contains("cpuset"), !branch.isUnified { try Self.fillCPUSet(path) }
        }
        if !isLeafMade { hasMadeAll = false }
    }

    /// Removes what was made; what was there before stays.
    func undo() {
        for path in made.reversed() { try? Files.removeDirectory(path) }
    }

    private mutating func makeOne(_ path: String) throws(SystemError) -> Bool {
        do {
            try Files.makeDirectory(path)
            made.append(path)
            return true
        } catch  where error.code == .exists {
            return false
        } catch  where error.code == .readOnlyFileSystem || error.code == .accessDenied {
            throw SystemError(
                error.operation, error.subject, code: error.code,
                advice: "Cgroups must be writable: run as root outside of containers, or mount them writable.")
        }
    }

    /// A v1 cpuset starts without CPUs and memory nodes, and takes no process until it has some
    /// (cgroup-v1/cpusets.rst).
    private static func fillCPUSet(_ path: String) throws(SystemError) {
        let above = path.prefix(path.utf8.count - path.utf8.reversed().prefix { $0 != UInt8(ascii: "/") }.count - 1)
        for file in ["cpuset.cpus", "cpuset.mems"] {
            // cgroup.clone_children may have done it: then this is what is there already.
            try Files.writeText(try Files.readText("\(above)/\(file)"), to: "\(path)/\(file)")
        }
    }

    /// Gives every controller that a v2 group has to its children. Which of them is needed shows when a limit is
    /// written: one that cannot be handed down then has no file.
    private static func handDown(_ controllers: [String], from path: String) {
        let file = path + "/cgroup.subtree_control"
        guard let text = try? Files.readText(file) else { return }
        let have = Set(text.split(separator: " ").map(String.init))
        let missing = controllers.filter { !have.contains($0) }
        guard !missing.isEmpty else { return }
        do {
            try Files.writeText(missing.map { "+" + $0 }.joined(separator: " "), to: file)
        } catch {
            // One that cannot be enabled must not take the others with it.
            for controller in missing { try? Files.writeText("+" + controller, to: file) }
        }
    }

    /// Removes a group with those inside.
    static func remove(_ path: String) throws(SystemError) {
        do {
            try Files.removeDirectory(path)
        } catch  where error.code == .noEntry {
            return
        } catch  where error.code == .busy || error.code == .notEmpty {
            let inner: [String]
            do { inner = try Files.subdirectories(path) } catch  where error.code == .noEntry { return }
            if inner.isEmpty { throw error }
            for child in inner { try remove(path + "/" + child) }
            do { try Files.removeDirectory(path) } catch  where error.code == .noEntry {}
        }
    }
}
