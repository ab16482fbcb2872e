import Engine
import Glibc
import Images
import Linux
import OCI

// What is made of a container's files: an image, an archive, a list of changes.
extension ImageService {
    var containerRoutes: [NodeRoute] {
        [
            NodeRoute(CommitContainer.self) { request, _ async throws(NodeFailure) in try await self.commit(request) },
            NodeRoute(ExportContainer.self) { request, exchange async throws(NodeFailure) in
                try exchange.require(descriptors: 1, for: "exporting a container")
                return try await self.export(request.container, to: exchange.descriptors[0])
            },
            NodeRoute(ContainerChanges.self) { request, _ async throws(NodeFailure) in
                try await self.changes(of: request.container)
            },
            NodeRoute(GetDiskUsage.self) { _, _ async throws(NodeFailure) in try await self.diskUsage() },
        ]
    }

    // MARK: - commit

    func commit(_ request: CommitContainer) async throws(NodeFailure) -> ImageMade {
        let names = request.name.map { [$0.tagged] } ?? []
        try checkNames(names)
        let container = try engine.inspect(request.container)
        let files = try await engine.files(of: request.container)
        let base = try image(files.image.description)
        let now = Clock.now()
        let config = try await config(of: container, base, request, now, isEmpty: files.upper == nil)
        let isPaused = request.pauses && container.summary.phase == .running
        if isPaused { try await engine.pause(container.summary.id) }
        let made: Result<StoredImage, NodeFailure>
        do throws(NodeFailure) { made = .success(try await pack(files.upper, base, config, names, now)) } catch {
            made = .failure(error)
        }
        // One that ended or was removed meanwhile cannot run on, and need not.
        if isPaused { try? await engine.resume(container.summary.id) }
        let image = try made.get()
        engine.journal.note(
            .container, "commit", subject: container.summary.id, name: container.summary.name,
            attributes: ["imageID": image.id.description])
        return ImageMade(id: image.id)
    }

    private func pack(
        _ upper: String?, _ base: StoredImage, _ config: ImageConfig, _ names: [Reference], _ now: Timestamp
    ) async throws(NodeFailure) -> StoredImage {
        let directory = try upper.map { path throws(NodeFailure) in try Self.open(path) }
        return try await inStore { () async throws(ImageFailure) in
            try await self.images.commit(directory, on: base, config: config, names: names, now: now)
        }
    }

    /// The image's config with what the container was made with, as Docker has it.
    private func config(
        of container: ContainerDetails, _ base: StoredImage, _ request: CommitContainer, _ now: Timestamp, isEmpty: Bool
    ) async throws(NodeFailure) -> ImageConfig {
        var config = try await inStore { () async throws(ImageFailure) in
            try await Blocking.run { () throws(ImageFailure) in try self.images.config(of: base) }
        }
        let spec = container.spec
        config.defaults.env = spec.environment
        config.defaults.entrypoint = spec.entrypoint.flatMap { $0.isEmpty ? nil : $0 }
        let command = (spec.program.isEmpty ? [] : [spec.program]) + spec.arguments
        config.defaults.cmd = command.isEmpty ? nil : command
        if let user = spec.user { config.defaults.user = user }
        if let directory = spec.directory { config.defaults.workingDirectory = directory }
        config.defaults.labels = spec.labels
        config.defaults.exposedPorts = spec.exposedPorts.sorted()
        config.defaults = try ConfigChanges.apply(request.changes, to: config.defaults)
        config.author = request.author ?? config.author
        config.created = now.description
        config.history.append(
            HistoryEntry(
                created: now.description, createdBy: spec.words.joined(separator: " "), author: request.author,
                comment: request.message, isEmptyLayer: isEmpty))
        return config
    }

    // MARK: - export, diff

    func export(_ container: String, to output: SharedFD) async throws(NodeFailure) -> NoValue {
        let details = try engine.inspect(container)
        let files = try await engine.files(of: container)
        let empty = images.emptyDirectory
        try await inStore { () async throws(ImageFailure) in
            try await Blocking.runLong { cancellation throws(ImageFailure) in
                let tree: SharedFD
                do throws(SystemError) {
                    // What it writes while it is read is in the archive or is not.
                    tree = SharedFD(
                        try LayerStack.readOnly((files.upper.map { [$0] } ?? []) + files.lower, empty: empty))
                } catch { throw .system(error) }
                let sink = DescriptorSink(output, name: "the archive", cancellation: cancellation)
                do throws(ArchiveFailure) {
                    _ = try LayerWriter.writeBlocking(
                        tree, to: sink, options: LayerWriter.Options(form: .plain, compression: .none),
                        cancellation: cancellation)
                } catch { throw ImageFailure(error) }
            }
        }
        engine.journal.note(.container, "export", subject: details.summary.id, name: details.summary.name)
        return NoValue()
    }

    func changes(of container: String) async throws(NodeFailure) -> FileChanges {
        let files = try await engine.files(of: container)
        guard let upper = files.upper else { return FileChanges(changes: []) }
        let directory = try Self.open(upper)
        var lower: [SharedFD] = []
        for path in files.lower { lower.append(try Self.open(path)) }
        let layers = lower
        let changes = try await inStore { () async throws(ImageFailure) in
            do throws(ArchiveFailure) { return try await LayerDiff.changes(upper: directory, lower: layers) } catch {
                throw ImageFailure(error)
            }
        }
        return FileChanges(
            changes: changes.map { change in
                let kind: FileChanges.Change.Kind =
                    switch change.kind {
                    case .added: .added
                    case .changed: .changed
                    case .deleted: .deleted
                    }
                return FileChanges.Change(kind: kind, path: change.path)
            })
    }

    private static func open(_ directory: String) throws(NodeFailure) -> SharedFD {
        do throws(SystemError) {
            return SharedFD(try Files.open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW))
        } catch { throw NodeFailure(.system, error.description) }
    }
}
