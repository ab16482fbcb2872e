package import Engine
package import Images
package import Linux
package import OCI

/// Builds images from Dockerfiles: one stage after another, one instruction after another.
///
/// Invariants
/// 1. A build that fails or is cancelled adds no image and no name, and leaves nothing but records of the cache.
///    (test: `a step that fails leaves no directory and no mount`)
/// 2. The same steps on the same files give the same image, byte for byte, when SOURCE_DATE_EPOCH is given.
///    (test: `two builds in two state directories give the same digest`)
package struct ImageBuilder: Sendable {
    private let store: ImageStore
    private let cache: BuildCache
    private let kit: BuildKit
    private let platform: Platform

    package init(store: ImageStore, cache: BuildCache, kit: BuildKit, platform: Platform = .ofThisMachine) {
        self.store = store
        self.cache = cache
        self.kit = kit
        self.platform = platform
    }

    /// Builds the target of the order and gives it its names.
    ///
    /// - Parameters:
    ///   - now: the time, for what the order gives none.
    ///   - tell: is told how far the build is.
    /// - Throws: `BuildFailure` with the line of the Dockerfile; `.cancelled` when the task was.
    package func build(
        _ order: BuildOrder, now: Timestamp = Clock.now(), tell: @escaping @Sendable (BuildProgress) async -> Void
    ) async throws(BuildFailure) -> ImageBuilt {
        let lease = store.lease(for: "a build")
        do throws(BuildFailure) {
            let built = try await stages(order, now, lease, tell)
            lease.end()
            return built
        } catch {
            lease.end()
            // A full disk gets back what the steps took; when that fails, too, the next collection does it.
            let store = store
            _ = try? await Blocking.runLong { () throws(ImageFailure) in try store.collect() }
            throw error
        }
    }

    private func stages(
        _ order: BuildOrder, _ now: Timestamp, _ lease: ImageLease, _ tell: @escaping @Sendable (BuildProgress) async -> Void
    ) async throws(BuildFailure) -> ImageBuilt {
        let session = BuildSession(
            order: order, store: store, cache: cache, kit: kit, lease: lease, now: now, platform: platform, tell: tell)
        for name in order.graph.undeclaredArguments where name != BuildOrder.epochArgument {
            await tell(BuildProgress(.note, text: "no ARG takes the build argument \(name)"))
        }
        var stages: [Int: BuiltStage] = [:]
        var (lastStep, cachedSteps) = (0, 0)
        var last: BuiltStage?
        for node in order.graph.nodes {
            var run = StageRun(session, node, stages, lastStep: lastStep)
            let stage = try await run.build()
            stages[node.stage.number] = stage
            lastStep = run.lastStep
            cachedSteps += run.cachedSteps
            last = stage
        }
        guard let last else { preconditionFailure("a graph has its target") }
        let image = try await finish(last, session)
        return ImageBuilt(
            id: image.id, digest: image.manifest, names: order.tags.map(\.tagged), steps: lastStep,
            cachedSteps: cachedSteps)
    }

    private func finish(_ stage: BuiltStage, _ session: BuildSession) async throws(BuildFailure) -> StoredImage {
        let order = session.order
        var config = stage.config
        config.defaults = stage.evaluation.defaults
        for (name, value) in order.labels { config.defaults.labels[name] = value }
        config.diffIDs = stage.stack.layers.map(\.diff)
        config.history = stage.stack.history
        config.created = order.epoch == nil ? stage.stack.created : session.created
        let bytes = config.encoded()
        let (store, lease, now) = (store, session.lease, session.now)
        let layers = stage.stack.layers.map(\.descriptor)
        return try await storing { () throws(ImageFailure) in
            let id = try store.put(bytes, lease: lease)
            let manifest = Manifest(
                config: Descriptor(mediaType: MediaType.config, digest: id, size: bytes.count), layers: layers)
            return try store.add(manifest, names: order.tags, now: now, lease: lease)
        }
    }
}
