package import Linux

// The processes of a cgroup: who they are, holding them, killing them.
//
// Invariant: when `killAll` returns, every process that was in the cgroup has been sent SIGKILL, and none of them
// could have started another that was not. v2's cgroup.kill promises this; elsewhere the group is frozen before its
// processes are read. (`killing takes a grandchild that nobody waits for`)

extension CgroupHierarchy {
    /// Every process in the cgroup and in those inside it; ended ones that wait to be reaped are not listed.
    package func processes(of cgroup: Cgroup) throws(SystemError) -> [Int32] {
        try Self.processes(home, cgroup.name)
    }

    /// Whether no process is in it.
    package func isEmpty(_ cgroup: Cgroup) throws(SystemError) -> Bool {
        if home.version == .v2, let events = try home.bytes("cgroup.events", of: cgroup.name),
            let populated = ControlText.value(of: "populated", in: events)
        {
            return populated == 0
        }
        return try processes(of: cgroup).isEmpty
    }

    /// The file that signals EPOLLPRI when the cgroup becomes empty or frozen, and ceases to be; nil without v2.
    package func events(of cgroup: Cgroup) throws(SystemError) -> OwnedFD? {
        guard home.version == .v2 else { return nil }
        return try home.open("cgroup.events", of: cgroup.name, CgroupBranch.readOnly)
    }

    /// Asks the kernel to stop every process in it where it stands; `isFrozen` tells when that's done.
    ///
    /// - Throws: `SystemError`; EOPNOTSUPP on a v1 host without the freezer.
    package func freeze(_ cgroup: Cgroup) throws(SystemError) {
        try requireFreezer(cgroup)
        switch home.version {
        case .v2: try home.write("1", to: "cgroup.freeze", of: cgroup.name)
        case .v1: try home.write("FROZEN", to: "freezer.state", of: cgroup.name)
        }
    }

    /// The same, and waits until they stand, for a tenth of a second at most.
    ///
    /// - Throws: `SystemError`; EBUSY when some do not stop. Then all go on.
    package func freezeBlocking(_ cgroup: Cgroup) throws(SystemError) {
        guard try !freezeAndWait(cgroup) else { return }
        if home.controllers.contains(.freezer) { try thaw(cgroup) }
        throw SystemError(
            "stop the processes of", "\(home.path)/\(cgroup.name)", code: .busy,
            advice: "Some wait for a device or a file system, see /proc/PID/stack.")
    }

    /// Lets the processes go on.
    package func thaw(_ cgroup: Cgroup) throws(SystemError) {
        try requireFreezer(cgroup)
        switch home.version {
        case .v2: try home.write("0", to: "cgroup.freeze", of: cgroup.name)
        case .v1: try home.write("THAWED", to: "freezer.state", of: cgroup.name)
        }
    }

    /// Whether every process in it stands still.
    package func isFrozen(_ cgroup: Cgroup) throws(SystemError) -> Bool {
        try requireFreezer(cgroup)
        switch home.version {
        case .v2:
            return try home.bytes("cgroup.events", of: cgroup.name)
                .flatMap { ControlText.value(of: "frozen", in: $0) } == 1
        case .v1: return try home.bytes("freezer.state", of: cgroup.name)?.starts(with: "FROZEN".utf8) ?? false
        }
    }

    /// Sends SIGKILL to every process in it, including those that are being started meanwhile. It returns when that is
    /// done, which is before they're gone.
    ///
    /// Without cgroup.kill (v1, v2 before Linux 5.14) it may take some ms, since it waits for the freezer.
    ///
    /// - Throws: `SystemError`; EBUSY when the group could neither be frozen nor emptied.
    package func killAll(of cgroup: Cgroup) throws(SystemError) {
        if features.kill { return try home.write("1", to: "cgroup.kill", of: cgroup.name) }
        for _ in 0..<Self.killRounds {
            if try processes(of: cgroup).isEmpty { return }
            let frozen = try freezeAndWait(cgroup)
            // What v1 has frozen cannot even die, so that its processes keep their numbers.
            let certain = frozen && home.version == .v1
            for pid in try processes(of: cgroup) { try Self.kill(pid, home, cgroup.name, certain: certain) }
            if home.controllers.contains(.freezer) { try thaw(cgroup) }
            if frozen { return }
            Clock.pauseBlocking(milliseconds: 1)
        }
        throw SystemError(
            "kill every process of", "\(home.path)/\(cgroup.name)", code: .busy,
            advice: "Some do not die: they wait for a device or a file system, see /proc/PID/stack.")
    }

    /// Removes every cgroup of the parent, and first kills the processes that are in one: for a keeper that starts.
    ///
    /// - Parameter patienceMilliseconds: how long killed processes may take to be gone.
    /// - Returns: the names of the cgroups that were removed.
    @discardableResult
    package func removeLeftovers(patienceMilliseconds: Int = 5000) throws(SystemError) -> [String] {
        var names: Set<String> = []
        for branch in branches { names.formUnion(try branch.children(".")) }
        for name in names {
            let leftover = Cgroup(name: name, controllers: available)
            if try home.contains(name) { try killAll(of: leftover) }
            let deadline = Clock.monotonicNanoseconds() + patienceMilliseconds * 1_000_000
            while true {
                do {
                    // Processes may be in another tree only, if the host was mounted differently before.
                    for branch in branches.dropFirst() where try branch.contains(name) {
                        for pid in try Self.processes(branch, name) { try Self.kill(pid, branch, name, certain: false) }
                    }
                    try remove(leftover)
                    break
                } catch where error.code == .busy {
                    guard Clock.monotonicNanoseconds() < deadline else { throw error }
                    Clock.pauseBlocking(milliseconds: 1)
                }
            }
        }
        return names.sorted()
    }

    // MARK: Private

    private static let killRounds = 64
    private static let freezeRounds = 100

    private func requireFreezer(_ cgroup: Cgroup) throws(SystemError) {
        guard home.controllers.contains(.freezer) else {
            var refusal = layout.refusal(of: .freezer)
            refusal.operation = "freeze cgroup \(cgroup.name) with controller"
            throw refusal
        }
    }

    private func freezeAndWait(_ cgroup: Cgroup) throws(SystemError) -> Bool {
        guard home.controllers.contains(.freezer) else { return false }
        try freeze(cgroup)
        for _ in 0..<Self.freezeRounds {
            if try isFrozen(cgroup) { return true }
            Clock.pauseBlocking(milliseconds: 1)
        }
        return false
    }

    /// Kills a process by descriptor, and unless its number is certain only if it is still listed once that is open:
    /// the number of one that ended in between may be a stranger's by now.
    private static func kill(_ pid: Int32, _ branch: CgroupBranch, _ name: String, certain: Bool) throws(SystemError) {
        do {
            let process = try ProcessFD(pid: pid)
            if !certain {
                guard try processes(branch, name).contains(pid) else { return }
            }
            try process.signal(Signal.kill)
        } catch where error.code == .noProcess {}
    }

    private static func processes(_ branch: CgroupBranch, _ name: String) throws(SystemError) -> [Int32] {
        var all = try branch.processes(name)
        for child in try branch.children(name) {
            do {
                all += try processes(branch, "\(name)/\(child)")
            } catch where error.code == .noEntry || error.code == .noSuchDevice {
                // Removed since it was listed.
            }
        }
        return all
    }
}
