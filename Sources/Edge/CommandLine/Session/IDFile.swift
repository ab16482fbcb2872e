import Glibc
import Linux

/// `--cidfile`: a new file with the id of the container, and none when there is no container.
struct IDFile {
    private let path: String
    private let file: SharedFD

    /// Makes the file, so that what cannot be written is known before anything runs. nil path: there is no such file.
    ///
    /// - Throws: `FlagError` when there is a file of this name: it may be another container's.
    init?(_ path: String?) throws(FlagError) {
        guard let path else { return nil }
        self.path = path
        do { file = SharedFD(try Files.open(path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)) } catch {
            guard error.code == .exists else { throw FlagError("--cidfile", path, "\(error)") }
            throw FlagError(
                "--cidfile", path, "container ID file found",
                advice: "Make sure the other container isn't running, or delete the file.")
        }
    }

    func write(_ id: String) throws(SystemError) { try Files.writeAll(Array(id.utf8), to: file.raw, name: path) }

    /// Takes the file away again if no id is in it.
    func removeIfEmpty() {
        guard let status = try? Files.status(of: file.raw), status.size == 0 else { return }
        try? Files.remove(path)
    }
}
