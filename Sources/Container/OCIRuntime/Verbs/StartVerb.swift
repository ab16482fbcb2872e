import Linux
import OCI

extension Verbs {
    /// `start`: lets the program of a created container begin, and, where a service manager wants to know, waits until
    /// it is ready.
    func start(_ id: String) throws(RuntimeFailure) {
        let directory = try StateDirectory(id, root: options.root)
        let (process, readiness) = try start(directory)
        try readiness?.wait(for: process)
    }

    private func start(_ directory: StateDirectory) throws(RuntimeFailure) -> (SharedFD, ReadinessRelay?) {
        let lock = try directory.takeLock()
        defer { withExtendedLifetime(lock) {} }
        let container = try Container(directory)
        let record = try container.demand(.start)
        let spec = try directory.spec()
        let process = try attempt { () throws(SystemError) in try ProcessFD(pid: record.pid).shared() }
        let readiness = try readiness(of: directory, mainProcess: record.pid)
        try endingContainer(directory) { () throws(RuntimeFailure) in
            guard !spec.hooks[.startContainer].isEmpty else { return }
            let inside = StartHooks(record: record, spec: spec, directory: directory, report: report)
            try inside.run(container.state(spec.annotations))
        }
        try open(directory)
        let started = RuntimeState(
            id: directory.id, status: .running, pid: record.pid, bundle: record.bundle, annotations: spec.annotations,
            root: record.root)
        try endingContainer(directory) { () throws(RuntimeFailure) in
            try HookRun(stage: .poststart, state: started)(spec.hooks[.poststart])
        }
        return (process, readiness)
    }

    /// A hook that fails ends the container: it is stopped and destroyed, and its last hooks run (runtime.md,
    /// "Lifecycle", steps 7 and 9).
    private func endingContainer(
        _ directory: StateDirectory, _ hooks: () throws(RuntimeFailure) -> Void
    ) throws(RuntimeFailure) {
        do { try hooks() } catch {
            do { try Removal(directory, report: report).remove() } catch let second {
                report.warn("container \(directory.id) could not be taken away: \(second)")
            }
            throw error
        }
    }

    /// Where the program can say that it is ready; nil where nobody wants to know, or the container was made without.
    func readiness(of directory: StateDirectory, mainProcess: Int32?) throws(RuntimeFailure) -> ReadinessRelay? {
        guard let manager = try Activation.ofThisProcess().notifySocket else { return nil }
        return try ReadinessRelay(
            directory: try directory.notifyDirectory(), manager: manager, mainProcess: mainProcess)
    }

    /// Opens the door on which the program waits, and hears whether it has begun.
    private func open(_ directory: StateDirectory) throws(RuntimeFailure) {
        let report = try attempt { () throws(SystemError) in
            let report = try Files.open(StateDirectory.reportDoor, Self.nonBlocking, at: directory.place.raw)
            // Without a reader this fails: then the process is gone.
            let door = try Files.open(StateDirectory.startDoor, Self.nonBlocking | 1, at: directory.place.raw)
            try Files.writeAll([1], to: door.raw, name: StateDirectory.startDoor)
            try FileEntries.remove(StateDirectory.startDoor, at: directory.place.raw)
            return report
        }
        let bytes = try attempt { () throws(SystemError) in
            try Files.waitUntilReadable(report.raw)
            return try Files.readSome(report.raw, count: 8)
        }
        guard bytes.count == 8 else { return }
        let code = bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: 4, as: Int32.self) }
        throw RuntimeFailure("unable to start container process: execute the program: \(Errno(code))")
    }

    private static let nonBlocking: CInt = 0o4000
}
