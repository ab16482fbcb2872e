package import Linux

/// A program with a shim over it.
package struct MountedProgram: Sendable {
    package var file: ProgramFile
    /// Opened before the shim was mounted: executed by it, /proc/self/exe is the path that callers know. nil for scripts,
    /// whose interpreter needs a path.
    package var original: SharedFD?
    /// Where the original is reachable by path.
    package var originalPath: String
    /// Of the shim.
    package var shim: ProgramIdentity
}

/// What is at a program's path now.
package struct MountLook: Hashable, Sendable {
    package var isMounted: Bool
    /// The file below the shim; nil: it is gone.
    package var program: ProgramIdentity?

    package init(isMounted: Bool, program: ProgramIdentity? = nil) {
        self.isMounted = isMounted
        self.program = program
    }
}

/// Shims over programs, in the mount namespace of this process. All of it blocks.
///
/// Invariants (tests in ProgramMountsTests)
/// 1. The program's own file is never written to. (`mounting and unmounting leave the program's file as it was`)
/// 2. Only a shim of ours is ever unmounted. (`what somebody else has mounted stays`)
/// 3. The shim is read-only: a program that writes itself is told so, and does not write into the shim.
///    (`a program that is written in place while it is shifted is refused by the kernel`)
package struct ProgramMounts: Sendable {
    package let state: String
    package let run: String
    private let views: OriginalViews

    package init(state: String, run: String) {
        self.state = state
        self.run = run
        views = OriginalViews(directory: "\(run)/originals")
    }

    package func directory(of id: String) -> String { "\(state)/shifts/\(id)" }
    package func shim(of id: String) -> String { "\(directory(of: id))/shim" }

    /// The name of a shift: that of the program, and digits that differ between programs of one name; at most 27 bytes.
    package static func id(of path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        let plain = name.prefix(20).map {
            $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "." || $0 == "_" || $0 == "+") ? $0 : "_"
        }
        return String(plain) + "-" + ShortHash.text(path).prefix(6)
    }

    /// Puts a shim over a program; one of ours that stands there already is replaced.
    ///
    /// - Parameter write: writes the shim of this shift to a path, for an original that is reachable at another; whoever may
    ///   execute the program may execute the shim, and nobody else.
    package func mount(
        _ id: String, program name: String,
        write: (_ shim: String, _ original: String, _ program: FileStatus) throws -> Void
    ) throws(ShiftProblem) -> MountedProgram {
        let resolved = try Self.resolved(name)
        // Between this and the new mount, calls go to the original by themselves.
        try unmount(id, at: resolved)
        if let mount = try mountpoint(resolved) {
            throw ShiftProblem(
                .conflict,
                "shift \(name): \(mount.root == "/" ? mount.source : mount.root) is mounted over it already; a shim of another node, "
                    + "perhaps. Unmount it first: umount \(resolved)")
        }
        let file = try ProgramFile.examine(name)
        do {
            let original = file.isScript ? nil : SharedFD(try Files.handle(file.path))
            let originalPath = try views.make(for: file.path)
            try Files.makeDirectories(directory(of: id), mode: 0o700)
            let shim = shim(of: id)
            try write(shim, originalPath, file.status)
            try checkExecutable(shim)
            let tree = try Mounts.copyOne(shim, attributes: [.readOnly])
            try Mounts.attach(tree, at: file.path)
            return MountedProgram(
                file: file, original: original, originalPath: originalPath, shim: try ProgramIdentity.of(shim))
        } catch let problem as ShiftProblem {
            throw problem
        } catch let error as SystemError where error.code == .notPermitted {
            throw ShiftProblem(
                .unsupported, "shift \(name): \(error). A shift mounts, which only a node that runs as root may.")
        } catch { throw ShiftProblem(.system, "shift \(name): \(error)") }
    }

    private func checkExecutable(_ shim: String) throws {
        guard let mount = Mountinfo.seen(at: shim, in: try Mountinfo.ofThisProcess()), mount.options.contains("noexec")
        else { return }
        throw ShiftProblem(
            .unsupported,
            "mount \(shim) over a program: \(mount.mountPoint) is mounted noexec, so nothing in it can be executed. Give the node "
                + "another --state.")
    }

    /// Takes our shim away; nothing else that is mounted there, and nothing when there is none.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    package func unmount(_ id: String, at path: String) throws(ShiftProblem) -> Bool {
        guard isOurs(path, id) else { return false }
        do { try Mounts.detach(path) } catch {
            throw ShiftProblem(.system, "take the shim away from \(path): \(error). By hand: umount \(path)")
        }
        return true
    }

    /// Where the original is reachable once the shim is mounted.
    package func original(of path: String) -> String { (try? views.existing(for: path)) ?? path }

    /// What is there now, on the mount and below it.
    package func look(_ id: String, at path: String) -> MountLook {
        MountLook(
            isMounted: isOurs(path, id),
            program: (try? views.existing(for: path)).flatMap { try? ProgramIdentity.of($0) })
    }

    /// Removes the views that no shift needs any more.
    package func tidy(_ originals: [String]) throws(SystemError) { try views.remove(except: originals) }

    private func isOurs(_ path: String, _ id: String) -> Bool {
        guard let there = try? ProgramIdentity.of(path), let shim = try? ProgramIdentity.of(shim(of: id)) else {
            return false
        }
        return there.isSameFile(as: shim)
    }

    private func mountpoint(_ path: String) throws(ShiftProblem) -> Mountinfo? {
        do throws(SystemError) { return try Mountinfo.ofThisProcess().last { $0.mountPoint == path } } catch {
            throw ShiftProblem(.system, "look at what is mounted: \(error)")
        }
    }

    /// Where the links of a name lead.
    package static func resolved(_ name: String) throws(ShiftProblem) -> String {
        do throws(SystemError) {
            let place = try Files.handle(name)
            return try Files.link("/proc/self/fd/\(place.raw)")
        } catch {
            throw ShiftProblem(error.code == .noEntry ? .notFound : .system, "shift \(name): \(error)")
        }
    }
}
