import Linux
import OCI

/// A bundle: the directory with config.json, which is this process's working directory from now on, as hooks and
/// relative paths expect.
struct Bundle {
    /// Absolute.
    let path: String
    /// The configuration as it was read.
    let bytes: [UInt8]
    var spec: RuntimeSpec
    /// The root file system's directory, opened.
    let root: SharedFD
    let rootPath: String

    private static let directory: CInt = 0o10_000_000 | 0o200_000
    private static let noFollow: CInt = 0o400_000

    init(_ given: String, report: Report) throws(RuntimeFailure) {
        let place = try attempt { () throws(SystemError) in try Files.open(given, Self.directory) }
        try attempt { () throws(SystemError) in try CurrentProcess.changeDirectory(to: place.raw, name: given) }
        guard let path = OwnProcess.workingDirectory(), path.hasPrefix("/") else {
            throw RuntimeFailure("the bundle \(given) is gone or cannot be reached from the root directory")
        }
        self.path = path
        bytes = try attempt("read the bundle's config.json") { () throws(SystemError) in
            try Files.read("config.json", limit: RuntimeLimits.documentBytes)
        }
        do {
            spec = try RuntimeSpec(bytes)
            try spec.check()
        } catch { throw RuntimeFailure("\(error)") }
        for warning in spec.warnings { report.warn(warning) }
        // `check` has seen that there is one.
        let written = spec.root!.path
        let rootPath = written.hasPrefix("/") ? written : "\(path)/\(written)"
        self.rootPath = rootPath
        root = SharedFD(
            try attempt("use the root file system") { () throws(SystemError) in
                do throws(SystemError) { return try Files.open(rootPath, Self.directory | Self.noFollow) } catch {
                    guard error.code == .notDirectory || error.code == .tooManyLinks else { throw error }
                    throw SystemError(
                        "open", rootPath, code: error.code, advice: "It must be a directory and no symbolic link.")
                }
            })
    }
}
