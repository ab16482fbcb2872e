internal import Glibc
package import Linux

/// The files that calls of a program were declared to write, for one call: where they are, and what was there before it.
///
/// Invariants (tests in OutputFilesTests)
/// 1. A file that neither side has written is no part of a comparison. (`a file that nobody wrote is not compared`)
/// 2. Nothing is read outside of the layer that a target wrote, whatever it left there.
///    (`a link that a target leaves leads nowhere`)
package struct OutputFiles: Sendable {
    private struct Place: Sendable {
        var name: String
        /// Where it is, links followed.
        var path: String
        var before: ProgramIdentity?
    }

    private let places: [Place]
    private let keptBytes: Int

    /// Looks at what is there now. Blocks.
    ///
    /// - Parameters:
    ///   - names: absolute, or below the working directory.
    ///   - keptBytes: of each file.
    package init(_ names: [String], directory: String?, keptBytes: Int) {
        self.keptBytes = keptBytes
        places = names.map { name in
            let path = Self.resolved(name.hasPrefix("/") ? name : "\(directory ?? "")/\(name)")
            return Place(name: name, path: path, before: try? ProgramIdentity.of(path))
        }
    }

    package var isEmpty: Bool { places.isEmpty }
    /// The directories in which they lie.
    package var directories: [String] { places.map { Self.split($0.path).directory } }

    /// What is there after the original. Blocks.
    package func left() -> [LeftFile] {
        places.map { place in
            let isWritten = (try? ProgramIdentity.of(place.path)) != place.before
            return LeftFile(name: place.name, isWritten: isWritten, content: content(at: place.path))
        }
    }

    /// What a target has left in the layer that it wrote. Blocks.
    package func left(in layer: borrowing OwnedFD) -> [LeftFile] {
        places.map { place in
            let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK
            do throws(SystemError) {
                let file = try PathResolution.open(
                    String(place.path.drop { $0 == "/" }), inRoot: layer.raw, flags: flags,
                    resolve: PathResolution.beneath)
                return LeftFile(name: place.name, isWritten: true, content: content(of: SharedFD(file)))
            } catch {
                // A file that was removed is a device there that cannot be opened.
                let isRemoved = error.code != .noEntry && error.code != .notDirectory
                return LeftFile(name: place.name, isWritten: isRemoved, content: nil)
            }
        }
    }

    private func content(at path: String) -> CapturedStream? {
        guard let file = try? Files.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) else { return nil }
        return content(of: SharedFD(file))
    }

    private func content(of file: SharedFD) -> CapturedStream? {
        guard let status = try? Files.status(of: file.raw) else { return nil }
        guard status.kind == .regular else { return .unseen }
        var stream = CapturedStream()
        stream.bytes = (try? Files.readSome(file.raw, count: min(keptBytes, status.size), name: "")) ?? []
        stream.total = status.size
        return stream
    }

    private static func resolved(_ path: String) -> String {
        let (directory, name) = split(path)
        if let whole = try? ProgramMounts.resolved(path) { return whole }
        return ((try? ProgramMounts.resolved(directory)) ?? directory) + "/" + name
    }

    private static func split(_ path: String) -> (directory: String, name: String) {
        let parts = path.split(separator: "/")
        return ("/" + parts.dropLast().joined(separator: "/"), String(parts.last ?? ""))
    }
}

/// What a run has left of a declared output file.
package struct LeftFile: Hashable, Sendable {
    package var name: String
    /// Whether it is another file than before the call, or has other contents, or is gone.
    package var isWritten: Bool
    /// nil: there is none.
    package var content: CapturedStream?

    package init(name: String, isWritten: Bool, content: CapturedStream?) {
        self.name = name
        self.isWritten = isWritten
        self.content = content
    }

    /// Both sides, by name, of the files that either has written.
    package static func pairs(
        _ original: [LeftFile], _ target: [LeftFile]
    ) -> (original: [String: CapturedStream?], target: [String: CapturedStream?]) {
        var sides: (original: [String: CapturedStream?], target: [String: CapturedStream?]) = ([:], [:])
        for (one, other) in zip(original, target) where one.isWritten || other.isWritten {
            // The original may have written the same again, which its times do not always tell.
            sides.original[one.name] = .some(one.content)
            sides.target[one.name] = .some(other.isWritten ? other.content : nil)
        }
        return sides
    }
}
