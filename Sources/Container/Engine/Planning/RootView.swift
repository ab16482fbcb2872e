import Glibc
import Linux

/// The files that a program will see, looked at from outside before it is started.
///
/// Only a look: what it finds decides which path is executed and who the user is; the kernel decides again, inside.
struct RootView {
    /// What was found at a path.
    struct Found {
        var status: FileStatus
        /// The path with every symbolic link followed.
        var realPath: String
    }

    private enum Kind {
        case machine
        /// A directory, or directories stacked, the topmost first.
        case layers([SharedFD])
    }

    private let kind: Kind
    /// Most symbolic links on one path, as the kernel has it (path_resolution(7)).
    private static let linkLimit = 40

    /// - Throws: `SpecError` for a root that is missing or no directory.
    init(_ root: ContainerRoot) throws(SpecError) {
        switch root {
        case .host: kind = .machine
        case .directory(let path): kind = .layers([try Self.open("--root", path)])
        case .overlay(let lower, let upper, _):
            var layers: [SharedFD] = []
            for path in (upper.map { [$0] } ?? []) + lower { layers.append(try Self.open("--overlay", path)) }
            kind = .layers(layers)
        }
    }

    /// The users that the root has.
    func users() -> Users {
        switch kind {
        case .machine: return .ofMachine()
        case .layers(let layers):
            // The topmost layer with the file counts: so does the program's own look.
            var passwd = Users(passwd: "", group: "")
            for layer in layers.reversed() {
                let here = Users.inRoot(layer.raw)
                if !here.users.isEmpty { passwd.users = here.users }
                if !here.groups.isEmpty { passwd.groups = here.groups }
            }
            return passwd
        }
    }

    /// What is at `path`, links followed inside the root; nil when nothing is.
    func find(_ path: String) -> Found? {
        switch kind {
        case .machine:
            guard let fd = try? Files.open(path, pathOnly), let status = try? Files.status(of: fd.raw),
                let real = try? Files.link("/proc/self/fd/\(fd.raw)")
            else { return nil }
            return Found(status: status, realPath: real)
        case .layers(let layers): return Self.walk(path, layers)
        }
    }

    // O_PATH, which glibc declares only under _GNU_SOURCE.
    private let pathOnly: CInt = 0o10000000

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

    /// Follows a path through stacked layers as overlayfs shows them: a name is what the topmost layer that has it
    /// says; a character device 0/0 hides what lies below.
    private static func walk(_ path: String, _ layers: [SharedFD]) -> Found? {
        var waiting = path.split(separator: "/").map(String.init)
        var walked: [String] = []
        var links = 0
        var last: FileStatus?
        while !waiting.isEmpty {
            let part = waiting.removeFirst()
            if part == "." { continue }
            if part == ".." {
                _ = walked.popLast()
                continue
            }
            let here = (walked + [part]).joined(separator: "/")
            guard let (layer, status) = topmost(here, layers) else { return nil }
            last = status
            guard status.kind == .link else {
                walked.append(part)
                continue
            }
            links += 1
            guard links <= linkLimit, let target = link(here, layer) else { return nil }
            if target.hasPrefix("/") { walked = [] }
            waiting = target.split(separator: "/").map(String.init) + waiting
        }
        if walked.isEmpty { last = layers.first.flatMap { try? Files.status(of: $0.raw) } }
        if last?.kind == .link || last == nil { last = topmost(walked.joined(separator: "/"), layers)?.1 }
        return last.map { Found(status: $0, realPath: "/" + walked.joined(separator: "/")) }
    }

    private static func topmost(_ path: String, _ layers: [SharedFD]) -> (SharedFD, FileStatus)? {
        for layer in layers {
            // The links on the way were followed by `walk`; the last part is opened as what it is.
            guard
                let fd = try? PathResolution.open(
                    path, inRoot: layer.raw, flags: 0o10000000 | O_NOFOLLOW, resolve: PathResolution.inRoot),
                let status = try? Files.status(of: fd.raw)
            else { continue }
            if status.kind == .characterDevice, status.deviceNumber == 0 { return nil }
            return (layer, status)
        }
        return nil
    }

    private static func link(_ path: String, _ layer: SharedFD) -> String? {
        guard
            let fd = try? PathResolution.open(
                path, inRoot: layer.raw, flags: 0o10000000 | O_NOFOLLOW, resolve: PathResolution.inRoot)
        else { return nil }
        // readlinkat(2) with an empty path reads the link that an O_PATH descriptor refers to.
        return try? Files.link("", at: fd.raw)
    }
}
