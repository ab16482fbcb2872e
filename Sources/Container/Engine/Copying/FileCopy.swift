import Glibc
import Images
import Linux
import Synchronization

/// Copies between the machine and a container's root by Docker's rules (docker cp): what becomes of a source depends on
/// what is at the destination.
///
/// Nothing of the container runs, and nothing is loaded from it (CVE-2019-14271, CVE-2026-41567).
struct FileCopy: Sendable {
    let source: CopyPlace
    let destination: CopyPlace
    /// nil: as the source has them (`-a`).
    let owner: (user: UInt32, group: UInt32)?

    private var policy: UnpackPolicy {
        var policy = UnpackPolicy.copy
        if let owner { policy.owners = .fixed(owner.user, owner.group) }
        return policy
    }

    /// - Throws: `NodeFailure` that names the side and the path.
    func run() async throws(NodeFailure) {
        do {
            guard let status = try await blocking({ () throws(SystemError) in try source.status() }) else {
                throw NodeFailure(.notFound, "could not find the file \(source.path)")
            }
            let there = try await blocking { () throws(SystemError) in try destination.kind() }
            if status.file.kind == .directory || source.isContents {
                try await copyDirectory(onto: there)
            } else {
                try await copyEntry(status, onto: there)
            }
        } catch let failure as NodeFailure { throw failure } catch {
            throw NodeFailure(.system, "copy \(source.path) to \(destination.path): \(error)")
        }
    }

    private func copyDirectory(onto there: FileStatus.Kind?) async throws {
        switch there {
        case .directory?:
            if source.isContents { return try await copyContents() }
            try await pass { sink throws(ArchiveFailure) in
                _ = try TarCopy.readBlocking(source.path, below: source.root, to: sink)
            }
        case nil:
            let directory = try await blocking { () throws(SystemError) in try source.directory() }
            try await blocking { () throws(SystemError) in
                let status = try Files.status(of: directory.raw)
                let parent = try destination.parent()
                defer { withExtendedLifetime((parent, directory)) {} }
                try Files.makeDirectory(destination.name, at: parent.raw, mode: 0o700)
                let made = try Files.open(destination.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: parent.raw)
                try FileEntries.setOwner(owner?.user ?? status.owner, owner?.group ?? status.group, of: made.raw, name: destination.path)
                try FileEntries.setMode(status.permissions, of: made.raw, name: destination.path)
            }
            try await copyContents()
        default: throw NodeFailure(.badRequest, "cannot copy directory \(source.path) to the file \(destination.path)")
        }
    }

    private func copyContents() async throws {
        let directory = try await blocking { () throws(SystemError) in try source.directory() }
        var options = LayerWriter.Options(form: .plain, compression: .none)
        options.staysOnFileSystem = false
        let all = options
        try await pass { sink throws(ArchiveFailure) in
            _ = try LayerWriter.writeBlocking(directory, to: sink, options: all)
        }
    }

    private func copyEntry(_ status: EntryStatus, onto there: FileStatus.Kind?) async throws {
        if there == .directory {
            return try await pass { sink throws(ArchiveFailure) in
                _ = try TarCopy.readBlocking(source.path, below: source.root, to: sink)
            }
        }
        guard !destination.hasSlash else {
            throw NodeFailure(.notFound, "no such directory: \(destination.path)")
        }
        try await blocking { () throws(SystemError) in try place(status) }
    }

    /// Puts one file or link where nothing is, or where a file gives way to it at once.
    private func place(_ status: EntryStatus) throws(SystemError) {
        let from = try source.parent()
        let to = try destination.parent()
        defer { withExtendedLifetime((from, to)) {} }
        let new = ".forkless-copy-\(ContainerNames.hex(UInt64.random(in: .min ... .max)))"
        do throws(SystemError) {
            switch status.file.kind {
            case .regular: try copyFile(from, to, new)
            case .link: try FileEntries.makeLink(to: try Files.link(source.name, at: from.raw), named: new, at: to.raw)
            default: throw SystemError("copy", source.path, code: .notSupported, advice: "Only files, links and directories.")
            }
            try FileEntries.setOwner(
                owner?.user ?? status.file.owner, owner?.group ?? status.file.group, of: new, at: to.raw)
            if status.file.kind == .regular {
                try FileEntries.setMode(status.file.permissions, of: new, at: to.raw)
                try FileEntries.setTime(status.modified, of: new, at: to.raw)
            }
            try Files.rename(new, to: destination.name, at: to.raw)
        } catch {
            try? FileEntries.remove(new, at: to.raw)
            throw error
        }
    }

    private func copyFile(_ from: SharedFD, _ to: SharedFD, _ name: String) throws(SystemError) {
        // O_NONBLOCK: a pipe that took the file's place must not keep this waiting.
        let input = try Files.open(source.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK, at: from.raw)
        guard try Files.status(of: input.raw).kind == .regular else {
            throw SystemError("copy", source.path, code: .invalid, advice: "It became something else meanwhile; try again.")
        }
        let output = try Files.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600, at: to.raw)
        while true {
            let bytes = try Files.readSome(input.raw, count: 1 << 20, name: source.path)
            if bytes.isEmpty { return }
            try Files.writeAll(bytes, to: output.raw, name: destination.path)
        }
    }

    /// Writes an archive on one thread and unpacks it into the destination on another.
    private func pass(_ write: @escaping @Sendable (any ByteSink) throws(ArchiveFailure) -> Void) async throws {
        var pipe = try Files.pipe()
        let reader = SharedFD(pipe.takeReader())
        // Let go of when the writing ends, so that its end is read.
        let end = Mutex<SharedFD?>(SharedFD(pipe.takeWriter()))
        async let writing: Void = Self.write(to: end, write)
        let result: Result<UnpackedLayer, ArchiveFailure>
        do throws(ArchiveFailure) {
            result = .success(
                try await TarCopy.write(
                    DescriptorSource(reader), into: destination.path, below: destination.root, policy: policy))
        } catch { result = .failure(error) }
        // Who writes on hears that nobody reads: its failure says less than the reader's.
        do { try await writing } catch { if case .success = result { throw error } }
        _ = try result.get()
    }

    private static func write(
        to end: borrowing Mutex<SharedFD?>, _ body: @escaping @Sendable (any ByteSink) throws(ArchiveFailure) -> Void
    ) async throws {
        guard let fd = end.withLock({ $0.take() }) else { return }
        let result: Result<Void, ArchiveFailure> = try await Blocking.runLong { () throws(ImageFailure) in
            do throws(ArchiveFailure) { return .success(try body(DescriptorSink(fd))) } catch { return .failure(error) }
        }
        try result.get()
    }

    private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws(SystemError) -> Value) async throws -> Value {
        try await BlockingPool.shared.run(body)
    }
}
