import Glibc
import Images
import Linux
import Synchronization

/// Copies what an image has at a path into a volume that is mounted there and empty, as Docker does: the first
/// container finds the files that its image's maker put there.
///
/// The path is resolved with the image's root as its "/" (CVE-2022-23648: nothing of the machine is read, whatever
/// links the image has), and used by descriptor.
struct VolumeFilling: Sendable {
    let store: VolumeStore

    /// Fills the volume, unless something is in it or the image has no directory there.
    ///
    /// - Parameter layers: the image's, the topmost first.
    func fill(_ name: String, from layers: [String], at target: String) async throws(NodeFailure) {
        let store = store
        do {
            let source = try await BlockingPool.shared.run { () throws(SystemError) -> SharedFD? in
                guard try store.beginFilling(name) else { return nil }
                do throws(SystemError) {
                    let root = try LayerStack.readOnly(layers, empty: store.empty)
                    return SharedFD(try PathResolution.open(target, inRoot: root.raw, flags: O_RDONLY | O_DIRECTORY))
                } catch {
                    try store.filled(name)
                    guard error.code == .noEntry || error.code == .notDirectory else { throw error }
                    return nil
                }
            }
            guard let source else { return }
            do {
                try await Self.copy(source, into: store.dataPath(name))
                try await BlockingPool.shared.run { () throws(SystemError) in try store.filled(name) }
            } catch {
                try await BlockingPool.shared.run { () throws(SystemError) in try store.emptied(name) }
                throw error
            }
        } catch { throw NodeFailure(.system, "copy the image's \(target) into volume \(name): \(error)") }
    }

    private static func copy(_ source: SharedFD, into path: String) async throws {
        let target = SharedFD(try Files.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
        var pipe = try Files.pipe()
        let reader = SharedFD(pipe.takeReader())
        // Let go of when the writing ends, so that its end is read.
        let writer = Mutex<SharedFD?>(SharedFD(pipe.takeWriter()))
        async let writing = write(source, to: writer)
        var policy = UnpackPolicy.copy
        policy.devices = .leaveOut
        let unpacked: Result<UnpackedLayer, ArchiveFailure>
        do throws(ArchiveFailure) {
            unpacked = .success(try await LayerUnpacker.unpack(DescriptorSource(reader), into: target, policy: policy))
        } catch { unpacked = .failure(error) }
        // The writer's failure explains the reader's.
        try await writing
        _ = try unpacked.get()
        let status = try FileEntries.status(of: source.raw)
        try FileEntries.setOwner(status.file.owner, status.file.group, of: target.raw, name: path)
        try FileEntries.setMode(status.file.permissions, of: target.raw, name: path)
    }

    private static func write(_ source: SharedFD, to writer: borrowing Mutex<SharedFD?>) async throws(ArchiveFailure) {
        guard let fd = writer.withLock({ $0.take() }) else { return }
        let options = LayerWriter.Options(form: .plain, compression: .none)
        _ = try await LayerWriter.write(source, to: DescriptorSink(fd), options: options)
    }
}
