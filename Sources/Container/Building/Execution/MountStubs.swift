internal import Glibc
internal import Linux

/// Places that the sandbox made for its own mounts because the stage has none: they are no part of the layer.
///
/// The base layer has them all; an image that hides it (an /etc of its own that is opaque, a link for resolv.conf that
/// leads nowhere) has them made anew.
///
/// Invariants
/// 1. After a RUN that writes nothing the layer is empty, whatever the image lacks.
///    (test: `a program that writes nothing gives no layer, whatever the image lacks`)
struct MountStubs: Sendable {
    /// Real paths that were not there, with the directories above them that were not there either; the deepest first.
    private var missing: [[String]] = []

    /// - Parameter root: The stage with the base layer, before the program runs.
    init(_ targets: [String], in root: CInt) throws(SystemError) {
        var found: Set<[String]> = []
        for target in targets {
            let place = try RootedPath(target, in: root)
            guard place.status == nil else { continue }
            for count in 1...place.parts.count {
                let parts = Array(place.parts.prefix(count))
                if try RootedPath(parts.joined(separator: "/"), in: root).status == nil { found.insert(parts) }
            }
        }
        missing = found.sorted { $0.count > $1.count }
    }

    /// Takes them out of the upper directory, as far as nothing was written into them.
    func remove(from upper: CInt) throws(SystemError) {
        for parts in missing {
            guard let name = parts.last else { continue }
            let parent: OwnedFD
            do throws(SystemError) {
                let path = parts.count == 1 ? "." : parts.dropLast().joined(separator: "/")
                parent = try PathResolution.open(
                    path, inRoot: upper, flags: O_RDONLY | O_DIRECTORY, resolve: PathResolution.beneath)
            } catch {
                guard [.noEntry, .notDirectory, .tooManyLinks].contains(error.code) else { throw error }
                continue
            }
            try Self.removeEmpty(name, at: parent.raw)
        }
    }

    private static func removeEmpty(_ name: String, at parent: CInt) throws(SystemError) {
        let status: EntryStatus
        do throws(SystemError) { status = try FileEntries.status(name, at: parent) } catch {
            guard error.code == .noEntry else { throw error }
            return
        }
        switch status.file.kind {
        case .regular where status.file.size == 0: try FileEntries.remove(name, at: parent)
        case .directory:
            let fd = try Files.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: parent)
            if try Files.list(fd.raw, name: name).isEmpty { try Files.removeTree(name, at: parent) }
        default: break
        }
    }
}
