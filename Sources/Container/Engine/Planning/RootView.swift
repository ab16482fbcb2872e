import Glibc
import Linux

/// The files that a program will see, looked at from outside before it is started.
struct RootView {
    /// What was found at a path.
    struct Found {
        var status: FileStatus
        /// The path with every symbolic link followed.
        var realPath: String
    }

    private enum Kind {
        case machine
        case layers(LayeredFiles)
    }

    private let kind: Kind

    /// No passwd(5) of a real system is larger, and no look-up reads more.
    private static let userFileLimit = 1 << 20

    /// - Throws: `SpecError` for a root that is missing or no directory.
    init(_ root: ContainerRoot) throws(SpecError) {
        switch root {
        case .host: kind = .machine
        case .directory(let path): kind = .layers(LayeredFiles([try Self.open("--root", path)]))
        case .overlay(let lower, let upper, _):
            var layers: [SharedFD] = []
            for path in (upper.map { [$0] } ?? []) + lower { layers.append(try Self.open("--overlay", path)) }
            kind = .layers(LayeredFiles(layers))
        }
    }

    /// The root of a container that is made from an image.
    init(_ image: ImageRoot) throws(SpecError) {
        var layers: [SharedFD] = []
        for path in (image.upper.map { [$0] } ?? []) + image.layers { layers.append(try Self.open("the image", path)) }
        kind = .layers(LayeredFiles(layers))
    }

    /// Who `text` means to the root.
    ///
    /// - Throws: `SpecError`, kind bad request, with the flag that it was given by.
    func identity(of text: String, flag: String) throws(SpecError) -> Users.Identity {
        guard case .layers(let layers) = kind else { return try Self.identity(of: text, .ofMachine(), flag, "") }
        var refusals = ""
        func read(_ path: String) -> String {
            switch layers.read(path, limit: Self.userFileLimit) {
            case .text(let text): return text
            case .missing: return ""
            case .refused(let reason):
                refusals += "; \(path) of the root was not read: it \(reason)"
                return ""
            }
        }
        return try Self.identity(of: text, Users(passwd: read("/etc/passwd"), group: read("/etc/group")), flag, refusals)
    }

    private static func identity(
        of text: String, _ users: Users, _ flag: String, _ refusals: String
    ) throws(SpecError) -> Users.Identity {
        do { return try users.identity(of: text) } catch {
            throw SpecError(flag, error.text, error.problem + refusals)
        }
    }

    /// What is at `path`, links followed inside the root; nil when nothing is.
    func find(_ path: String) -> Found? {
        switch kind {
        case .machine:
            guard let fd = try? Files.open(path, Self.pathOnly), let status = try? Files.status(of: fd.raw),
                let real = try? Files.link("/proc/self/fd/\(fd.raw)")
            else { return nil }
            return Found(status: status, realPath: real)
        case .layers(let layers): return layers.find(path).map { Found(status: $0.status, realPath: $0.realPath) }
        }
    }

    /// Where something is to be made or mounted: the path with the root's links followed as far as it exists.
    func place(for path: String, flag: String) throws(SpecError) -> String {
        guard case .layers(let layers) = kind else { return path }
        do { return try layers.place(for: path) } catch { throw SpecError(flag, path, error.reason) }
    }

    // O_PATH, which glibc declares only under _GNU_SOURCE.
    private static let pathOnly: CInt = 0o10_000_000

    private static func open(_ flag: String, _ path: String) throws(SpecError) -> SharedFD {
        do { return SharedFD(try Files.place(path)) } catch {
            switch error.code {
            case .tooManyLinks, .notDirectory:
                throw SpecError(flag, path, "is no directory (a symbolic link is none): name what it points to")
            case .noEntry: throw SpecError(flag, path, "there is no such directory on this machine")
            default: throw SpecError(flag, path, "\(error)")
            }
        }
    }
}
