import CSpawn
package import Linux

/// A child that has just been started.
package struct Launched: ~Copyable {
    package let pid: Int32
    private var descriptor: OwnedFD?

    init(pid: Int32, pidfd: CInt) {
        self.pid = pid
        descriptor = OwnedFD(adopting: pidfd)
    }

    /// The child by descriptor; taking it twice is a programmer error.
    package mutating func takePidfd() -> OwnedFD { descriptor.take()! }

    /// Waits until `other` is readable or the child has ended; not at all once the pidfd was taken.
    borrowing func waitUntilReadable(or other: CInt) throws(SpawnError) {
        guard let pidfd = pidfdIfHeld else { return }
        try spawning { () throws(SystemError) in try Files.waitUntilReadable(pidfd, or: other) }
    }

    private var pidfdIfHeld: CInt? {
        switch descriptor {
        case .some(let fd): fd.raw
        case .none: nil
        }
    }
}

extension CompiledProgram {
    /// How the child's memory relates to ours until its exec.
    package enum MemorySharing: Sendable {
        /// Shared, ours stands still meanwhile (as vfork): cost does not depend on our size.
        case shared
        /// Copied (as fork): kept to measure what Forkless replaces, and for nothing else.
        case copied
    }

    /// Starts the program and returns when it has been exec'ed.
    ///
    /// - Parameters:
    ///   - filled: descriptors for slots of this call; they stay the caller's.
    ///   - cgroup: a v2 cgroup's directory in which the child is born (CLONE_INTO_CGROUP), or -1.
    /// - Throws: `SpawnError` that names the step which failed; nothing is left running then.
    package func start(
        _ call: ProgramCall, filled: [(Slot, CInt)] = [], cgroup: CInt = -1, memory sharing: MemorySharing = .shared
    ) throws(SpawnError) -> Launched {
        let base = CloneFlags.parentWaits | CloneFlags.clearSignalHandlers
        let flags = sharing == .shared ? base | CloneFlags.sharedMemory | CloneFlags.sharedFiles : base
        let memory = LaunchMemory(self, call: call, flags: flags, cgroup: cgroup)
        for (slot, fd) in filled { memory.fill(slot, with: fd) }
        let pid = cspawn_start(memory.launch)
        guard pid >= 0 else { throw Self.cloneError(pid) }
        let launched = Launched(pid: Int32(pid), pidfd: memory.launch.pointee.pidfd)
        // A copied child cannot report through our memory; the baseline learns of a failure by status 127.
        if let failure = memory.failure() {
            Self.reapFailed(launched)
            throw failure
        }
        return launched
    }

    private static func reapFailed(_ launched: consuming Launched) {
        let process = ProcessFD(adopting: launched.takePidfd())
        _ = try? process.reapBlocking()
    }

    static func cloneError(_ result: Int) -> SpawnError {
        let code = Errno(CInt(-result))
        let advice =
            switch code {
            case .again:
                "A limit on processes was reached: that of the user (ulimit -u), the cgroup (pids.max) or the machine."
            case .noMemory: "The kernel has no memory for another process."
            case .notPermitted: "New namespaces need root, or a user namespace."
            case .noSpace: "Too many nested namespaces, or the limit in /proc/sys/user was reached."
            case .busy: "The cgroup delegates controllers to its children, so it may not hold processes itself."
            case .badDescriptor: "The cgroup is not an open directory of a cgroup v2 file system."
            default: ""
            }
        return SpawnError(step: "start a process", code: code, advice: advice)
    }
}
