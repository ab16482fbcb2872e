internal import Crypto
internal import Glibc
package import Images
internal import JSON
internal import Lambda
package import Linux
internal import Synchronization

/// The directory with unpacked archives: HEX/code.zip as it came, HEX/tree with what was in it, named by the SHA-256 of
/// the archive, so that the same code is there once.
///
/// Invariants
/// 1. A directory with a digest for its name is whole and on the disk: it is made aside, synced and renamed.
///    (test: `what was being unpacked when the node died is gone at the next start`)
/// 2. A directory is removed only when no declared version needs it and no lease is held on it.
///    (test: `code is kept while somebody uses it and removed after`)
package final class CodeShelf: Sendable {
    let directory: String
    private let limits: ZipLimits

    private struct State {
        var leases: [String: Int] = [:]
        /// What declared versions need.
        var kept: Set<String> = []
        var lastNumber = 0
    }

    private let state = Mutex(State())

    /// Blocks; for the start of the node.
    package init(directory: String, limits: ZipLimits = ZipLimits()) throws(SystemError) {
        self.directory = directory
        self.limits = limits
        try Files.makeDirectories(directory, mode: 0o700)
    }

    /// Unpacks an archive, or finds it unpacked, and keeps it as long as the lease is held.
    func put(_ zip: [UInt8]) async throws(LambdaFailure) -> (code: CodeRecord, lease: CodeLease) {
        let (digest, hex) = Self.names(zip)
        let lease = lease(hex)
        let size = try await OwnThreadWork.run(
            "forkless-unzip", refused: { LambdaFailure.service("The code could not be unpacked: \($0)") }
        ) { _ throws(LambdaFailure) -> Int in try self.place(zip, hex) }
        return (CodeRecord(kind: .zip(directory: hex), digest: digest, size: zip.count, unpackedSize: size), lease)
    }

    /// Digests of an archive: base64 as `CodeSha256`, and hexadecimal digits.
    static func names(_ zip: [UInt8]) -> (digest: String, hex: String) {
        let hash = Array(SHA256.hash(data: zip))
        return (Base64.text(hash), Hexadecimal.text(hash))
    }

    /// The archive as it came.
    func archive(_ hex: String) -> String { "\(directory)/\(hex)/code.zip" }

    // MARK: - Keeping and removing

    /// Keeps a directory, whatever is declared, until the lease is gone.
    func lease(_ hex: String) -> CodeLease {
        state.withLock { $0.leases[hex, default: 0] += 1 }
        return CodeLease(self, hex)
    }

    /// A declared version needs it.
    func keep(_ hex: String) { _ = state.withLock { $0.kept.insert(hex) } }

    /// No declared version needs it any more.
    func discard(_ hex: String) { dispose(hex) { $0.kept.remove(hex) } }

    fileprivate func release(_ hex: String) {
        dispose(hex) { state in
            let count = state.leases[hex, default: 1] - 1
            state.leases[hex] = count > 0 ? count : nil
        }
    }

    private func dispose(_ hex: String, _ change: (inout State) -> Void) {
        let removed: String? = state.withLock { state in
            change(&state)
            guard state.leases[hex] == nil, !state.kept.contains(hex) else { return nil }
            state.lastNumber += 1
            let name = ".old-\(hex)-\(state.lastNumber)"
            // A short call, made here so that nobody finds the directory while it is being removed.
            do { try Files.rename("\(directory)/\(hex)", to: "\(directory)/\(name)") } catch { return nil }
            return name
        }
        guard let removed else { return }
        let path = "\(directory)/\(removed)"
        // What cannot be removed now is at the next start.
        try? HelperThread.start("forkless-code") { try? Files.removeTree(path) }
    }

    /// Removes what a node that died has left, and what no declared version needs. Blocks; for the start.
    func sweep() throws(SystemError) {
        let kept = state.withLock { $0.kept }
        for name in try Files.list(directory) where !kept.contains(name) { try Files.removeTree("\(directory)/\(name)") }
    }

    // MARK: - Making

    /// Returns the bytes of what was unpacked.
    private func place(_ zip: [UInt8], _ hex: String) throws(LambdaFailure) -> Int {
        do {
            if let size = try unpackedSize(hex) { return size }
            let number = state.withLock { state in
                state.lastNumber += 1
                return state.lastNumber
            }
            let temporary = "\(directory)/.new-\(hex)-\(number)"
            do {
                let size = try make(zip, temporary)
                try settle(temporary, hex)
                return size
            } catch {
                try? Files.removeTree(temporary)
                throw error
            }
        } catch let failure as ArchiveFailure {
            throw Self.failure(failure)
        } catch let error as SystemError {
            throw .service("The code could not be stored: \(error)")
        } catch { throw .service("The code could not be stored: \(error)") }
    }

    private func unpackedSize(_ hex: String) throws -> Int? {
        guard Files.exists("\(directory)/\(hex)/size") else { return nil }
        return Int(try Files.readText("\(directory)/\(hex)/size"))
    }

    private func make(_ zip: [UInt8], _ place: String) throws -> Int {
        try Files.makeDirectory(place, mode: 0o700)
        try Files.makeDirectory("\(place)/tree")
        let tree = SharedFD(try Files.open("\(place)/tree", O_RDONLY | O_DIRECTORY))
        let unpacked = try ZipUnpacker.unpackBlocking(zip, into: tree, limits: limits)
        guard unpacked.entries > 0 else { throw ArchiveFailure(.refused, "there is nothing in it.") }
        try Files.replace("\(place)/code.zip", with: zip)
        try Files.replace("\(place)/size", with: Array("\(unpacked.fileBytes)".utf8))
        // Sandboxes see the tree as it is: the mask of this process must not hide it.
        try Files.setPermissions("\(place)/tree", 0o755)
        try Files.setPermissions(place, 0o711)
        try Files.synchronizeFileSystem(of: tree.raw, name: place)
        return unpacked.fileBytes
    }

    private func settle(_ temporary: String, _ hex: String) throws {
        do { try Files.rename(temporary, to: "\(directory)/\(hex)") } catch {
            // Somebody else has unpacked the same.
            guard try unpackedSize(hex) != nil else { throw error }
            try Files.removeTree(temporary)
            return
        }
        try Files.synchronize(directory: directory)
    }

    private static func failure(_ failure: ArchiveFailure) -> LambdaFailure {
        switch failure.reason {
        case .system(let error): .service("The code could not be stored: \(error)")
        case .cancelled: .service("Storing the code was cancelled.")
        default:
            .invalidParameter(
                "Could not unzip uploaded file. Please check your file, then try to upload again. The reason: \(failure.description)")
        }
    }
}

/// Keeps unpacked code where it is while instances use it, though its version may be deleted meanwhile.
package final class CodeLease: Sendable {
    private let shelf: CodeShelf
    private let hex: String

    fileprivate init(_ shelf: CodeShelf, _ hex: String) {
        self.shelf = shelf
        self.hex = hex
    }

    deinit { shelf.release(hex) }
}
