import Linux

/// Making the parent group in each hierarchy that is needed, with its undoing.
struct CgroupOpening {
    let parent: String
    let layout: CgroupLayout
    private(set) var branches: [CgroupBranch] = []
    private(set) var refusals: [CgroupControllers: SystemError] = [:]
    private var made: [String] = []

    init(parent: String, layout: CgroupLayout) {
        self.parent = parent
        self.layout = layout
    }

    mutating func openAll() throws(SystemError) {
        if let unified = layout.unified { try openUnified(unified) }
        // With v2 there, its core counts CPU time and freezes: joining v1's would only cost.
        let covered: CgroupControllers = layout.unified == nil ? [] : .unifiedCore
        var legacy = layout.legacy.filter { !$0.controllers.subtracting(covered).isEmpty }
        if let freezer = legacy.firstIndex(where: { $0.controllers.contains(.freezer) }) {
            legacy.swapAt(0, freezer)
        }
        for mount in legacy { try openLegacy(mount, leaving: covered) }
    }

    /// Removes what this opening made; a group that was there before stays.
    mutating func undo() {
        branches = []
        for path in made.reversed() { try? Files.removeDirectory(path) }
    }

    private mutating func makeParent(_ mount: CgroupLayout.Mount) throws(SystemError) -> String {
        let path = "\(mount.path)/\(parent)"
        do {
            try Files.makeDirectory(path)
            made.append(path)
        } catch where error.code == .exists {
            // A keeper before us left it, with whatever `removeLeftovers` will find.
        } catch where error.code == .readOnlyFileSystem || error.code == .accessDenied {
            throw SystemError(
                error.operation, error.subject, code: error.code,
                advice: "Cgroups must be writable: run as root outside of containers, or mount them writable.")
        }
        return path
    }

    private mutating func openUnified(_ mount: CgroupLayout.Mount) throws(SystemError) {
        let path = try makeParent(mount)
        let top = handDown(mount.controllers, from: mount.path)
        let usable = handDown(top, from: path)
        let controllers = usable.union(.unifiedCore)
        branches.append(try CgroupBranch(version: .v2, controllers: controllers, path: path))
    }

    /// Gives controllers to the children of a v2 group and returns those that they have now; why not is kept.
    private mutating func handDown(_ wanted: CgroupControllers, from path: String) -> CgroupControllers {
        if wanted.isEmpty { return [] }
        let file = path + "/cgroup.subtree_control"
        do {
            let have = CgroupControllers(names: try Files.readText(file).split(separator: " "))
            let missing = wanted.subtracting(have)
            if missing.isEmpty { return wanted }
            do {
                try Files.writeText(Self.enabling(missing), to: file)
                return wanted
            } catch {
                // One that cannot be enabled must not take the others with it.
                return wanted.intersection(have).union(handDownEach(missing, file: file))
            }
        } catch {
            for (controller, _) in CgroupControllers.named where wanted.contains(controller) {
                refusals[controller] = error
            }
            return []
        }
    }

    private mutating func handDownEach(_ controllers: CgroupControllers, file: String) -> CgroupControllers {
        var enabled: CgroupControllers = []
        for (controller, name) in CgroupControllers.named where controllers.contains(controller) {
            do {
                try Files.writeText(Self.enabling(controller), to: file)
                enabled.insert(controller)
            } catch {
                let advice =
                    error.code == .busy
                    ? "Processes stand in that group itself, and v2 allows them only in the leaves: "
                        + "move them into a child group (systemd: Delegate=yes with DelegateSubgroup=)."
                    : ""
                refusals[controller] = SystemError(
                    "use cgroup controller \(name) of v2 through", file, code: error.code, advice: advice)
            }
        }
        return enabled
    }

    private static func enabling(_ controllers: CgroupControllers) -> String {
        controllers.names.map { "+" + $0 }.joined(separator: " ")
    }

    private mutating func openLegacy(
        _ mount: CgroupLayout.Mount, leaving covered: CgroupControllers
    ) throws(SystemError) {
        let path = try makeParent(mount)
        if mount.controllers.contains(.cpuset) { try prepareCpuset(path, from: mount.path) }
        let controllers = mount.controllers.subtracting(covered)
        branches.append(try CgroupBranch(version: .v1, controllers: controllers, path: path))
    }

    /// A new v1 cpuset has no CPUs and no memory nodes and takes no process until it has, cpuset(7). The parent group
    /// gets all of its own parent's, and hands them to its children at their mkdir (cgroup.clone_children).
    private func prepareCpuset(_ path: String, from root: String) throws(SystemError) {
        for file in ["cpuset.cpus", "cpuset.mems"] where try Files.readText("\(path)/\(file)").isEmpty {
            try Files.writeText(try Files.readText("\(root)/\(file)"), to: "\(path)/\(file)")
        }
        try Files.writeText("1", to: path + "/cgroup.clone_children")
    }
}

/// Control files that only some kernels have, looked for once.
struct CgroupFeatures: Sendable {
    /// v2's cgroup.kill, since Linux 5.14.
    let kill: Bool
    /// memory.swap.max, or v1's memory.memsw.limit_in_bytes: absent with swapaccount=0 or without CONFIG_SWAP.
    let swapLimit: Bool
    /// What v1's cpuset.cpus and cpuset.mems are when there is no limit.
    let allCPUs: String
    let allMemoryNodes: String

    /// Looks into the parent groups, which have the files that those below them will have.
    init(_ branches: [CgroupBranch]) throws(SystemError) {
        kill = branches[0].version == .v2 && Files.exists(branches[0].path + "/cgroup.kill")
        let memory = branches.first { $0.controllers.contains(.memory) }
        let file = memory?.version == .v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes"
        swapLimit = memory.map { Files.exists("\($0.path)/\(file)") } ?? false
        if let cpuset = branches.first(where: { $0.controllers.contains(.cpuset) && $0.version == .v1 }) {
            allCPUs = try Files.readText(cpuset.path + "/cpuset.cpus")
            allMemoryNodes = try Files.readText(cpuset.path + "/cpuset.mems")
        } else {
            // On v2 an empty list is "those of the parent"; without a newline there would be no write at all.
            allCPUs = "\n"
            allMemoryNodes = "\n"
        }
    }
}

extension CgroupLayout {
    /// Why a controller isn't there, on which kind of host, and what to do.
    func refusal(of controller: CgroupControllers) -> SystemError {
        let name = controller.description
        let mount = "mount -t cgroup -o \(name) none /sys/fs/cgroup/\(name)"
        let advice: String
        if unmounted.contains(controller) {
            advice = "The kernel has it on a v1 hierarchy that is not mounted here: \(mount)."
        } else if let unified, legacy.isEmpty {
            advice =
                "The only hierarchy is v2 at \(unified.path), which offers \(unified.controllers): "
                + "boot with a kernel that has it, without cgroup_disable=\(name)."
        } else if let unified {
            advice =
                "This is a hybrid host: v2 at \(unified.path) offers \(unified.controllers), "
                + "and no v1 hierarchy has it. If /proc/cgroups lists it: \(mount)."
        } else {
            advice = "This is a v1 host and no hierarchy has it. If /proc/cgroups lists it: \(mount)."
        }
        return SystemError("use cgroup controller", name, code: .notSupported, advice: advice)
    }
}
