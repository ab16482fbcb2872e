internal import Lambda
internal import Linux

/// Which Pythons of this machine run functions, and where AWS's runtime client is for each.
///
/// The interpreter is `python3.x` by name: in PATH, where systems install it, or among pyenv's versions. AWS's runtime
/// client, awslambdaric, comes from a directory of Forkless' own, or from what the interpreter itself has installed.
///
/// Invariants (with their tests in PythonRuntimesTests)
/// 1. What is found is the interpreter itself: scripts that choose one (pyenv's shims) are passed over.
///    (`a script that stands in for an interpreter is passed over`)
/// 2. What is missing is named with the command that brings it. (`what is missing is named with its remedy`)
package struct PythonRuntimes: Sendable {
    /// Each may hold a directory python3.x with awslambdaric and what else functions may import.
    package var directories: [String]
    /// Directories of executables, in this order.
    package var searchPath: [String]
    /// Directories with one installation each: pyenv's "versions".
    package var installations: [String]
    private let files: any PythonFiles

    /// - Parameters:
    ///   - directories: those given by `forkless node --python-runtimes`, then STATE/functions/runtimes.
    ///   - path: the node's PATH.
    package init(
        directories: [String], path: String, home: String, files: any PythonFiles = MachineFiles()
    ) {
        self.directories = directories
        searchPath = path.split(separator: ":").map(String.init) + ["/usr/bin", "/usr/local/bin"]
        installations = ["\(home)/.pyenv/versions"]
        self.files = files
    }

    /// The minor versions that awslambdaric supports begin here.
    private static let oldest = 9

    /// Whether a text is `python3.x` with a version that functions can be written in.
    package static func isRuntime(_ name: String) -> Bool {
        guard name.hasPrefix("python3."), let minor = Int(name.dropFirst(8)) else { return false }
        return minor >= oldest && name == "python3.\(minor)"
    }

    /// The names of the runtimes of this machine, the oldest first.
    package var available: [String] {
        (Self.oldest...Self.oldest + 20).map { "python3.\($0)" }.filter { interpreter($0) != nil }
    }

    /// Finds what a runtime needs.
    ///
    /// - Throws: `InstanceStartFailure` that says what is missing and how to get it.
    package func find(_ name: String) throws(InstanceStartFailure) -> PythonRuntime {
        guard Self.isRuntime(name), let interpreter = interpreter(name) else {
            let has = available
            throw missing(
                "there is no interpreter \(name) in PATH, /usr/bin, /usr/local/bin or pyenv's versions; this machine has "
                    + (has.isEmpty ? "none that functions can use" : has.joined(separator: ", ")))
        }
        let runtime = PythonRuntime(name: name, interpreter: interpreter)
        for directory in directories where files.isFile("\(directory)/\(name)/\(Self.client)") {
            return runtime.with(packages: "\(directory)/\(name)")
        }
        for directory in runtime.ownPackages where files.isFile("\(directory)/\(Self.client)") { return runtime }
        let place = directories.last.map { "\($0)/\(name)" } ?? name
        throw missing(
            "AWS's runtime client is not there for \(interpreter): "
                + "\(interpreter) -m pip install --target \(place) awslambdaric")
    }

    private static let client = "awslambdaric/bootstrap.py"

    private func missing(_ problem: String) -> InstanceStartFailure {
        InstanceStartFailure(errorType: "Runtime.InvalidEntrypoint", errorMessage: problem, isPermanent: true)
    }

    private func interpreter(_ name: String) -> String? {
        var candidates = searchPath.map { "\($0)/\(name)" }
        for directory in installations {
            // The newest patch first: 3.11.7 before 3.11.2.
            let versions = files.names(directory).filter { $0.hasPrefix(name.dropFirst(6) + ".") }.sorted {
                Self.patch($0) > Self.patch($1)
            }
            candidates += versions.map { "\(directory)/\($0)/bin/\(name)" }
        }
        for candidate in candidates { if let real = files.program(candidate) { return real } }
        return nil
    }

    private static func patch(_ version: String) -> Int { version.split(separator: ".").last.flatMap { Int($0) } ?? -1 }
}

/// A Python that runs functions.
package struct PythonRuntime: Hashable, Sendable {
    /// "python3.11"
    package var name: String
    /// The file itself, links followed.
    package var interpreter: String
    /// The directory with awslambdaric that is shown at /var/runtime; nil: the interpreter's own packages have it.
    package var packages: String?

    package init(name: String, interpreter: String, packages: String? = nil) {
        self.name = name
        self.interpreter = interpreter
        self.packages = packages
    }

    fileprivate func with(packages: String) -> PythonRuntime {
        PythonRuntime(name: name, interpreter: interpreter, packages: packages)
    }

    /// Where it is installed: the interpreter stands in its "bin".
    package var prefix: String {
        let parts = interpreter.split(separator: "/")
        return "/" + parts.dropLast(2).joined(separator: "/")
    }

    /// Whether a sandbox that shows the machine's own programs shows it already.
    package var isShownByMachine: Bool {
        ["/usr", "/opt", "/bin", "/lib"].contains { prefix == $0 || prefix.hasPrefix($0 + "/") }
            // /opt is the layers' in a function's sandbox.
            && !(prefix == "/opt" || prefix.hasPrefix("/opt/"))
    }

    /// Where its own packages stand: as Python has it, and as Debian has it.
    var ownPackages: [String] {
        [
            "\(prefix)/lib/\(name)/site-packages", "/usr/local/lib/\(name)/dist-packages", "/usr/lib/python3/dist-packages",
        ]
    }
}

/// What the search asks of the file system: a table in tests.
package protocol PythonFiles: Sendable {
    func isFile(_ path: String) -> Bool
    /// The names in a directory; none when it is not there.
    func names(_ directory: String) -> [String]
    /// The program behind a path, links followed; nil when it is missing or a script.
    func program(_ path: String) -> String?
}

/// The machine's.
package struct MachineFiles: PythonFiles {
    package init() {}

    package func isFile(_ path: String) -> Bool { (try? Files.status(path))?.kind == .regular }

    package func names(_ directory: String) -> [String] {
        guard Files.exists(directory) else { return [] }
        do { return try Files.list(directory) } catch { return [] }
    }

    package func program(_ path: String) -> String? {
        // Opening follows all links, and the kernel knows the name of what is open.
        guard let file = try? Files.open(path, 0), let head = try? Files.readSome(file.raw, count: 4), head == Self.elf,
            let real = try? Files.link("/proc/self/fd/\(file.raw)"), Files.isExecutableFile(real)
        else { return nil }
        return real
    }

    private static let elf: [UInt8] = [0x7f, 0x45, 0x4c, 0x46]
}
