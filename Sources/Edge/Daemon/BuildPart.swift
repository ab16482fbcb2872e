import Building
import Engine
import Images
import Linux
import OCI

/// Builds as a part of the node: `build`, `build.images`, `build.prune`.
package enum BuildPart {
    /// Makes the part for a node.
    package static let maker: NodePart.Maker = { node in
        let sandboxes = BuildSandboxes(node.link)
        let bench = Workbench(node, sandboxes)
        let routes = [
            NodeRoute(BuildImage.self) { request, exchange async throws(NodeFailure) in
                try await bench.build(request, exchange)
            },
            NodeRoute(ListBuildImages.self) { request, exchange async throws(NodeFailure) in
                try await bench.images(request, exchange)
            },
            NodeRoute(PruneBuildCache.self) { request, _ async throws(NodeFailure) in
                try await bench.prune(request)
            },
        ]
        return NodePart(owner: sandboxes.lives, routes: routes)
    }
}

/// Where builds are made, opened when the node starts.
private struct Workbench: Sendable {
    private struct Tools: Sendable {
        var place: BuildPlace
        var cache: BuildCache
        var builder: ImageBuilder
    }

    private let images: ImageStore
    private let journal: EventJournal
    /// A state directory that cannot be used for builds is a failure of builds, not of the node.
    private let tools: Result<Tools, BuildFailure>

    init(_ node: NodeSurroundings, _ sandboxes: BuildSandboxes) {
        images = node.images
        journal = node.engine.journal
        do throws(BuildFailure) {
            guard OwnProcess.effectiveUser == 0 else {
                throw BuildFailure(.unsupported, "builds need a node that runs as root: layers are mounted over each other")
            }
            let place = try BuildPlace(directory: node.settings.state + "/build")
            let cache = try BuildCache(directory: place.cacheDirectory, store: node.images)
            let kit = BuildKit(
                place: place, sandboxes: sandboxes, planner: node.planner, networks: node.networks,
                capabilities: Capabilities.dockerDefault.intersection((try? Capabilities.permitted()) ?? []))
            tools = .success(
                Tools(place: place, cache: cache, builder: ImageBuilder(store: node.images, cache: cache, kit: kit)))
        } catch {
            if error.kind != .unsupported { node.note("builds are not possible: \(error)") }
            tools = .failure(error)
        }
    }

    func build(_ request: BuildImage, _ exchange: NodeExchange) async throws(NodeFailure) -> ImageBuilt {
        let recipe = request.recipe
        try Self.check(recipe, exchange)
        do throws(BuildFailure) {
            let tools = try tools.get()
            let input = try await BuildInput.read(recipe, exchange.descriptors, in: tools.place)
            let built: ImageBuilt
            do throws(BuildFailure) {
                let order = try Self.order(request, input)
                built = try await tools.builder.build(order) { progress in
                    // A caller that is gone has its request cancelled.
                    try? await exchange.send(progress)
                }
            } catch {
                await input.end()
                throw error
            }
            await input.end()
            for name in built.names {
                journal.note(.image, "tag", subject: built.id.description, name: name.description)
            }
            return built
        } catch { throw NodeFailure(error.kind, error.described(in: recipe.file)) }
    }

    func images(_ request: ListBuildImages, _ exchange: NodeExchange) async throws(NodeFailure) -> BuildImageList {
        try Self.check(request.recipe, exchange)
        do throws(BuildFailure) {
            let bytes = try await BuildInput.readDockerfile(request.recipe, exchange.descriptors)
            let names = try Self.graph(request.recipe, try Self.dockerfile(bytes)).images
            return BuildImageList(images: names, missing: names.filter { (try? images.resolve($0)) == nil })
        } catch { throw NodeFailure(error.kind, error.described(in: request.recipe.file)) }
    }

    func prune(_ request: PruneBuildCache) async throws(NodeFailure) -> BuildCachePruned {
        let images = images
        do throws(BuildFailure) {
            let cache = try tools.get().cache
            let since = request.unusedSince
            let records = try await BuildCache.inBackground { () throws(BuildFailure) in
                try cache.prune(unusedSince: since)
            }
            let freed: Int
            do throws(ImageFailure) {
                freed = try await Blocking.runLong { () throws(ImageFailure) in try images.collect() }
            } catch { throw BuildFailure(error) }
            return BuildCachePruned(records: records, freedBytes: freed)
        } catch { throw NodeFailure(error.kind, error.description) }
    }

    // What was sent.

    private static func check(_ recipe: BuildRecipe, _ exchange: NodeExchange) throws(NodeFailure) {
        try exchange.require(descriptors: recipe.context == .directory ? 2 : 1, for: "a build (\(recipe.context.rawValue))")
        if let platform = recipe.platform, platform != .ofThisMachine {
            throw NodeFailure(
                .unsupported, "--platform \(platform): this machine builds for \(Platform.ofThisMachine) only")
        }
    }

    private static func dockerfile(_ bytes: [UInt8]) throws(BuildFailure) -> Dockerfile {
        do throws(DockerfileError) { return try Dockerfile(parsing: bytes) } catch { throw BuildFailure(error) }
    }

    private static func graph(_ recipe: BuildRecipe, _ dockerfile: Dockerfile) throws(BuildFailure) -> BuildGraph {
        do throws(DockerfileError) {
            return try BuildGraph(
                dockerfile, target: recipe.target, arguments: recipe.arguments,
                platform: Platform.ofThisMachine.description)
        } catch { throw BuildFailure(error) }
    }

    private static func order(_ request: BuildImage, _ input: BuildInput) throws(BuildFailure) -> BuildOrder {
        let dockerfile = try dockerfile(input.dockerfile)
        let arguments = request.recipe.arguments
        var epoch = request.epoch
        if let text = arguments[BuildOrder.epochArgument] { epoch = try BuildOrder.epoch(text) }
        return BuildOrder(
            dockerfile: dockerfile, graph: try graph(request.recipe, dockerfile), fileName: request.recipe.file,
            context: input.context, arguments: arguments, labels: request.labels, tags: request.tags,
            usesCache: request.usesCache, network: request.network, epoch: epoch)
    }
}
