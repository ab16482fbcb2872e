internal import Glibc
import Images
import JSON
package import Linux
import OCI

/// Writes an image as an OCI layout with the table of a docker-archive in it, one tar, as `forkless save` does: what
/// `forkless load`, Docker, Podman and Skopeo read. The same image gives the same bytes.
package struct LayoutArchive {
    private let image: PackedImage

    package init(_ image: PackedImage) { self.image = image }

    /// Writes to an open file from where it stands. Blocks.
    package func write(to file: SharedFD) throws(PackFailure) {
        let sink = DescriptorSink(file, name: "the image")
        do throws(ArchiveFailure) { try writeEntries(to: sink) } catch {
            throw PackFailure("write the image: \(error)")
        }
    }

    private func writeEntries(to sink: any ByteSink) throws(ArchiveFailure) {
        try file("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), sink)
        for name in ["blobs", "blobs/sha256"] {
            var record = TarRecord(name: name, kind: .directory)
            record.mode = 0o755
            try write(record.header, sink)
        }
        let manifest = image.manifest
        try file(Self.path(manifest.config.digest), image.configBytes, sink)
        var written: Set<Digest> = []
        for layer in image.layers where written.insert(layer.descriptor.digest).inserted {
            try copy(layer.file, Self.path(layer.descriptor.digest), layer.descriptor.size, sink)
        }
        var descriptor = Descriptor(
            mediaType: manifest.mediaType, digest: Digest(of: manifest.bytes), size: manifest.bytes.count,
            platform: image.config.platform)
        try file(Self.path(descriptor.digest), manifest.bytes, sink)
        if let name = image.name?.description {
            descriptor.annotations = ["org.opencontainers.image.ref.name": name, "io.containerd.image.name": name]
        }
        try file("index.json", Index(manifests: [descriptor]).bytes, sink)
        let table: JSONValue = [
            [
                "Config": .string(Self.path(manifest.config.digest)),
                "RepoTags": .array(image.name.map { [.string($0.description)] } ?? []),
                "Layers": .array(manifest.layers.map { .string(Self.path($0.digest)) }),
            ]
        ]
        try file("manifest.json", JSONWriter.bytes(table), sink)
        try write(TarRecord.end, sink)
    }

    private static func path(_ digest: Digest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

    private func file(_ name: String, _ bytes: [UInt8], _ sink: any ByteSink) throws(ArchiveFailure) {
        let record = TarRecord(name: name, size: bytes.count)
        try write(record.header + bytes + record.padding, sink)
    }

    private func copy(_ path: String, _ name: String, _ size: Int, _ sink: any ByteSink) throws(ArchiveFailure) {
        let record = TarRecord(name: name, size: size)
        try write(record.header, sink)
        do throws(SystemError) {
            let fd = try Files.open(path, O_RDONLY)
            var left = size
            while left > 0 {
                let bytes = try Files.readSome(fd.raw, count: min(left, 1 << 20), name: path)
                guard !bytes.isEmpty else {
                    throw SystemError("read", path, code: .inputOutput, advice: "It became shorter.")
                }
                left -= bytes.count
                do throws(ArchiveFailure) { try write(bytes, sink) } catch {
                    throw SystemError("write", "the image: \(error)", code: .inputOutput)
                }
            }
        } catch { throw ArchiveFailure(error, entry: name) }
        try write(record.padding, sink)
    }

    private func write(_ bytes: [UInt8], _ sink: any ByteSink) throws(ArchiveFailure) {
        guard !bytes.isEmpty else { return }
        try bytes.withUnsafeBytes { bytes in Result { () throws(ArchiveFailure) in try sink.write(bytes) } }.get()
    }
}
