import Linux

/// Ending a program and what it has started.
extension RunningProgram {
    /// How long a program gets to end by itself, unless the caller says otherwise.
    public static let gracePeriod = Duration.seconds(10)

    /// Asks the program to end (SIGTERM), and after the grace period forces it and its tree (SIGKILL).
    ///
    /// When the program ends in time, what it leaves behind of its tree is killed all the same. A cancelled task
    /// shortens the grace period to nothing; the program has ended when this returns in any case.
    /// - Returns: how the program ended.
    public func stop(gracePeriod: Duration = RunningProgram.gracePeriod) async throws(SpawnError) -> ExitRecord {
        // Seen before the program ends: afterwards its children have another parent.
        var tree = ProcessTree(root: pid, pidfd: pidfd)
        if try exitIfEnded() == nil { try spawning { () throws(SystemError) in _ = try tree.grow() } }
        try signal(Signal.terminate)
        let inTime = try await ended(within: gracePeriod)
        try killTree()
        try spawning { () throws(SystemError) in try tree.signal(Signal.kill) }
        if let inTime { return inTime }
        return try await waitWhateverHappens()
    }

    /// Kills the program and everything it has started, at once.
    ///
    /// With a cgroup of its own (`Options.cgroup`) that is complete. Otherwise its process group is killed, if it
    /// leads one, and all descendants that can be found through their parents, which are stopped first so that
    /// none escapes by forking. A descendant that left the group and whose parent has ended is out of reach then.
    public func killTree() throws(SpawnError) {
        if let cgroup {
            return try spawning { () throws(SystemError) in
                try Files.writeText("1", to: "cgroup.kill", at: cgroup.raw)
            }
        }
        var tree = ProcessTree(root: pid, pidfd: pidfd)
        if try exitIfEnded() == nil { try spawning { () throws(SystemError) in try tree.freeze() } }
        if leadsGroup {
            try spawning { () throws(SystemError) in try ProcessFD.signalGroup(Signal.kill, of: pidfd.raw) }
        }
        try spawning { () throws(SystemError) in try tree.signal(Signal.kill) }
    }

    /// The end of the program, if it comes within a time; nil: it has not come, or the task was cancelled.
    func ended(within limit: Duration) async throws(SpawnError) -> ExitRecord? {
        if let exit = try exitIfEnded() { return exit }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await Readiness.shared.readable(self.pidfd.raw) }
            group.addTask { try? await Task.sleep(for: limit, clock: .continuous) }
            await group.next()
            group.cancelAll()
        }
        return try exitIfEnded()
    }

    /// Waits for a program that was killed, even in a task that is cancelled.
    func waitWhateverHappens() async throws(SpawnError) -> ExitRecord {
        // A task of its own is not cancelled with this one.
        let result = await Task.detached { await Result { () async throws(SpawnError) in try await self.wait() } }.value
        return try result.get()
    }
}
