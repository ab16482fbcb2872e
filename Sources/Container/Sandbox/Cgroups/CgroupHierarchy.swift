package import Linux

/// The cgroups of one keeper on a v2, v1 or hybrid host, below one parent group in every hierarchy it needs.
///
/// On v1 each controller has a tree of its own, so that a sandbox is a directory in several places; on v2 it is one
/// directory. A hybrid host has both, and there the v2 directory is used for what v2 does without controllers:
/// placing a child at birth (CLONE_INTO_CGROUP), kill, freeze, "populated" events and the account of CPU time.
/// This type hides the difference; a sandbox's *home* is the hierarchy by which all of its processes are known: v2,
/// else v1's freezer, else the first there is.
///
/// Invariants, each with its test in Tests/SandboxTests:
/// 1. A controller that was asked for holds the sandbox, or there is an error that says why not; none is dropped.
///    (`a controller that no hierarchy has is refused with what to do`)
/// 2. A sandbox joins no hierarchy in which it asked for nothing, except its home.
///    (`only hierarchies that were asked for get a directory`)
/// 3. A failed `make` or `open` leaves no directory that it made. (`a make that fails half way leaves nothing`)
/// 4. No figure is made up: what the kernel does not count is nil. (`what is not counted is nil and not nought`)
///
/// All calls are synchronous and short. Joining may not be (see `joinDescriptors`), so nothing here does it.
package final class CgroupHierarchy: Sendable {
    /// Where the hierarchies are mounted.
    package let layout: CgroupLayout
    /// The name of the parent group.
    package let parent: String
    /// The controllers that can be asked for.
    package let available: CgroupControllers

    /// The home first.
    let branches: [CgroupBranch]
    let features: CgroupFeatures
    /// Why a controller that v2 offers cannot be used.
    private let refusals: [CgroupControllers: SystemError]

    /// Finds the hierarchies of this machine and makes, or takes over, the group `parent` in each one needed.
    ///
    /// - Throws: `SystemError`: ENODEV where no hierarchy is mounted; EROFS or EACCES where they may not be written.
    package static func open(parent: String) throws(SystemError) -> CgroupHierarchy {
        try open(parent: parent, layout: .ofThisProcess())
    }

    /// The same for a given layout.
    package static func open(parent: String, layout: CgroupLayout) throws(SystemError) -> CgroupHierarchy {
        try Cgroup.validate(name: parent)
        guard layout.kind != .none else {
            throw SystemError(
                "find cgroups", code: .noSuchDevice,
                advice: "No cgroup hierarchy is mounted: mount -t cgroup2 none /sys/fs/cgroup.")
        }
        var opening = CgroupOpening(parent: parent, layout: layout)
        do {
            try opening.openAll()
            return CgroupHierarchy(opening, features: try CgroupFeatures(opening.branches))
        } catch {
            opening.undo()
            throw error
        }
    }

    private init(_ opening: CgroupOpening, features: CgroupFeatures) {
        layout = opening.layout
        parent = opening.parent
        branches = opening.branches
        refusals = opening.refusals
        available = branches.reduce(into: []) { $0.formUnion($1.controllers) }
        self.features = features
    }

    var home: CgroupBranch { branches[0] }

    /// The branches that hold a cgroup with these controllers, the home first.
    func branches(for controllers: CgroupControllers) -> [CgroupBranch] {
        [home] + branches.dropFirst().filter { !$0.controllers.isDisjoint(with: controllers) }
    }

    /// The branch of a controller that the cgroup was made with; nil when it was made without.
    func branch(_ controller: CgroupControllers, of cgroup: Cgroup) -> CgroupBranch? {
        // The home keeps its accounts whether or not they were asked for.
        if home.controllers.contains(controller) { return home }
        guard cgroup.controllers.contains(controller) else { return nil }
        return branches.first { $0.controllers.contains(controller) }
    }

    // MARK: Making and removing

    /// Makes a cgroup that these controllers hold.
    ///
    /// - Throws: `SystemError`: EOPNOTSUPP for a controller that isn't available, EEXIST for a name in use, EINVAL for
    ///   one that cannot be.
    package func make(_ name: String, _ controllers: CgroupControllers) throws(SystemError) -> Cgroup {
        try Cgroup.validate(name: name)
        try require(controllers)
        var made: [CgroupBranch] = []
        do {
            for branch in branches(for: controllers) {
                try branch.make(name)
                made.append(branch)
            }
        } catch {
            for branch in made { try? branch.remove(name) }
            throw error
        }
        return Cgroup(name: name, controllers: controllers)
    }

    /// The cgroup of this name as its directories tell; nil when its home has none.
    package func find(_ name: String) throws(SystemError) -> Cgroup? {
        try Cgroup.validate(name: name)
        guard try home.contains(name) else { return nil }
        var controllers = home.controllers
        for branch in branches.dropFirst() where try branch.contains(name) { controllers.formUnion(branch.controllers) }
        return Cgroup(name: name, controllers: controllers.subtracting(.freezer))
    }

    /// Refuses controllers that this machine does not offer.
    ///
    /// - Throws: `SystemError` (EOPNOTSUPP) that names the first, the hierarchy and what to do.
    package func require(_ controllers: CgroupControllers) throws(SystemError) {
        let missing = controllers.subtracting(available)
        for (controller, _) in CgroupControllers.named where missing.contains(controller) {
            throw refusals[controller] ?? layout.refusal(of: controller)
        }
    }

    /// Removes the cgroup's directories. Called again after EBUSY it goes on where it stopped.
    ///
    /// - Throws: `SystemError`; EBUSY while a process is in it, in which case the home and its figures are still there.
    package func remove(_ cgroup: Cgroup) throws(SystemError) {
        for branch in branches(for: cgroup.controllers) {
            do {
                try branch.remove(cgroup.name)
            } catch where error.code == .busy {
                var busy = error
                busy.advice = "A process is still in it: kill all, reap those that are children, then remove."
                throw busy
            }
        }
    }

    /// Removes the parent group; nothing else may be called afterwards.
    ///
    /// - Throws: `SystemError`; EBUSY while it has cgroups.
    package func close() throws(SystemError) {
        for branch in branches {
            do {
                try Files.removeDirectory(branch.path)
            } catch where error.code == .noEntry {
                continue
            } catch where error.code == .busy {
                throw SystemError(
                    error.operation, error.subject, code: .busy, advice: "It still has cgroups: remove them first.")
            }
        }
    }

    // MARK: Joining

    /// The home's directory for CLONE_INTO_CGROUP, clone(2); nil where no v2 hierarchy is mounted.
    package func placement(of cgroup: Cgroup) throws(SystemError) -> OwnedFD? {
        guard home.version == .v2 else { return nil }
        return try home.directory(cgroup.name)
    }

    /// The files into which the child itself, of one thread still, writes "0" to be in the cgroup.
    ///
    /// The kernel moves a whole process under a lock that first waits for an RCU grace period (6 to 16 ms when the
    /// machine was idle), but a thread that moves itself without that lock. So v1 is joined by `tasks`, 0.2 ms for five
    /// hierarchies, and v2, which has no such file for domains, by `placement`.
    ///
    /// - Parameter placedAtBirth: whether the child is cloned into `placement`; if not, v2 is among the files.
    package func joinDescriptors(of cgroup: Cgroup, placedAtBirth: Bool = true) throws(SystemError) -> CgroupEntries {
        var raws: [CInt] = []
        for branch in branches(for: cgroup.controllers) where !(placedAtBirth && branch.version == .v2) {
            do {
                raws.append(try branch.open(branch.entryFile, of: cgroup.name, CgroupBranch.writeOnly).release())
            } catch {
                _ = CgroupEntries(adopting: raws)
                throw error
            }
        }
        return CgroupEntries(adopting: raws)
    }
}
