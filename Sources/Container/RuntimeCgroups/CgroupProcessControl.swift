package import Linux

// The processes of a container's cgroup: who they are, stopping them where they stand, killing them.
//
// Invariant: when `kill` returns, every process that was in the cgroup has been sent SIGKILL, and none of them could
// have started another that was not. (`killing takes a grandchild that nobody waits for`)

extension RuntimeCgroup {
    /// The hierarchy by which all processes are known: v2, else v1's freezer, else the first there is.
    private var home: Branch? { unified ?? freezer ?? branches.first }

    private var freezer: Branch? { branches.first { !$0.isUnified && $0.controllers.contains("freezer") } }

    /// Every process in it and in the groups inside it.
    package func processes() throws(SystemError) -> [Int32] {
        guard let home else { return [] }
        return try Self.processes(home.path)
    }

    private static func processes(_ path: String) throws(SystemError) -> [Int32] {
        do {
            var all = try Files.readText(path + "/cgroup.procs").split(separator: "\n").compactMap { Int32($0) }
            // 0 stands for one in a pid namespace that is not seen from here.
            all.removeAll { $0 <= 0 }
            for child in try Files.subdirectories(path) { all += try processes(path + "/" + child) }
            return all
        } catch where error.code == .noEntry || error.code == .noSuchDevice {
            return []
        }
    }

    /// Stops every process where it stands, or lets them go on; returns when that is done.
    ///
    /// - Throws: `SystemError`; EOPNOTSUPP without a freezer, ETIMEDOUT when some do not stop, in which case all go on.
    package func freeze(_ isFrozen: Bool) throws(SystemError) {
        try write(isFrozen)
        guard isFrozen else { return }
        for round in 0..<Self.freezeRounds {
            if self.isFrozen { return }
            // v1 misses tasks that were being started: told again, it looks again.
            if round % 50 == 49 { try write(true) }
            Clock.pauseBlocking(milliseconds: round < 10 ? 1 : 5)
        }
        try? write(false)
        throw SystemError(
            "freeze cgroup", home?.path ?? "", code: .timedOut,
            advice: "Some processes wait for a device or a file system and cannot be stopped.")
    }

    private static let freezeRounds = 1000

    private func write(_ isFrozen: Bool) throws(SystemError) {
        if let unified { return try Files.writeText(isFrozen ? "1" : "0", to: unified.path + "/cgroup.freeze") }
        guard let freezer else {
            throw SystemError(
                "freeze cgroup", home?.path ?? "", code: .notSupported,
                advice: "There is neither cgroup v2 nor v1's controller \"freezer\".")
        }
        try Files.writeText(isFrozen ? "FROZEN" : "THAWED", to: freezer.path + "/freezer.state")
    }

    /// Whether every process in it stands still; false when nothing can be found out.
    package var isFrozen: Bool {
        if let unified {
            return (try? Files.readText(unified.path + "/cgroup.events"))?.split(separator: "\n").contains("frozen 1")
                ?? false
        }
        guard let freezer else { return false }
        return (try? Files.readText(freezer.path + "/freezer.state")) == "FROZEN"
    }

    /// Sends SIGKILL to every process in it, also to those that are being started. Frozen ones are let go to die.
    ///
    /// - Throws: `SystemError`; EBUSY when the group cannot be emptied.
    package func kill() throws(SystemError) {
        guard let home else { return }
        if home.isUnified, Files.exists(home.path + "/cgroup.kill") {
            try Files.writeText("1", to: home.path + "/cgroup.kill")
            // What is frozen dies as well, but the group would stay as it is.
            try? Files.writeText("0", to: home.path + "/cgroup.freeze")
            return
        }
        for round in 0..<Self.killRounds {
            if try processes().isEmpty { return }
            let stands = (try? freeze(true)) != nil
            for pid in try processes() {
                do { try ProcessFD(pid: pid).signal(Signal.kill) } catch where error.code == .noProcess {}
            }
            try? write(false)
            if stands { return }
            Clock.pauseBlocking(milliseconds: Int32(1 + round / 4))
        }
        throw SystemError(
            "kill every process of", home.path, code: .busy,
            advice: "Some do not die: they wait for a device or a file system, see /proc/PID/stack.")
    }

    private static let killRounds = 64
}
