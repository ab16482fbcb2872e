package import Linux
package import OCI

/// The cgroup of one container: a directory in every hierarchy that is mounted.
///
/// Invariants (each with a test in Tests/RuntimeCgroupsTests):
/// 1. What is asked for is limited, or there is an error that says why not; nothing is dropped.
///    (`a limit that nothing on the machine can enforce is refused before anything is made`)
/// 2. A failed `make` leaves no directory that it made. (`a make that fails half way leaves nothing`)
/// 3. From the first moment only the devices that are allowed can be opened: `apply` of a new group denies all first.
///    (`a container without device rules gets the default devices and no others`)
/// 4. No figure is made up. (`what is not counted is not reported`)
package struct RuntimeCgroup: Sendable {
    /// The container's directory in one hierarchy.
    package struct Branch: Hashable, Sendable {
        package var isUnified: Bool
        package var controllers: [String]
        package var path: String
        /// Where the hierarchy is mounted.
        package var mount: String
    }

    package internal(set) var branches: [Branch]
    /// The v2 directory, for CLONE_INTO_CGROUP; set by `make`, nil without v2.
    package internal(set) var birth: SharedFD?
    /// Files of v1 into which the child writes "0" while it has one thread; set by `make`. They are `tasks`, not
    /// `cgroup.procs`: for a single thread the kernel takes no lock that waits for the whole machine.
    package private(set) var joins: [SharedFD] = []
    private(set) var isNew = false
    /// What `makeBirthplace` has made.
    private var begun: CgroupMaking?
    /// Those of v2 that the group gets: all where v2 is all there is, else those that a limit needs.
    private var handedDown: [String] = []
    /// Whether a hierarchy in which we may make nothing is done without, unless a limit needs it: for who is not root.
    private var mayLack = false
    private var limits = Resources()

    init(branches: [Branch]) { self.branches = branches }

    // MARK: Planning

    /// Where the container's cgroups will be, with its limits checked against what the machine has. Makes nothing.
    ///
    /// - Parameters:
    ///   - path: `linux.cgroupsPath`.
    ///   - resources: `linux.resources`.
    ///   - mayLack: whether a container without limits and without a path of its own may do without the hierarchies in
    ///     which we may make nothing.
    package static func plan(
        path: String?, id: String, resources: Resources?, layout: RuntimeCgroupLayout, mayLack: Bool = false
    ) throws(SystemError) -> RuntimeCgroup {
        let place = try CgroupPath(path, id: id)
        var branches: [Branch] = []
        if let unified = layout.unified {
            branches.append(branch(place, unified, isUnified: true))
        }
        for hierarchy in layout.legacy { branches.append(branch(place, hierarchy, isUnified: false)) }
        guard !branches.isEmpty else {
            throw SystemError(
                "find cgroups", code: .noSuchDevice,
                advice: "No cgroup hierarchy is mounted: mount -t cgroup2 none /sys/fs/cgroup.")
        }
        var cgroup = RuntimeCgroup(branches: branches)
        if let resources { try cgroup.check(resources) }
        let offered = layout.unified?.controllers ?? []
        let needed = offered.filter { [cgroup] in cgroup.needs($0, for: resources) }
        cgroup.handedDown = layout.isUnified ? offered : needed
        cgroup.mayLack = mayLack && path == nil
        cgroup.limits = resources ?? Resources()
        return cgroup
    }

    private func needs(_ name: String, for resources: Resources?) -> Bool {
        guard let resources else { return false }
        return Controller.wanted(by: resources).contains { $0.unifiedName == name && branch($0)?.isUnified == true }
            || resources.unified.keys.contains { $0.hasPrefix(name + ".") }
    }

    private static func branch(
        _ place: CgroupPath, _ hierarchy: RuntimeCgroupLayout.Hierarchy, isUnified: Bool
    ) -> Branch {
        Branch(
            isUnified: isUnified, controllers: hierarchy.controllers,
            path: place.directory(in: hierarchy, isUnified: isUnified), mount: hierarchy.path)
    }

    /// Refuses limits that cannot be set here: beside those that are in force, where the group is there already.
    package func check(_ resources: Resources) throws(SystemError) {
        for controller in Controller.wanted(by: resources) {
            let branch = try require(controller)
            _ = try ControlWrite.all(for: controller, resources, isUnified: branch.isUnified) { file in
                try? Files.readText(branch.path + "/" + file)
            }
        }
        for file in resources.unified.keys.sorted() { try checkUnified(file) }
    }

    private func checkUnified(_ file: String) throws(SystemError) {
        guard let unified else {
            throw SystemError(
                "set \(file)", code: .notSupported,
                advice: "linux.resources.unified needs cgroup v2, which is not mounted.")
        }
        let controller = String(file.prefix { $0 != "." })
        guard controller == "cgroup" || unified.controllers.contains(controller) else {
            throw SystemError(
                "set \(file)", code: .notSupported, advice: "cgroup v2 has no controller \"\(controller)\" here.")
        }
        guard !["cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze", "cgroup.type"].contains(file) else {
            throw SystemError("set \(file)", code: .invalid, advice: "It is the runtime's own to write.")
        }
    }

    // MARK: Making

    /// How many `joins` there will be.
    package var joinCount: Int { branches.count { !$0.isUnified } }

    /// The part of `make` that a process can be born in: v2's directory, where there is one.
    ///
    /// - Throws: as `make` does.
    package mutating func makeBirthplace() throws(SystemError) {
        guard let unified, !mayLack else { return }
        var making = CgroupMaking()
        do throws(SystemError) {
            try make(unified, &making)
            if !making.hasMadeAll { try refuseStrangers(nil) }
            birth = SharedFD(try Files.place(unified.path))
        } catch {
            making.undo()
            throw error
        }
        begun = making
    }

    /// Takes back what `makeBirthplace` has made, once nobody is in it.
    package mutating func removeBirthplace() {
        begun?.undo()
        begun = nil
        birth = nil
    }

    /// Makes the directories and opens `birth` and `joins`.
    ///
    /// - Parameter expected: a process of ours that is in it already.
    /// - Throws: `SystemError`; EBUSY when there are other processes in it, which would share the container's fate, or
    ///   it is frozen.
    package mutating func make(beside expected: Int32? = nil) throws(SystemError) {
        var making = begun ?? CgroupMaking()
        do throws(SystemError) {
            for branch in branches where begun == nil || !branch.isUnified { try make(branch, &making) }
            // Where a birthplace has been made, that was looked at before the child was in it.
            if !making.hasMadeAll, begun == nil { try refuseStrangers(expected) }
            try open()
        } catch {
            making.undo()
            birth = nil
            joins = []
            throw error
        }
        isNew = true
    }

    private func refuseStrangers(_ expected: Int32?) throws(SystemError) {
        guard try processes().allSatisfy({ $0 == expected }), !isFrozen else {
            throw SystemError(
                "make cgroup", branches[0].path, code: .busy,
                advice: isFrozen
                    ? "It is there and frozen: nothing would run in it. Thaw or remove it."
                    : "It has processes that are not the container's: give the container a cgroup of its own.")
        }
    }

    private mutating func make(_ branch: Branch, _ making: inout CgroupMaking) throws(SystemError) {
        do {
            try making.make(branch, handingDown: branch.isUnified ? handedDown : [])
        } catch  where mayLack && [.accessDenied, .notPermitted, .readOnlyFileSystem].contains(error.code) {
            guard Controller.wanted(by: limits).allSatisfy({ self.branch($0) != branch }), limits.unified.isEmpty else {
                throw error
            }
            branches.removeAll { $0 == branch }
        }
    }

    mutating func open() throws(SystemError) {
        var joins: [SharedFD] = []
        var birth: SharedFD?
        for branch in branches {
            if branch.isUnified {
                birth = SharedFD(try Files.place(branch.path))
            } else {
                joins.append(SharedFD(try Files.open(branch.path + "/tasks", OpenFlag.writeOnly)))
            }
        }
        self.birth = birth
        self.joins = joins
    }

    /// Removes the directories, with those that programs made inside. What is gone is no error.
    ///
    /// - Parameter patienceMilliseconds: How long killed processes may take to leave.
    /// - Throws: `SystemError`; EBUSY while a process is in it.
    package func remove(patienceMilliseconds: Int = 5000) throws(SystemError) {
        let deadline = Clock.monotonicNanoseconds() + patienceMilliseconds * 1_000_000
        for branch in branches {
            var pause: Int32 = 1
            while true {
                do {
                    try CgroupMaking.remove(branch.path)
                    break
                } catch  where error.code == .busy {
                    guard Clock.monotonicNanoseconds() < deadline else {
                        var busy = error
                        busy.advice = "A process is still in it: kill all of them first."
                        throw busy
                    }
                    Clock.pauseBlocking(milliseconds: pause)
                    pause = min(pause * 2, 50)
                }
            }
        }
    }

    // MARK: Limits

    /// Sets what `resources` asks for; all else stays. A group fresh from `make` also gets its device rules.
    package mutating func apply(_ resources: Resources) throws(SystemError) {
        try check(resources)
        if isNew || !resources.devices.isEmpty {
            do { try setDevices(resources.devices) } catch  where mayLack {
                // Who is not root can make no devices, and open those alone whose owner lets him.
            }
        }
        isNew = false
        for controller in Controller.wanted(by: resources) {
            let branch = try require(controller)
            let writes = try ControlWrite.all(for: controller, resources, isUnified: branch.isUnified) { file in
                try? Files.readText(branch.path + "/" + file)
            }
            try ControlWrite.settle(writes, in: branch.path)
        }
        guard let unified, !resources.unified.isEmpty else { return }
        for (file, text) in resources.unified.sorted(by: { $0.key < $1.key }) {
            try Files.writeText(text, to: unified.path + "/" + file)
        }
    }

    /// The same with the memory limit in force where swap is limited alone: the specification has both in one figure,
    /// v2 and systemd count them apart.
    package func completed(_ resources: Resources) -> Resources {
        guard let swap = resources.memory.swap, swap >= 0, resources.memory.limit == nil,
            let memory = branch(.memory), memory.isUnified,
            let limit = text(memory, "memory.max").flatMap({ Int64($0) })
        else { return resources }
        var completed = resources
        completed.memory.limit = limit
        return completed
    }

    package var unified: Branch? { branches.first(where: \.isUnified) }

    /// The hierarchy that has the controller.
    package func branch(_ controller: Controller) -> Branch? {
        if let name = controller.legacyName,
            let legacy = branches.first(where: { !$0.isUnified && $0.controllers.contains(name) })
        {
            return legacy
        }
        guard let name = controller.unifiedName, let unified, unified.controllers.contains(name) else { return nil }
        return unified
    }

    private func require(_ controller: Controller) throws(SystemError) -> Branch {
        if let branch = branch(controller) { return branch }
        throw SystemError(
            "limit \(controller.rawValue)", code: .notSupported,
            advice: "No cgroup hierarchy here has the controller \(controller.legacyName ?? controller.rawValue).")
    }
}

/// open(2); these never change.
enum OpenFlag {
    static let readOnly: CInt = 0
    static let writeOnly: CInt = 1
}
