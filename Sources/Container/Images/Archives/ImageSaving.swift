internal import Glibc
internal import JSON
package import Linux
package import OCI

/// In which form images leave the store.
package enum ArchiveFormat: String, Hashable, Sendable, CaseIterable {
    /// An OCI layout with the table of a docker-archive in it, as `docker save` writes it since version 25: read by
    /// Docker, Podman, Skopeo and containerd.
    case both
    /// An OCI layout: manifests, and so digests, as they are.
    case oci = "oci-archive"
    /// What `docker save` wrote before: layers without compression, no manifests.
    case docker = "docker-archive"
}

/// One image to be saved, and what it is called in the archive.
package struct SavedImage: Hashable, Sendable {
    package var image: StoredImage
    package var names: [Reference]

    package init(_ image: StoredImage, names: [Reference]) {
        self.image = image
        self.names = names
    }
}

extension ImageStore {
    /// Writes images as one tar archive; the same images give the same bytes.
    ///
    /// - Parameter output: A file, pipe or socket, written to from where it stands. A failure leaves what was written.
    package func save(
        _ images: [SavedImage], format: ArchiveFormat = .both, to output: SharedFD
    ) async throws(ImageFailure) {
        let lease = lease(for: "saving images")
        defer { lease.end() }
        try await Blocking.runLong { cancellation throws(ImageFailure) in
            for image in images { try self.hold(image.image, by: lease) }
            let sink = DescriptorSink(output, name: "the image archive", cancellation: cancellation)
            var writer = ImageArchiveWriter(store: self, sink: sink)
            do throws(ArchiveFailure) {
                switch format {
                case .both, .oci: try writer.layout(images, withDockerTable: format == .both)
                case .docker: try writer.dockerArchive(images)
                }
            } catch { throw ImageFailure(error) }
        }
    }
}

/// An archive being written.
private struct ImageArchiveWriter {
    let store: ImageStore
    let sink: any ByteSink
    private let room = Block()
    private var written: Set<String> = []

    init(store: ImageStore, sink: any ByteSink) {
        self.store = store
        self.sink = sink
    }

    // MARK: - OCI layout

    mutating func layout(_ images: [SavedImage], withDockerTable: Bool) throws(ArchiveFailure) {
        var descriptors: [Descriptor] = []
        var table: [JSONValue] = []
        try file("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8))
        for name in ["blobs", "blobs/sha256"] { try directory(name) }
        for saved in images {
            let manifest = try inStore { () throws(ImageFailure) in try store.manifest(of: saved.image) }
            let platform = try inStore { () throws(ImageFailure) in try store.config(of: saved.image) }.platform
            let descriptor = Descriptor(
                mediaType: manifest.mediaType, digest: saved.image.manifest, size: manifest.bytes.count,
                platform: platform)
            descriptors += saved.names.isEmpty ? [descriptor] : saved.names.map { Self.named(descriptor, $0) }
            for part in [manifest.config] + manifest.layers + [descriptor] {
                if part.digest.algorithm == .sha512 { try directory("blobs/sha512") }
                try blob(part.digest, as: Self.path(part.digest))
            }
            table.append(
                Self.entry(Self.path(manifest.config.digest), saved.names, manifest.layers.map { Self.path($0.digest) }))
        }
        try file("index.json", Index(manifests: descriptors).bytes)
        if withDockerTable { try file("manifest.json", JSONWriter.bytes(.array(table))) }
        try end()
    }

    /// Podman and Skopeo look for the first annotation, containerd and Docker for the second.
    private static func named(_ descriptor: Descriptor, _ name: Reference) -> Descriptor {
        var descriptor = descriptor
        descriptor.annotations = [
            "org.opencontainers.image.ref.name": name.description, "io.containerd.image.name": name.description,
        ]
        return descriptor
    }

    private static func path(_ digest: Digest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

    private static func entry(_ config: String, _ names: [Reference], _ layers: [String]) -> JSONValue {
        [
            "Config": .string(config), "RepoTags": .array(names.filter { $0.digest == nil }.map { .string($0.description) }),
            "Layers": .array(layers.map { .string($0) }),
        ]
    }

    // MARK: - docker-archive

    mutating func dockerArchive(_ images: [SavedImage]) throws(ArchiveFailure) {
        var table: [JSONValue] = []
        for saved in images {
            let (manifest, config) = try inStore { () throws(ImageFailure) in
                (try store.manifest(of: saved.image), try store.config(of: saved.image))
            }
            var layers: [String] = []
            for (layer, diff) in zip(manifest.layers, config.diffIDs) {
                let name = diff.hex + "/layer.tar"
                try directory(diff.hex)
                try plainLayer(layer, as: name)
                layers.append(name)
            }
            let configName = saved.image.id.hex + ".json"
            try blob(saved.image.id, as: configName)
            table.append(Self.entry(configName, saved.names, layers))
        }
        try file("manifest.json", JSONWriter.bytes(.array(table)))
        try end()
    }

    /// A layer without its compression. It is read twice: a tar says a file's length before the file.
    private mutating func plainLayer(_ layer: Descriptor, as name: String) throws(ArchiveFailure) {
        guard MediaType.compression(ofLayer: layer.mediaType) != Optional.some(.none) else {
            return try blob(layer.digest, as: name)
        }
        guard written.insert(name).inserted else { return }
        var size = 0
        try decompressed(layer.digest) { size += $0.count }
        var record = TarRecord(name: name)
        record.size = size
        try write(record.header)
        let sink = sink
        try decompressed(layer.digest) { bytes throws(ArchiveFailure) in try sink.write(bytes) }
        try write(record.padding)
    }

    private func decompressed(
        _ digest: Digest, _ take: (UnsafeRawBufferPointer) throws(ArchiveFailure) -> Void
    ) throws(ArchiveFailure) {
        let file = SharedFD(try inStore { () throws(ImageFailure) in try store.open(blob: digest) })
        let bytes = ArchiveBytes(DescriptorSource(file, name: "blob \(digest)"), limits: .standard)
        while true {
            let block = try bytes.nextBlock()
            if block.isEmpty { break }
            try take(block)
        }
        if digest.algorithm == .sha256 { try check(Digest(.sha256, hash: bytes.totals.blob), digest) }
    }

    // MARK: - Entries

    private mutating func blob(_ digest: Digest, as name: String) throws(ArchiveFailure) {
        guard written.insert(name).inserted else { return }
        let file = try inStore { () throws(ImageFailure) in try store.open(blob: digest) }
        var record = TarRecord(name: name)
        record.size = try forEntry(name) { () throws(SystemError) in try Files.status(of: file.raw, name: name) }.size
        try write(record.header)
        var hash = DigestBuilder(digest.algorithm)
        var left = record.size
        while left > 0 {
            let count = read(file.raw, room.bytes.baseAddress, min(room.bytes.count, left))
            let code = errno
            if count < 0, code == EINTR { continue }
            guard count > 0 else {
                throw ArchiveFailure(SystemError("read", name, code: count < 0 ? Errno(code) : .inputOutput), entry: name)
            }
            let bytes = UnsafeRawBufferPointer(rebasing: room.bytes[..<count])
            hash.update(bytes)
            try sink.write(bytes)
            left -= count
        }
        try write(record.padding)
        try check(hash.finalize(), digest)
    }

    /// What changed on the disk must not go out under its old name.
    private func check(_ found: Digest, _ expected: Digest) throws(ArchiveFailure) {
        guard found == expected else {
            throw ArchiveFailure(
                .damaged, ImageFailure.wrongDigest(expected: expected, found: found).description + "; pull or load it again")
        }
    }

    private mutating func file(_ name: String, _ bytes: [UInt8]) throws(ArchiveFailure) {
        var record = TarRecord(name: name)
        record.size = bytes.count
        try write(record.header + bytes + record.padding)
    }

    private mutating func directory(_ name: String) throws(ArchiveFailure) {
        guard written.insert(name).inserted else { return }
        var record = TarRecord(name: name, kind: .directory)
        record.mode = 0o755
        try write(record.header)
    }

    private func end() throws(ArchiveFailure) { try write(TarRecord.end) }

    private func write(_ bytes: [UInt8]) throws(ArchiveFailure) {
        let result = bytes.withUnsafeBytes { bytes in
            Result { () throws(ArchiveFailure) in try sink.write(bytes) }
        }
        try result.get()
    }

    private func inStore<Value: ~Copyable>(_ body: () throws(ImageFailure) -> Value) throws(ArchiveFailure) -> Value {
        do throws(ImageFailure) { return try body() } catch {
            if case .system(let error) = error { throw ArchiveFailure(error) }
            throw ArchiveFailure(.refused, error.description)
        }
    }
}
