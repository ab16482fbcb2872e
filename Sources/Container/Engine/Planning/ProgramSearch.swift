package import Linux
package import Sandbox

/// Which file a program's name means, inside the root.
package struct FoundProgram: Hashable, Sendable {
    /// The path to execute, as the program's own eyes see it.
    package var path: String
    /// The file itself, with links followed.
    package var realPath: String

    package init(path: String, realPath: String) {
        self.path = path
        self.realPath = realPath
    }
}

/// What a launch needs to know of the machine: everything that is looked up, so that what follows is decided.
package struct LaunchFindings: Hashable, Sendable {
    package var program: FoundProgram
    package var identity: Users.Identity
    /// A working directory that an image has not: made in the container's room, as Docker does.
    package var missingDirectory: String?
    /// Where the container's own files of /etc are bound, with the image's links followed.
    package var roomPlaces = RoomPlaces()

    package init(program: FoundProgram, identity: Users.Identity) {
        self.program = program
        self.identity = identity
    }

    /// Looks for the program and the user of a valid spec, and at the sources of its mounts. Blocks.
    package static func gather(
        for spec: ContainerSpec, image: ImageRoot? = nil
    ) throws(NodeFailure) -> LaunchFindings {
        do throws(SpecError) {
            let root = if let image { try RootView(image) } else { try RootView(spec.root) }
            for case .bind(let source, _, _) in spec.mounts where !Files.exists(source) {
                throw SpecError("-v", source, "there is no such file or directory on this machine")
            }
            for device in spec.devices {
                guard let kind = try? Files.status(device.source).kind else {
                    throw SpecError("--device", device.source, "there is no such device on this machine")
                }
                guard kind == .characterDevice || kind == .blockDevice else {
                    throw SpecError("--device", device.source, "is no device; of a directory of devices name each")
                }
            }
            let flag = image == nil ? "-u" : "-u, or the image's USER,"
            let identity = try root.identity(of: spec.user ?? "0", flag: flag)
            let search = ProgramSearch(spec: spec, root: root)
            var findings = LaunchFindings(program: try search.find(), identity: identity)
            if image != nil {
                findings.missingDirectory = try missingDirectory(of: spec, root)
                findings.roomPlaces.hosts = try root.place(for: findings.roomPlaces.hosts, flag: "the image's")
                findings.roomPlaces.hostname = try root.place(for: findings.roomPlaces.hostname, flag: "the image's")
                findings.roomPlaces.resolver = try root.place(for: findings.roomPlaces.resolver, flag: "the image's")
            }
            return findings
        } catch {
            throw error.failure
        }
    }
}

extension LaunchFindings {
    /// nil when the directory is there, or is not the root's: a mount's, or the kernel's.
    private static func missingDirectory(
        of spec: ContainerSpec, _ root: RootView
    ) throws(SpecError) -> String? {
        guard let directory = spec.directory else { return nil }
        let flag = "-w, or the image's WORKDIR,"
        let place = try root.place(for: directory, flag: flag)
        func isBelow(_ target: String) -> Bool { place == target || place.hasPrefix(target + "/") }
        let covering = ["/proc", "/dev", "/sys"] + spec.mounts.map { ImageDefaultsMerge.clean($0.target) }
        if covering.contains(where: isBelow) { return nil }
        guard let found = root.find(place) else { return place }
        guard found.status.kind == .directory else { throw SpecError(flag, directory, "is no directory") }
        return nil
    }
}

/// Looks for a program as execvp(3) does, but inside the root and with the program's own PATH.
struct ProgramSearch {
    let spec: ContainerSpec
    let root: RootView

    func find() throws(SpecError) -> FoundProgram {
        let name = spec.words[0]
        // Bound there by the keeper.
        if spec.usesInit, name == SandboxPlan.initPath { return FoundProgram(path: name, realPath: name) }
        if name.hasPrefix("/") { return try check(name) }
        if name.contains("/") {
            let directory = spec.directory ?? "/"
            return try check(directory.hasSuffix("/") ? directory + name : directory + "/" + name)
        }
        let path = DefaultEnvironment.searchPath(spec.environment)
        var refusal: SpecError?
        for directory in path.split(separator: ":") where directory.hasPrefix("/") {
            do { return try check("\(directory)/\(name)") } catch {
                // As execvp(3): something by that name that cannot be executed is remembered, not the end.
                if error.kind == .notExecutable, refusal == nil { refusal = error }
            }
        }
        throw refusal
            ?? SpecError("the program", name, "is in none of the directories of PATH (\(path))", kind: .notFound)
    }

    private func check(_ path: String) throws(SpecError) -> FoundProgram {
        guard let found = seen(path) else {
            throw SpecError("the program", path, "there is no such file inside the root", kind: .notFound)
        }
        guard found.status.kind == .regular else {
            throw SpecError("the program", path, "is no regular file, so it cannot be executed", kind: .notExecutable)
        }
        guard found.status.permissions & 0o111 != 0 else {
            throw SpecError("the program", path, "nobody has the right to execute it (chmod +x)", kind: .notExecutable)
        }
        return FoundProgram(path: path, realPath: found.realPath)
    }

    /// What is at a path inside: a declared bind covers what the root has there.
    private func seen(_ path: String) -> RootView.Found? {
        let covering = spec.mounts.last { path == $0.target || path.hasPrefix($0.target + "/") }
        let source: String
        let target: String
        switch covering {
        // What a fresh volume holds is copied from the root; what one of before holds is known only inside.
        case nil, .volume: return root.find(path)
        case .temporary: return nil
        case .bind(let from, let to, _): (source, target) = (from, to)
        }
        guard let machine = try? RootView(.host) else { return nil }
        return machine.find(source + path.dropFirst(target.count)).map {
            RootView.Found(status: $0.status, realPath: path)
        }
    }
}
