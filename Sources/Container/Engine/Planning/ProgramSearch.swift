package import Linux

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

    package init(program: FoundProgram, identity: Users.Identity) {
        self.program = program
        self.identity = identity
    }

    /// Looks for the program and the user of a valid spec, and at the sources of its mounts. Blocks.
    package static func gather(for spec: ContainerSpec) throws(NodeFailure) -> LaunchFindings {
        do throws(SpecError) {
            let root = try RootView(spec.root)
            for case .bind(let source, _, _) in spec.mounts where !Files.exists(source) {
                throw SpecError("-v", source, "there is no such file or directory on this machine")
            }
            let identity: Users.Identity
            do { identity = try root.users().identity(of: spec.user ?? "0") } catch {
                throw SpecError("-u", error.text, error.problem)
            }
            let search = ProgramSearch(spec: spec, root: root)
            return LaunchFindings(program: try search.find(), identity: identity)
        } catch {
            throw error.failure
        }
    }
}

/// Looks for a program as execvp(3) does, but inside the root and with the program's own PATH.
struct ProgramSearch {
    let spec: ContainerSpec
    let root: RootView

    func find() throws(SpecError) -> FoundProgram {
        let name = spec.program
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
        guard case .bind(let source, let target, _) = covering else { return covering == nil ? root.find(path) : nil }
        guard let machine = try? RootView(.host) else { return nil }
        return machine.find(source + path.dropFirst(target.count)).map {
            RootView.Found(status: $0.status, realPath: path)
        }
    }
}
