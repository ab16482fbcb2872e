internal import Glibc
package import Linux

/// The executable that takes a program's place: one file for each shift, made from the one that is installed.
package struct ShimFile: Sendable {
    /// The executable as it was built.
    private let bytes: [UInt8]

    /// Reads the installed shim. Blocking.
    ///
    /// - Parameter path: nil: `forkless-shim` beside our own executable.
    package init(path: String? = nil) throws(ShimFileError) {
        do {
            let found = try path ?? Self.installed()
            bytes = try Files.read(found, limit: 1 << 20)
            guard ShimRecord.place(in: bytes) != nil else {
                throw ShimFileError(
                    "read the shim \(found): it is no forkless-shim of this version. Build it: make shim")
            }
        } catch let error as ShimFileError { throw error } catch {
            throw ShimFileError("read the shim: \(error). Install forkless-shim beside forkless: make install")
        }
    }

    private static func installed() throws(SystemError) -> String {
        var own = try OwnProcess.executable().split(separator: "/", omittingEmptySubsequences: false)
        own[own.count - 1] = "forkless-shim"
        return own.joined(separator: "/")
    }

    /// What the shim of a shift is to know. Times that the installed file has are kept: as it was built it has none, and
    /// what a packager patched into it is meant for every shim of this node.
    package func record(shift: String, socket: String, original: String) -> ShimRecord {
        var record = ShimRecord(shift: shift, socket: socket, original: original)
        guard let installed = ShimRecord(in: bytes) else { return record }
        if installed.decisionMilliseconds > 0 { record.decisionMilliseconds = installed.decisionMilliseconds }
        if installed.resumeSeconds > 0 { record.resumeSeconds = installed.resumeSeconds }
        return record
    }

    /// Makes the shim of one shift, with the mode and the owner of the original: who may execute that may execute this,
    /// and nobody else. Blocking.
    ///
    /// It gets no set-id bit and no file capability, whatever the original has: a shim must not run with rights that its
    /// caller lacks, and `ShiftFeasibility` refuses such programs.
    package func make(for record: ShimRecord, like original: FileStatus, at path: String) throws(ShimFileError) {
        let patched = try record.patched(into: bytes)
        do throws(SystemError) {
            let mode = original.permissions & 0o777
            let temporary = path + ".new"
            try? Files.remove(temporary)
            do throws(SystemError) {
                let file = try Files.open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
                try Files.writeAll(patched, to: file.raw, name: temporary)
                try FileEntries.setOwner(original.owner, original.group, of: file.raw, name: temporary)
                try FileEntries.setMode(mode, of: file.raw, name: temporary)
                try Files.synchronize(file.raw, name: temporary)
            } catch {
                try? Files.remove(temporary)
                throw error
            }
            try Files.rename(temporary, to: path)
        } catch { throw ShimFileError("make the shim of shift \(record.shift): \(error)") }
    }

    /// The record of the shim at a path; nil: what is there is none. Blocking.
    package static func record(at path: String) -> ShimRecord? {
        guard let file = try? Files.open(path, O_RDONLY), let status = try? Files.status(of: file.raw),
            status.kind == .regular, status.size < 1 << 20,
            let bytes = try? Files.readAll(from: file.raw, limit: 1 << 20, name: path)
        else { return nil }
        return ShimRecord(in: bytes)
    }
}
