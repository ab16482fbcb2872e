import Daemon
import Engine
import Images
import Linux
import OCI
import Synchronization
import TestKit

/// A node that builds, with the image `busybox` in its store, and a directory for contexts.
final class TestBench: Sendable {
    let test: TestNode
    let node: Node
    let client: NodeClient
    let contexts: TemporaryDirectory

    /// What a build told.
    final class Told: Sendable {
        private let items = Mutex<[BuildProgress]>([])
        func take(_ item: BuildProgress) { items.withLock { $0.append(item) } }
        var all: [BuildProgress] { items.withLock { $0 } }
        /// What the programs wrote.
        var output: [String] { all.filter { $0.kind == .output }.map(\.text) }
        /// Of each step that is over: how it went.
        var ends: [BuildProgress.Kind] { all.map(\.kind).filter { [.done, .cached, .failed].contains($0) } }
    }

    private init(_ test: TestNode) async throws {
        self.test = test
        node = try await Node.start(test.settings, parts: [BuildPart.maker], note: { _ in })
        let started = node
        Task { await started.serve() }
        try TestImage.busybox(in: node.images)
        client = try await test.connect()
        contexts = try TemporaryDirectory("context")
    }

    /// With a state directory on a disk (in memory) of so many bytes.
    static func onSmallDisk(bytes: Int, _ body: (TestBench) async throws -> Void) async throws {
        let test = try TestNode()
        try Files.makeDirectories(test.settings.state)
        let options = "size=\(bytes)"
        let mounted = try await CommandRunner.run(["mount", "-t", "tmpfs", "-o", options, "none", test.settings.state])
        guard mounted.status.isSuccess else { throw CommandFailed(mounted.errorText) }
        var failure: (any Error)?
        do { try await run(test, body) } catch { failure = error }
        // What a node had open there is closed when its last reference has gone.
        try await eventually("the disk is not in use") {
            try await CommandRunner.run(["umount", test.settings.state]).status.isSuccess
        }
        if let failure { throw failure }
    }

    struct CommandFailed: Error, CustomStringConvertible {
        var description: String
        init(_ description: String) { self.description = description }
    }

    /// What the keeper runs, in words.
    func sandboxes() async throws -> [String] {
        let status = try await client.call(GetStatus())
        return (status.keeper?.running ?? 0) == 0 ? [] : ["\(status.keeper?.running ?? 0) programs"]
    }

    static func run(_ body: (TestBench) async throws -> Void) async throws { try await run(TestNode(), body) }

    private static func run(_ test: TestNode, _ body: (TestBench) async throws -> Void) async throws {
        let bench = try await TestBench(test)
        do { try await body(bench) } catch {
            await bench.end()
            throw error
        }
        await bench.end()
    }

    private func end() async {
        await node.stop()
        try? await test.endKeeper()
    }

    /// The working directory of builds, which is empty between them.
    var left: [String] { (try? Files.list(test.settings.state + "/build/work")) ?? ["unreadable"] }

    /// Writes a file of the context.
    func write(_ path: String, _ text: String, mode: UInt32 = 0o644) throws {
        let full = contexts.path(path)
        try Files.makeDirectories(String(full[..<full.lastIndex(of: "/")!]))
        try Files.replace(full, with: Array(text.utf8), mode: mode)
        try Files.setPermissions(full, mode)
    }

    @discardableResult
    func build(
        _ dockerfile: String, tags: [String] = [], told: Told = Told(), through other: NodeClient? = nil,
        _ change: (inout BuildImage) -> Void = { _ in }
    ) async throws -> ImageBuilt {
        let context = SharedFD(try Files.open(contexts.path, 0o200000))
        let file = SharedFD(try Files.sealedMemory(named: "Dockerfile", Array(dockerfile.utf8)))
        var request = BuildImage(
            BuildRecipe(context: .directory, file: "Dockerfile"), tags: try tags.map { try Reference($0) }, network: .none)
        change(&request)
        defer { withExtendedLifetime((context, file)) {} }
        return try await (other ?? client).stream(request, descriptors: [context.raw, file.raw]) { item, _ in told.take(item) }
    }

    /// What a build fails with.
    func failure(_ dockerfile: String, told: Told = Told(), _ change: (inout BuildImage) -> Void = { _ in }) async -> String {
        do {
            let built = try await build(dockerfile, told: told, change)
            return "it was built: \(built.id)"
        } catch { return "\(error)" }
    }

    func config(_ built: ImageBuilt) throws -> ImageConfig {
        try node.images.config(of: try node.images.resolve(built.id.description))
    }

    /// The paths of each layer with their modes and owners, the lowest layer first, without those of busybox.
    func layers(_ built: ImageBuilt) throws -> [[String]] {
        let images = node.images
        let manifest = try images.manifest(of: try images.resolve(built.id.description))
        return try manifest.layers.dropFirst().map { layer in
            let reader = try TarReader(DescriptorSource(SharedFD(try images.open(blob: layer.digest))))
            var entries: [String] = []
            while let entry = try reader.next() {
                entries.append("\(entry.name) \(String(entry.mode, radix: 8)) \(entry.owner):\(entry.group)")
            }
            return entries
        }
    }
}
