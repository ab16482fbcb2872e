import Linux
import Observation
import Planning

/// Everything that a program needs, by path: decided from its file, what was traced of it, and the package database.
///
/// Invariants
/// 1. What belongs to each call (its inputs, what it writes, /proc, devices, temporary files) is no part of the image.
///    (test: `what a call brings and leaves is not packed`)
/// 2. Every link on the way to a needed file is needed, too. (test: `alternatives and merged directories come as links`)
package struct PackNeeds: Hashable, Sendable {
    /// Real paths, each without a link in it: files and directories.
    package var paths: Set<String> = []
    /// Links by their own path: where they lead.
    package var links: [String: String] = [:]
    /// The chain that executes: the program, of a script its interpreter, of "#!/usr/bin/env x" also x.
    package var executables: [String] = []
    /// Packages that are needed as a whole, whatever of them was seen.
    package var packages: Set<String> = []
    /// What is worth knowing, for the report.
    package var remarks: [String] = []
    /// What it changes outside of temporary places: a container needs it bound.
    package var state: [String] = []
    /// Libraries that were found only because of /etc/ld.so.conf: the loader's cache has to come along.
    package var needsLoaderCache = false

    package init() {}
}

/// Works out `PackNeeds`.
package struct NeedsReader<Tree: FileTree>: Sendable {
    private let tree: Tree
    private let database: DebianDatabase
    private let libraries: LibrarySearch<Tree>
    /// PATH for what /usr/bin/env is asked for.
    private let searchPath: [String]

    /// What the kernel makes, what is of the machine, and what is gone with the call.
    private static var outside: [String] {
        ["/proc", "/sys", "/dev", "/run", "/var/run", "/tmp", "/var/tmp", "/var/lib/dpkg", "/var/cache"]
    }
    /// How often a script's interpreter may be a script (the kernel allows four).
    private static var interpretersLimit: Int { 4 }

    package init(
        _ tree: Tree, _ database: DebianDatabase, searchPath: [String] = ["/usr/local/bin", "/usr/bin", "/bin"]
    ) throws(PackFailure) {
        self.tree = tree
        self.database = database
        self.searchPath = searchPath
        libraries = try LibrarySearch(tree)
    }

    package func needs(of request: PackRequest) throws(PackFailure) -> PackNeeds {
        var needs = PackNeeds()
        try addProgram(request.program, to: &needs, isMain: true)
        let traced = request.facts
        for facts in traced { try addFacts(facts, request, to: &needs) }
        for path in (request.recorded?.children.keys.sorted() ?? []) where path.hasPrefix("/") {
            if try tree.exists(path) {
                try addProgram(path, to: &needs, isMain: false)
            } else {
                needs.remarks.append("\(path), which it started, is not here any more")
            }
        }
        for path in request.included { try addIncluded(path, to: &needs) }
        if traced.isEmpty { addWhatDebianSays(&needs) }
        return needs
    }

    // MARK: - Programs

    private func addProgram(_ path: String, to needs: inout PackNeeds, isMain: Bool) throws(PackFailure) {
        var path = path
        for _ in 0...Self.interpretersLimit {
            guard let walk = try LinkWalk.follow(path, in: tree) else {
                throw PackFailure(
                    "\(path): there is no such program on this machine; was it removed since it was recorded?")
            }
            guard case .file(let status)? = try tree.entry(walk.path) else {
                throw PackFailure("\(path): it is no regular file")
            }
            if isMain, needs.executables.isEmpty { try checkPrivileges(path, status) }
            add(walk, to: &needs)
            if isMain { needs.executables.append(path) }
            switch ProgramFile.form(try tree.read(walk.path)) {
            case .elf(let elf):
                guard elf.fileClass == .bits64 else {
                    throw PackFailure(
                        "\(path): it is a 32-bit program (\(elf.machine)), which sandboxes do not run: their system-call filter ends it"
                    )
                }
                return try addLibraries(of: walk.path, elf, to: &needs)
            case .script(let interpreter, let argument):
                if interpreter.hasSuffix("/env") {
                    try addProgram(interpreter, to: &needs, isMain: false)
                    path = try found(argument, by: path)
                    if isMain { needs.executables.append(interpreter) }
                } else {
                    path = interpreter
                }
            case .other(let what): throw PackFailure("\(path): it is \(what); the kernel would not execute it")
            }
        }
        throw PackFailure("\(path): its interpreters are scripts of scripts, more than the kernel follows")
    }

    private func checkPrivileges(_ path: String, _ status: EntryStatus) throws(PackFailure) {
        guard status.file.permissions & 0o6000 == 0 else {
            throw PackFailure(
                "\(path): it is setuid or setgid, and sandboxes let no file give privileges: in an image it could not do its work"
            )
        }
        guard status.file.permissions & 0o111 != 0 else { throw PackFailure("\(path): it is not executable") }
    }

    /// What "env [-S] NAME" runs.
    private func found(_ argument: String?, by script: String) throws(PackFailure) -> String {
        var words = (argument ?? "").split(separator: " ").map(String.init)
        if words.first == "-S" { words.removeFirst() }
        while let word = words.first, word.contains("="), !word.hasPrefix("/") { words.removeFirst() }
        guard let name = words.first, !name.hasPrefix("-") else {
            throw PackFailure("\(script): what its #! line asks of env is not understood: \(argument ?? "nothing")")
        }
        if name.hasPrefix("/") { return name }
        for directory in searchPath where try tree.exists(directory + "/" + name) { return directory + "/" + name }
        throw PackFailure("\(script): its interpreter \(name) is in none of \(searchPath.joined(separator: ", "))")
    }

    private func addLibraries(of path: String, _ elf: ELFFile, to needs: inout PackNeeds) throws(PackFailure) {
        let closure = try libraries.closure(of: path, elf)
        for library in closure.paths {
            guard let walk = try LinkWalk.follow(library, in: tree) else { continue }
            add(walk, to: &needs)
            // Without its cache the loader looks in its own directories only.
            if library.hasPrefix("/usr/local/") || library.hasPrefix("/opt/") { needs.needsLoaderCache = true }
        }
        for (name, user) in closure.missing.sorted(by: { $0.key < $1.key }) {
            needs.remarks.append("\(name), which \(user) asks for, is not on this machine")
        }
    }

    private func add(_ walk: LinkWalk, to needs: inout PackNeeds) {
        needs.paths.insert(walk.path)
        needs.links.merge(walk.links) { old, _ in old }
    }

    // MARK: - What was traced

    private func addFacts(_ facts: DeepFacts, _ request: PackRequest, to needs: inout PackNeeds) throws(PackFailure) {
        for use in facts.files {
            let path = RecordedText.bytes(use.path)
            guard let text = String(validating: path, as: UTF8.self), text.hasPrefix("/") else {
                needs.remarks.append("\(use.path): its name is not UTF-8, and no layer can hold it")
                continue
            }
            if request.inputs.contains(text) { continue }
            if Self.isOutside(text) {
                remarkTemporary(use, text, &needs)
                continue
            }
            if use.isChanged {
                needs.state.append(text)
                continue
            }
            guard use.actions.contains(where: { [.read, .execute, .map, .list].contains($0) }) else { continue }
            guard let walk = try LinkWalk.follow(text, in: tree) else {
                needs.remarks.append("\(text), which it read, is not here any more")
                continue
            }
            if Self.isOutside(walk.path) { continue }
            switch try tree.entry(walk.path) {
            case .special, nil, .link: continue
            case .directory, .file: add(walk, to: &needs)
            }
            // What was executed brings its libraries, also where another program's facts are not there.
            if use.actions.contains(.execute), text != request.program {
                try? addProgram(text, to: &needs, isMain: false)
            }
        }
    }

    /// A file that was there before the call and lies where temporary files do may be an input or a part of the program.
    private func remarkTemporary(_ use: FileUse, _ path: String, _ needs: inout PackNeeds) {
        let isTemporary = ["/tmp/", "/var/tmp/"].contains { path.hasPrefix($0) }
        guard isTemporary, use.actions.contains(.read), !use.isChanged, case .file? = try? tree.entry(path) else { return }
        needs.remarks.append(
            "\(path), which it read, lies among temporary files and was left out; --include \(path) takes it along")
    }

    private static func isOutside(_ path: String) -> Bool {
        outside.contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    private func addIncluded(_ path: String, to needs: inout PackNeeds) throws(PackFailure) {
        guard let walk = try LinkWalk.follow(path, in: tree) else {
            throw PackFailure("--include \(path): there is no such file")
        }
        add(walk, to: &needs)
        guard case .directory? = try tree.entry(walk.path) else { return }
        for name in try tree.list(walk.path) {
            let child = walk.path + "/" + name
            switch try tree.entry(child) {
            case .link(let target)?: needs.links[child] = target
            case .special?, nil: continue
            default: try addIncluded(child, to: &needs)
            }
        }
    }

    // MARK: - What was not traced

    /// Nobody has seen which files it opens: then it gets what Debian says that its packages need, and a script what
    /// Debian promises to every script.
    private func addWhatDebianSays(_ needs: inout PackNeeds) {
        let owners = Set(
            needs.executables.compactMap { path in
                ((try? LinkWalk.follow(path, in: tree)) ?? nil).flatMap { database.owner(of: $0.path)?.name }
            })
        needs.packages.formUnion(database.closure(of: owners).map(\.name))
        guard needs.executables.count > 1 else { return }
        // "python3" has all that scripts may import, where the program itself belongs to "python3-minimal".
        let named = needs.executables.compactMap { $0.split(separator: "/").last.map(String.init) }.filter {
            database.packages[$0] != nil
        }
        needs.packages.formUnion(database.closure(of: named).map(\.name))
        needs.packages.formUnion(database.closure(of: database.essential).map(\.name))
        needs.remarks.append(
            "it is a script and was not traced: which programs it starts is not known. It gets Debian's essential packages; "
                + "a recording of `forkless observe --deep` would tell")
    }
}

extension FileTree {
    func exists(_ path: String) throws(PackFailure) -> Bool { try LinkWalk.follow(path, in: self) != nil }
}
