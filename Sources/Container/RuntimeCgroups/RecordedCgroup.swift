package import Linux

// A cgroup as a state file keeps it, for the commands that come after `create`.

extension RuntimeCgroup {
    /// The directories by controller, v2's under "": what a state file keeps, in the words of other runtimes.
    package var recorded: [String: String] {
        var paths: [String: String] = [:]
        for branch in branches {
            if branch.isUnified {
                paths[""] = branch.path
            } else {
                for controller in branch.controllers { paths[controller] = branch.path }
            }
        }
        return paths
    }

    /// The cgroup that a state file keeps. It opens nothing: see `opened`.
    package init(recorded: [String: String]) {
        branches = []
        if let path = recorded[""] { branches.append(Branch(isUnified: true, controllers: [], path: path, mount: "")) }
        var byPath: [String: [String]] = [:]
        for (controller, path) in recorded where !controller.isEmpty { byPath[path, default: []].append(controller) }
        for (path, controllers) in byPath.sorted(by: { $0.key < $1.key }) {
            branches.append(Branch(isUnified: false, controllers: controllers.sorted(), path: path, mount: ""))
        }
        // Which controllers v2 has stands in its own file.
        if let at = branches.firstIndex(where: \.isUnified),
            let text = try? Files.readText(branches[at].path + "/cgroup.controllers")
        {
            branches[at].controllers = text.split(separator: " ").map(String.init)
        }
    }

    /// The same with `birth` and `joins`, for a process that joins.
    ///
    /// - Parameter pid: The container's first process. A v2 group that hands controllers down takes no processes
    ///   itself: when a program inside has divided the container's (systemd does), the new one goes where that one is.
    package func opened(beside pid: Int32? = nil) throws(SystemError) -> RuntimeCgroup {
        var cgroup = self
        try cgroup.open()
        guard let pid, let unified,
            let handedDown = try? Files.readText(unified.path + "/cgroup.subtree_control"), !handedDown.isEmpty,
            let inner = try Self.place(of: pid, within: unified.path)
        else { return cgroup }
        cgroup.birth = SharedFD(try Files.place(inner))
        return cgroup
    }

    /// The directory of a process's v2 group, when that is `path` or inside.
    ///
    /// The group's own name from the hierarchy's root is the longest end of `path` that the process's begins with.
    private static func place(of pid: Int32, within path: String) throws(SystemError) -> String? {
        let membership = try Files.readText("/proc/\(pid)/cgroup").split(separator: "\n")
        guard let line = membership.first(where: { $0.hasPrefix("0::") }) else { return nil }
        let process = line.dropFirst(3).split(separator: "/")
        var own = path.split(separator: "/")[...]
        while !own.isEmpty, !process.starts(with: own) { own = own.dropFirst() }
        guard !own.isEmpty else { return nil }
        return ([path] + process.dropFirst(own.count).map(String.init)).joined(separator: "/")
    }
}
