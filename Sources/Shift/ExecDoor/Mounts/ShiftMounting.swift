package import Linux

/// What mounts shims, for those who decide. All of it blocks.
package protocol ShiftMounting: Sendable {
    /// Looks at a program without changing anything.
    func examine(_ program: String) throws(ShiftProblem) -> ProgramFile
    /// Puts the shim of a shift over a program; one of the same shift that stands there already is replaced.
    func mount(_ id: String, program: String) throws(ShiftProblem) -> MountedProgram
    /// Takes the shim away, if it is there.
    func unmount(_ id: String, program: String) throws(ShiftProblem)
    /// Where the original is reachable once the shim is mounted.
    func original(of path: String) -> String
    /// What is at a program's path now.
    func look(_ id: String, at path: String) -> MountLook
    /// Takes the note that a person has left who rolled back without a node.
    func takeNote(_ id: String) -> String?
    /// Removes what no shift of these needs any more.
    func tidy(_ mounted: [MountedProgram])
    /// The boot and the mount namespace in which mounts are made: when it is another one, they are gone.
    var place: String { get }
}

/// The shims of a node.
package struct NodeMounts: ShiftMounting {
    private let mounts: ProgramMounts
    private let shim: ShimFile
    private let socket: String

    /// - Parameter socket: where the door listens.
    package init(state: String, run: String, socket: String, shim: ShimFile) {
        mounts = ProgramMounts(state: state, run: run)
        self.shim = shim
        self.socket = socket
    }

    package func examine(_ program: String) throws(ShiftProblem) -> ProgramFile { try ProgramFile.examine(program) }

    package func mount(_ id: String, program: String) throws(ShiftProblem) -> MountedProgram {
        try mounts.mount(id, program: program) { path, original, status in
            try shim.make(for: shim.record(shift: id, socket: socket, original: original), like: status, at: path)
        }
    }

    package func unmount(_ id: String, program: String) throws(ShiftProblem) {
        // A program that is gone has no shim over it: the mount goes with the file.
        guard let path = try? ProgramMounts.resolved(program) else { return }
        try mounts.unmount(id, at: path)
    }

    package func look(_ id: String, at path: String) -> MountLook { mounts.look(id, at: path) }

    package func original(of path: String) -> String { mounts.original(of: path) }

    package func takeNote(_ id: String) -> String? {
        let path = mounts.note(of: id)
        guard let text = try? Files.readText(path) else { return nil }
        try? Files.remove(path)
        return text
    }

    package func tidy(_ mounted: [MountedProgram]) { try? mounts.tidy(mounted.map(\.originalPath)) }

    package var place: String { ProgramMounts.place }
}

extension ProgramMounts {
    /// What a person leaves who rolls back without a node.
    package func note(of id: String) -> String { "\(directory(of: id))/rolled-back" }

    /// The boot and the mount namespace of this process.
    package static var place: String {
        let boot = (try? Files.readText("/proc/sys/kernel/random/boot_id")) ?? ""
        let namespace = (try? Files.link("/proc/self/ns/mnt")) ?? ""
        return "\(boot) \(namespace)"
    }

    /// Takes whatever shim stands over a program away, without a node, and leaves a note for the next one.
    ///
    /// - Returns: the shift whose shim it was.
    package static func rollBack(_ program: String, state: String, at time: Timestamp) throws(ShiftProblem) -> String {
        let path = try resolved(program)
        guard let record = ShimFile.record(at: path) else {
            throw ShiftProblem(
                .notFound, "roll back \(program): there is no shim over it, so calls go to the original already")
        }
        do throws(SystemError) { try Mounts.detach(path) } catch {
            throw ShiftProblem(.system, "take the shim away from \(path): \(error). By hand: umount \(path)")
        }
        let directory = ProgramMounts(state: state, run: "").directory(of: record.shift)
        if Files.exists(directory) {
            try? Files.replace(
                "\(directory)/rolled-back", with: Array("somebody rolled back at \(time), without a node\n".utf8))
        }
        return record.shift
    }
}
