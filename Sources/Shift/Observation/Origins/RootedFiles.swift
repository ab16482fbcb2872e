import Glibc
import Linux

/// Configuration files below a root, which links do not lead out of. What is not there or cannot be read is empty: a machine
/// need not have any of it.
struct RootedFiles: ~Copyable {
    /// A line of configuration is short; a file of this size is none.
    private static let limit = 4 << 20

    private let root: OwnedFD

    init(_ root: String) throws(SystemError) { self.root = try Files.open(root, O_RDONLY | O_DIRECTORY) }

    /// A file's lines; nil: it is not there.
    borrowing func lines(_ path: String) -> [String]? {
        guard let fd = try? PathResolution.open(path, inRoot: root.raw, flags: O_RDONLY | O_NONBLOCK),
            (try? Files.status(of: fd.raw).kind) == .regular,
            let bytes = try? Files.readAll(fd.raw, limit: Self.limit, name: path)
        else { return nil }
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            RecordedText.text($0)
        }
    }

    /// The names in a directory, in order.
    borrowing func names(_ path: String) -> [String] {
        guard let fd = try? PathResolution.open(path, inRoot: root.raw, flags: O_RDONLY | O_DIRECTORY) else {
            return []
        }
        return ((try? Files.list(fd.raw, name: path)) ?? []).sorted()
    }

    /// Whether it is a file that may be executed.
    borrowing func isExecutable(_ path: String) -> Bool {
        guard let fd = try? PathResolution.open(path, inRoot: root.raw, flags: 0o10000000),
            let status = try? Files.status(of: fd.raw)
        else { return false }
        return status.kind == .regular && status.permissions & 0o111 != 0
    }

    /// Whether it is a directory.
    borrowing func isDirectory(_ path: String) -> Bool {
        (try? PathResolution.open(path, inRoot: root.raw, flags: 0o10000000 | O_DIRECTORY)) != nil
    }
}
