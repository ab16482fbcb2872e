internal import Images
internal import Linux
internal import OCI

/// Makes a layer of what a step has written: an upper directory becomes a blob of the store.
enum LayerCommit {
    /// - Parameter latest: Times after this one become this one.
    /// - Returns: nil when nothing was written.
    static func layer(
        of upper: SharedFD, in store: ImageStore, latest: FileTime?, lease: ImageLease
    ) async throws(BuildFailure) -> StackLayer? {
        let names = try building { () throws(SystemError) in try Files.list(upper.raw, name: "the step's directory") }
        guard !names.isEmpty else { return nil }
        let writer = try await storing { () throws(ImageFailure) in try store.blobWriter(expected: nil, lease: lease) }
        var options = LayerWriter.Options(form: .overlayUpper, compression: .gzip)
        options.latest = latest
        let written: WrittenLayer
        do throws(ArchiveFailure) {
            written = try await LayerWriter.write(upper, to: BlobSink(writer), options: options)
        } catch { throw BuildFailure(error) }
        let blob = try await storing { () throws(ImageFailure) in try writer.finish() }
        return StackLayer(
            mediaType: MediaType.layerGzip, digest: blob.digest, size: blob.size,
            diff: Digest(.sha256, hash: written.totals.diff))
    }
}

/// Runs what blocks on the store's disk; its failure is the build's.
func storing<Value: Sendable>(
    _ body: @escaping @Sendable () throws(ImageFailure) -> Value
) async throws(BuildFailure) -> Value {
    do throws(ImageFailure) { return try await Blocking.run(body) } catch { throw BuildFailure(error) }
}

/// A blob as the place where an archive goes.
private final class BlobSink: ByteSink {
    private let writer: BlobWriter

    init(_ writer: BlobWriter) { self.writer = writer }

    func write(_ bytes: UnsafeRawBufferPointer) throws(ArchiveFailure) {
        do throws(ImageFailure) { try writer.write(Array(bytes)) } catch {
            if case .system(let error) = error { throw ArchiveFailure(error) }
            throw ArchiveFailure(.refused, error.description)
        }
    }
}
