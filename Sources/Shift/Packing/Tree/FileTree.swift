package import Linux

/// What is at a path, the last link not followed.
package enum TreeEntry: Hashable, Sendable {
    case file(EntryStatus)
    case directory(EntryStatus)
    case link(target: String)
    /// A device, a pipe, a socket: nothing that can be packed.
    case special
}

/// The files of a machine, as far as packing looks at them. A parameter, so that what is decided is tested without files.
package protocol FileTree: Sendable {
    /// nil: there is nothing at the path.
    func entry(_ path: String) throws(PackFailure) -> TreeEntry?
    func read(_ path: String) throws(PackFailure) -> [UInt8]
    /// The names in a directory, sorted.
    func list(_ path: String) throws(PackFailure) -> [String]
}

/// The files of this machine. Blocks.
package struct MachineTree: FileTree {
    /// Longest file that is read into memory: programs and libraries, whose tables are looked at.
    private static let bytesLimit = 1 << 30

    package init() {}

    package func entry(_ path: String) throws(PackFailure) -> TreeEntry? {
        do throws(SystemError) {
            let status = try FileEntries.status(path, at: Files.here)
            switch status.file.kind {
            case .regular: return .file(status)
            case .directory: return .directory(status)
            case .link: return .link(target: try Files.link(path))
            default: return .special
            }
        } catch {
            if [.noEntry, .notDirectory].contains(error.code) { return nil }
            throw PackFailure("\(error)")
        }
    }

    package func read(_ path: String) throws(PackFailure) -> [UInt8] {
        do { return try Files.read(path, limit: Self.bytesLimit) } catch { throw PackFailure("\(error)") }
    }

    package func list(_ path: String) throws(PackFailure) -> [String] {
        do { return try Files.list(path).sorted() } catch { throw PackFailure("\(error)") }
    }
}
