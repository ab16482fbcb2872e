internal import Images
internal import OCI

/// The layers of a stage, and the config as far as the builder makes it: history and digests.
struct StageStack: Hashable, Sendable {
    /// The lowest first.
    private(set) var layers: [StackLayer] = []
    private(set) var history: [HistoryEntry] = []

    /// An empty one: FROM scratch.
    init() {}

    /// That of an image.
    init(_ manifest: Manifest, _ config: ImageConfig) {
        layers = zip(manifest.layers, config.diffIDs).map { descriptor, diff in
            StackLayer(
                mediaType: Self.mediaType(descriptor.mediaType), digest: descriptor.digest, size: descriptor.size,
                diff: diff)
        }
        history = config.history
        // Some tools write no history for their layers. Docker refuses images in which it does not fit.
        let known = history.count { !$0.isEmptyLayer }
        for _ in known..<max(layers.count, known) { history.append(HistoryEntry(createdBy: "a layer without history")) }
    }

    /// Docker's names for layers are not for a manifest of OCI's.
    private static func mediaType(_ type: String) -> String {
        switch MediaType.compression(ofLayer: type) {
        case .gzip?: MediaType.layerGzip
        case .zstd?: MediaType.layerZstd
        case MediaType.Compression.none?: MediaType.layer
        case nil: type
        }
    }

    /// Names what the layers unpack to; nil: there are none.
    var chain: Digest? { Digest.chainIDs(of: layers.map(\.diff)).last }

    /// When the last file was changed, as far as it is known.
    var created: String? { history.last { $0.created != nil }?.created }

    /// Takes what a step gave. `created` is kept for the layer; what changed no file is as old as what it stands on, so
    /// that the same steps give the same image at any time.
    mutating func add(_ layer: StackLayer?, created: String, by text: String) {
        if let layer { layers.append(layer) }
        history.append(
            HistoryEntry(
                created: layer == nil ? self.created : created, createdBy: text, isEmptyLayer: layer == nil))
    }
}
