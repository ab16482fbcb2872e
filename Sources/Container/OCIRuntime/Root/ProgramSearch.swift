import Linux

/// Finds a program in a container's root, the way execvp(3) and Go's exec.LookPath do. Managers look for these words.
enum ProgramSearch {
    private static let pathOnly: CInt = 0o10_000_000

    /// The path to execute.
    ///
    /// - Parameters:
    ///   - name: with a slash a path, else looked for in PATH of `environment`.
    ///   - directory: the working directory, for relative paths.
    static func find(
        _ name: String, environment: [String], directory: String, inRoot root: CInt
    ) throws(RuntimeFailure) -> String {
        if name.utf8.contains(UInt8(ascii: "/")) {
            let path = name.hasPrefix("/") ? name : "\(directory)/\(name)"
            if let code = problem(path, inRoot: root) { throw refused(name, code) }
            return path
        }
        let path = environment.last { $0.hasPrefix("PATH=") }.map { String($0.dropFirst(5)) } ?? ""
        var isFound = false
        for place in path.split(separator: ":", omittingEmptySubsequences: false) {
            let place = place.isEmpty ? "." : String(place)
            let candidate = place.hasPrefix("/") ? "\(place)/\(name)" : "\(directory)/\(place)/\(name)"
            switch problem(candidate, inRoot: root) {
            case nil: return candidate
            case .accessDenied: isFound = true
            default: continue
            }
        }
        if isFound { throw refused(name, .accessDenied) }
        throw RuntimeFailure("exec: \"\(name)\": executable file not found in $PATH")
    }

    /// Why a path cannot be executed; nil: it can, by somebody.
    private static func problem(_ path: String, inRoot root: CInt) -> Errno? {
        do {
            let file = try PathResolution.open(path, inRoot: root, flags: pathOnly)
            let status = try Files.status(of: file.raw, name: path)
            return status.kind == .regular && status.permissions & 0o111 != 0 ? nil : .accessDenied
        } catch { return error.code }
    }

    private static func refused(_ name: String, _ code: Errno) -> RuntimeFailure {
        let reason =
            code == .noEntry || code == .notDirectory
            ? "no such file or directory"
            : code == .accessDenied
                ? "permission denied" : code.description
        return RuntimeFailure("exec: \"\(name)\": \(reason)")
    }
}
