package import Linux
package import OCI

/// An image that came with an archive, under the names that the archive gave it.
package struct LoadedImage: Hashable, Sendable {
    package var image: StoredImage
    package var names: [Reference]
}

extension ImageStore {
    /// Takes in the images of an archive, an OCI layout or a docker-archive as a tar, compressed or not, with their
    /// layers unpacked: what is listed can be started.
    ///
    /// All of them are listed, or, on any failure, none; what came until then is removed.
    /// - Parameters:
    ///   - archive: A file, pipe or socket, read from where it stands.
    ///   - platform: Which image of an index is meant.
    package func load(
        _ archive: SharedFD, platform: Platform = .ofThisMachine, now: Timestamp
    ) async throws(ImageFailure) -> [LoadedImage] {
        let lease = lease(for: "loading an archive")
        return try await orCollect(lease) { () async throws(ImageFailure) in
            let images = try await Blocking.runLong { cancellation throws(ImageFailure) in
                var intake = ArchiveIntake(self, lease)
                let source = DescriptorSource(archive, name: "the image archive", cancellation: cancellation)
                try intake.read(source, cancellation)
                return try ArchiveContents(intake, self, lease, platform).images()
            }
            for image in images { try await self.unpackLayers(of: image.manifest) }
            let stored = try await Blocking.run { () throws(ImageFailure) in
                try self.add(images, now: now, lease: lease)
            }
            return zip(stored, images).map { LoadedImage(image: $0, names: $1.names) }
        }
    }

    /// Ends the lease when the work is done; when it failed, what the work brought goes, too.
    func orCollect<Value>(
        _ lease: ImageLease, _ body: () async throws(ImageFailure) -> Value
    ) async throws(ImageFailure) -> Value {
        defer { lease.end() }
        do throws(ImageFailure) { return try await body() } catch {
            lease.end()
            // The next collection takes what this one cannot.
            _ = try? await Blocking.runLong { _ throws(ImageFailure) in try self.collect() }
            throw error
        }
    }
}
