internal import JSON
internal import Linux
internal import OCI

/// An image of an archive, its parts in the store but not listed.
struct ArchivedImage {
    var manifest: Manifest
    var index: Digest?
    var names: [Reference]
}

/// Which images an archive holds: read from `index.json` of an OCI layout, which keeps manifests and so digests, or
/// from `manifest.json` of a docker-archive. Docker's later versions write both into one archive.
struct ArchiveContents {
    private let intake: ArchiveIntake
    private let store: ImageStore
    private let lease: ImageLease
    private let platform: Platform

    /// Indexes within indexes.
    private static let nesting = 4
    private static let refName = "org.opencontainers.image.ref.name"
    private static let containerdName = "io.containerd.image.name"

    init(_ intake: ArchiveIntake, _ store: ImageStore, _ lease: ImageLease, _ platform: Platform) {
        self.intake = intake
        self.store = store
        self.lease = lease
        self.platform = platform
    }

    /// The images, in the order of the archive. Blocks.
    func images() throws(ImageFailure) -> [ArchivedImage] {
        let list = try dockerList()
        if let bytes = try intake.document("index.json", limit: DocumentLimits.manifestBytes) {
            return try layoutImages(bytes, list ?? [])
        }
        guard let list else {
            throw .unusable(
                "this is no image archive: it has neither index.json (OCI layout) nor manifest.json (docker-archive). "
                    + "A root filesystem as one archive is taken by \"forkless import\".")
        }
        var images: [ArchivedImage] = []
        for (number, entry) in list.enumerated() { images.append(try dockerImage(entry, number)) }
        return images
    }

    // MARK: - OCI layout

    private func layoutImages(_ bytes: [UInt8], _ list: [DockerEntry]) throws(ImageFailure) -> [ArchivedImage] {
        if let layout = try intake.document("oci-layout", limit: 4096) { try checkVersion(layout) }
        let index = try document { () throws(DocumentError) in try Index(bytes) }
        let dockerNames = try namesByConfig(list)
        var images: [ArchivedImage] = []
        for descriptor in index.manifests where !isAttestation(descriptor) {
            var image = try image(descriptor, depth: 0)
            let known = dockerNames[image.manifest.config.digest] ?? []
            image.names = known.isEmpty ? try annotatedNames(descriptor) : known
            if let same = images.firstIndex(where: { $0.manifest == image.manifest }) {
                images[same].names += image.names.filter { !images[same].names.contains($0) }
            } else {
                images.append(image)
            }
        }
        guard !images.isEmpty else { throw .unusable("the archive's index.json lists no image") }
        return images
    }

    private func checkVersion(_ bytes: [UInt8]) throws(ImageFailure) {
        let version = (try? JSONParser.parse(bytes))?["imageLayoutVersion"]?.string
        guard let version, version.hasPrefix("1.") else {
            throw .unusable("the archive's oci-layout names no version 1 of the layout")
        }
    }

    /// What says how an image was built stands in an index as if it were one.
    private func isAttestation(_ descriptor: Descriptor) -> Bool { descriptor.platform?.os == "unknown" }

    private func annotatedNames(_ descriptor: Descriptor) throws(ImageFailure) -> [Reference] {
        guard let text = descriptor.annotations[Self.containerdName] ?? descriptor.annotations[Self.refName] else { return [] }
        return [try reference(text)]
    }

    private func image(_ descriptor: Descriptor, depth: Int) throws(ImageFailure) -> ArchivedImage {
        let bytes = try layoutDocument(descriptor)
        let found = try document { () throws(DocumentError) in
            try ImageDocument(bytes, mediaType: descriptor.mediaType)
        }
        switch found {
        case .manifest(let manifest):
            for part in [manifest.config] + manifest.layers { try bring(part) }
            return ArchivedImage(manifest: manifest, names: [])
        case .index(let index):
            guard depth < Self.nesting else { throw .unusable("the archive's indexes lie in each other without end") }
            guard let fitting = index.manifest(for: platform) else {
                throw .unusable("the archive's image is not for \(platform), and index \(descriptor.digest) names no other")
            }
            var image = try self.image(fitting, depth: depth + 1)
            _ = try intake.blob(path(descriptor.digest), expected: descriptor.digest)
            image.index = descriptor.digest
            return image
        }
    }

    private func layoutDocument(_ descriptor: Descriptor) throws(ImageFailure) -> [UInt8] {
        guard let bytes = try intake.document(path(descriptor.digest), limit: DocumentLimits.manifestBytes) else {
            throw .missingBlob(descriptor.digest)
        }
        guard bytes.count == descriptor.size else {
            throw .wrongSize(descriptor.digest, expected: descriptor.size, found: bytes.count)
        }
        let found = Digest(of: bytes, descriptor.digest.algorithm)
        guard found == descriptor.digest else { throw .wrongDigest(expected: descriptor.digest, found: found) }
        return bytes
    }

    /// A part comes from the archive, or is here already.
    private func bring(_ part: Descriptor) throws(ImageFailure) {
        guard try intake.blob(path(part.digest), expected: part.digest) == nil else { return }
        guard try store.claim(part.digest, lease: lease) != nil else { throw .missingBlob(part.digest) }
    }

    private func path(_ digest: Digest) -> String { "blobs/\(digest.algorithm.rawValue)/\(digest.hex)" }

    // MARK: - docker-archive

    private struct DockerEntry {
        var config: String
        var names: [Reference]
        var layers: [String]
    }

    /// The entries of manifest.json; nil when there is none.
    private func dockerList() throws(ImageFailure) -> [DockerEntry]? {
        guard let bytes = try intake.document("manifest.json", limit: DocumentLimits.manifestBytes) else { return nil }
        let json: JSONValue
        do throws(JSONError) { json = try JSONParser.parse(bytes) } catch {
            throw .unusable("the archive's manifest.json is not JSON: \(error)")
        }
        guard let entries = json.array, !entries.isEmpty, entries.count <= DocumentLimits.manifests else {
            throw .unusable("the archive's manifest.json is no list of 1 to \(DocumentLimits.manifests) images")
        }
        var list: [DockerEntry] = []
        for entry in entries { list.append(try dockerEntry(entry)) }
        return list
    }

    private func dockerEntry(_ json: JSONValue) throws(ImageFailure) -> DockerEntry {
        let config: String
        let names: [String]
        let layers: [String]
        do throws(JSONShapeError) {
            var reader = try JSONObjectReader(json)
            config = try reader.required("Config")
            names = try reader.list("RepoTags")
            layers = try reader.list("Layers")
        } catch { throw .unusable("the archive's manifest.json: \(error)") }
        guard layers.count <= DocumentLimits.layers else {
            throw .unusable(
                "an image of the archive has \(layers.count) layers; at most \(DocumentLimits.layers) are accepted")
        }
        var references: [Reference] = []
        for name in names { references.append(try reference(name)) }
        return DockerEntry(config: config, names: references, layers: layers)
    }

    private func namesByConfig(_ list: [DockerEntry]) throws(ImageFailure) -> [Digest: [Reference]] {
        var names: [Digest: [Reference]] = [:]
        for entry in list {
            guard let config = try intake.document(entry.config, limit: DocumentLimits.configBytes) else { continue }
            names[Digest(of: config), default: []] += entry.names
        }
        return names
    }

    private func dockerImage(_ entry: DockerEntry, _ number: Int) throws(ImageFailure) -> ArchivedImage {
        func missing(_ path: String) -> ImageFailure {
            .unusable("image \(number + 1) of the archive names \"\(path.prefix(200))\", which the archive does not hold")
        }
        guard let bytes = try intake.document(entry.config, limit: DocumentLimits.configBytes),
            let config = try intake.blob(entry.config)
        else { throw missing(entry.config) }
        _ = try document { () throws(DocumentError) in try ImageConfig(bytes) }
        var layers: [Descriptor] = []
        for path in entry.layers {
            guard let layer = try intake.blob(path) else { throw missing(path) }
            layers.append(Descriptor(mediaType: try mediaType(layer.head), digest: layer.digest, size: layer.size))
        }
        let manifest = Manifest(
            config: Descriptor(mediaType: MediaType.config, digest: config.digest, size: config.size), layers: layers)
        return ArchivedImage(manifest: manifest, names: entry.names)
    }

    private func mediaType(_ head: [UInt8]) throws(ImageFailure) -> String {
        do throws(ArchiveFailure) {
            switch try Compression(firstBytes: head) {
            case .none: return MediaType.layer
            case .gzip: return MediaType.layerGzip
            case .zstd: return MediaType.layerZstd
            case .bzip2, .xz: preconditionFailure("a compression that is not accepted")
            }
        } catch { throw ImageFailure(error) }
    }

    // MARK: - Documents

    private func document<Value>(_ read: () throws(DocumentError) -> Value) throws(ImageFailure) -> Value {
        do throws(DocumentError) { return try read() } catch { throw .document(error) }
    }

    private func reference(_ text: String) throws(ImageFailure) -> Reference {
        do throws(ReferenceError) { return try Reference(text).tagged } catch { throw .name(error) }
    }
}
