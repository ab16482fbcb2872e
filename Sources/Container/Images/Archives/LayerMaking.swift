package import Linux
package import OCI

/// A layer in the store that no image has yet: held by the lease that it was made under.
package struct MadeLayer: Hashable, Sendable {
    package var descriptor: Descriptor
    /// The digest of its tar.
    package var diff: Digest
}

extension ImageStore {
    /// Packs an overlay's upper directory as a layer.
    package func layer(
        from upper: SharedFD, options: LayerWriter.Options = LayerWriter.Options(), lease: ImageLease
    ) async throws(ImageFailure) -> MadeLayer {
        try await Blocking.runLong { cancellation throws(ImageFailure) in
            let sink = BlobSink(try self.blobWriter(expected: nil, lease: lease))
            let written: WrittenLayer
            do throws(ArchiveFailure) {
                written = try LayerWriter.writeBlocking(upper, to: sink, options: options, cancellation: cancellation)
            } catch { throw sink.failure ?? ImageFailure(error) }
            return try sink.finish(Digest(.sha256, hash: written.totals.diff), options.compression)
        }
    }

    /// Takes in a tar archive, compressed or not, as a layer: its bytes as they come, once they were read to the end.
    package func layer(importing archive: SharedFD, lease: ImageLease) async throws(ImageFailure) -> MadeLayer {
        try await Blocking.runLong { cancellation throws(ImageFailure) in
            let sink = BlobSink(try self.blobWriter(expected: nil, lease: lease))
            let source = DescriptorSource(archive, name: "the archive", cancellation: cancellation)
            let totals: ArchiveTotals
            do throws(ArchiveFailure) {
                let reader = try TarReader(CopyingSource(source, to: sink), readAhead: true)
                while try reader.next() != nil {
                    guard !cancellation.isRequested else {
                        throw ArchiveFailure(.cancelled, "importing it was cancelled.")
                    }
                }
                totals = try reader.finish()
                guard reader.entries > 0 else { throw ArchiveFailure(.refused, "it holds nothing.") }
            } catch { throw sink.failure ?? ImageFailure(error) }
            return try sink.finish(Digest(.sha256, hash: totals.diff), totals.compression)
        }
    }

    /// Lists an image of these layers. `base` gives the layers below; `config` has their diff ids already, and gets those
    /// of `layers`. A name that another image has goes to this one.
    ///
    /// - Parameter unpacks: Whether the layers are unpacked first: what somebody else packed may be no layer at all.
    package func make(
        _ config: ImageConfig, on base: StoredImage?, layers: [MadeLayer], names: [Reference], now: Timestamp,
        lease: ImageLease, unpacks: Bool = false
    ) async throws(ImageFailure) -> StoredImage {
        var config = config
        config.diffIDs += layers.map(\.diff)
        let bytes = config.encoded()
        let made = config
        let manifest = try await Blocking.run { () throws(ImageFailure) in
            var below: [Descriptor] = []
            if let base {
                try self.hold(base, by: lease)
                below = try self.manifest(of: base).layers
            }
            // Read back: what it was made from may have been too long, or too much.
            do throws(DocumentError) { _ = try ImageConfig(bytes) } catch { throw .document(error) }
            let digest = try self.put(bytes, lease: lease)
            let manifest = Manifest(
                config: Descriptor(mediaType: MediaType.config, digest: digest, size: bytes.count),
                layers: below + layers.map(\.descriptor))
            try self.checkCount(manifest, made)
            return manifest
        }
        if unpacks { try await unpackLayers(of: manifest) }
        return try await Blocking.run { () throws(ImageFailure) in
            try self.add(manifest, names: names, now: now, lease: lease)
        }
    }

    /// Makes an image of a root filesystem as one archive. `config` has no layers yet. A failure leaves nothing.
    package func importRoot(
        _ archive: SharedFD, config: ImageConfig, names: [Reference], now: Timestamp
    ) async throws(ImageFailure) -> StoredImage {
        let lease = lease(for: "importing an archive")
        return try await orCollect(lease) { () async throws(ImageFailure) in
            let layer = try await self.layer(importing: archive, lease: lease)
            return try await self.make(
                config, on: nil, layers: [layer], names: names, now: now, lease: lease, unpacks: true)
        }
    }

    /// Makes an image of an overlay's upper directory over the layers of `base`, whose diff ids `config` has. A failure
    /// leaves nothing. Without an upper directory only the config is new.
    package func commit(
        _ upper: SharedFD?, on base: StoredImage?, config: ImageConfig, names: [Reference], now: Timestamp
    ) async throws(ImageFailure) -> StoredImage {
        let lease = lease(for: "committing a container")
        return try await orCollect(lease) { () async throws(ImageFailure) in
            var layers: [MadeLayer] = []
            if let upper { layers.append(try await self.layer(from: upper, lease: lease)) }
            return try await self.make(config, on: base, layers: layers, names: names, now: now, lease: lease)
        }
    }
}

/// Writes an archive into the store.
private final class BlobSink: ByteSink, @unchecked Sendable {
    // Used by one thread at a time: the one that packs, or that reads ahead.
    private let writer: BlobWriter
    /// What the store said; the archive's failure only says that writing failed.
    private(set) var failure: ImageFailure?

    init(_ writer: BlobWriter) { self.writer = writer }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveFailure) {
        do throws(ImageFailure) { try writer.write(bytes) } catch {
            failure = error
            throw ArchiveFailure(.refused, error.description)
        }
    }

    func finish(_ diff: Digest, _ compression: Compression) throws(ImageFailure) -> MadeLayer {
        let (digest, size) = try writer.finish()
        let mediaType =
            switch compression {
            case .none: MediaType.layer
            case .gzip: MediaType.layerGzip
            case .zstd: MediaType.layerZstd
            case .bzip2, .xz: preconditionFailure("a compression that is not accepted")
            }
        return MadeLayer(descriptor: Descriptor(mediaType: mediaType, digest: digest, size: size), diff: diff)
    }
}

/// Passes on what is read, and keeps a copy.
private final class CopyingSource: ByteSource {
    private let source: any ByteSource
    private let sink: BlobSink

    init(_ source: any ByteSource, to sink: BlobSink) {
        self.source = source
        self.sink = sink
    }

    func read(into room: UnsafeMutableRawBufferPointer) throws(ArchiveFailure) -> Int {
        let count = try source.read(into: room)
        if count > 0 { try sink.write(UnsafeRawBufferPointer(rebasing: room[..<count])) }
        return count
    }
}
