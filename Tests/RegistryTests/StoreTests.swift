import Images
import JSON
import Linux
import OCI
import Synchronization
import TestKit
import Testing

@testable import Registry

@Suite struct `Pulls into the store` {
    private static let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

    /// An image whose config lists as many layers as it has, so that the store takes it.
    static func image(layers: [[UInt8]], platform: String = "linux/amd64") -> RemoteImage {
        var config = ImageConfig(platform: Platform(platform)!)
        config.diffIDs = layers.map { Digest(of: $0) }
        return RemoteImage(config: config.encoded(), layers: layers)
    }

    private let image = Self.image(layers: [[1, 2, 3], Array("layer".utf8), [1, 2, 3]])

    private func store(_ directory: TemporaryDirectory) throws -> ImageStore {
        try ImageStore(directory: directory.path("images"))
    }

    /// Every file below the store's directory, so that what is left behind shows.
    private func files(_ directory: TemporaryDirectory) async throws -> String {
        try await CommandRunner.run(["find", directory.path("images"), "-type", "f", "-printf", "%P %s\n"]).text
    }

    @Test func `an image is pulled, listed and read from the store`() async throws {
        let (image, directory) = (image, try TemporaryDirectory("store"))
        let store = try store(directory)
        try await FakeRegistry.serving({ image.answer($0) }) { registry in
            let name = try Reference("\(registry.host)/app:1")
            try await registry.client().using { client in
                let first = try await StorePull(store: store, client: client).run(name, now: Self.now)
                #expect(first.isNew)
                #expect(first.image.id == Digest(of: image.config))
                #expect(first.image.names == [name])
                #expect(first.digest == image.content.digest)
                let again = try await StorePull(store: store, client: client).run(name, now: Self.now)
                #expect(!again.isNew)
            }
            #expect(try store.resolve(name.description).manifest == image.content.digest)
            #expect(registry.requests.filter { $0.path.contains("/blobs/") }.count == 3)
        }
        #expect(try store.collect() == 0)
    }

    @Test func `a local name is pulled from the default registry and keeps its name`() async throws {
        let (image, directory) = (image, try TemporaryDirectory("store"))
        let store = try store(directory)
        try await FakeRegistry.serving({ image.answer($0) }) { registry in
            try await registry.client().using { client in
                let none = await failure {
                    _ = try await StorePull(store: store, client: client).run(try Reference("app:1"), now: Self.now)
                }
                #expect(none?.kind == .badRequest)
                #expect(none?.message.contains("--registry") == true)
                #expect(registry.requests.isEmpty)
                let pull = StorePull(store: store, client: client, defaultRegistry: registry.host)
                let pulled = try await pull.run(try Reference("app:1"), now: Self.now)
                #expect(pulled.name.description == "app:1")
            }
        }
        #expect(try store.resolve("app:1").manifest == image.content.digest)
    }

    @Test func `a pull that fails leaves the store as it was`() async throws {
        let directory = try TemporaryDirectory("store")
        let store = try store(directory)
        let (old, new) = (image, Self.image(layers: [[7], [8], [9]]))
        let missing = Digest(of: new.layers[2]).description
        let current = Current(old)
        try await FakeRegistry.serving({ request in
            request.path.hasSuffix(missing) ? FakeAnswer(status: 404) : current.image.answer(request)
        }) { registry in
            let name = try Reference("\(registry.host)/app:1")
            try await registry.client().using { client in
                _ = try await StorePull(store: store, client: client).run(name, now: Self.now)
                let before = try await files(directory)
                current.image = new
                let found = await failure {
                    _ = try await StorePull(store: store, client: client).run(name, now: Self.now)
                }
                #expect(found?.kind == .notFound)
                #expect(try await files(directory) == before)
                #expect(try store.resolve(name.description).manifest == old.content.digest)
            }
        }
    }

    @Test func `a name keeps its image until the new one is whole`() async throws {
        let directory = try TemporaryDirectory("store")
        let store = try store(directory)
        let (old, new) = (image, Self.image(layers: [[7], [8], [9]]))
        let current = Current(old)
        try await FakeRegistry.serving({ current.image.answer($0) }) { registry in
            let name = try Reference("\(registry.host)/app:1")
            try await registry.client().using { client in
                _ = try await StorePull(store: store, client: client).run(name, now: Self.now)
                let before = try await files(directory)
                current.image = new
                let broken = StorePull(
                    store: store, client: client,
                    prepare: { manifest throws(ImageFailure) in
                        // Whole, and not listed yet.
                        #expect(manifest.bytes == new.manifest)
                        #expect(store.images.map(\.manifest) == [old.content.digest])
                        #expect((try? store.resolve(name.description))?.manifest == old.content.digest)
                        throw .unusable("a layer cannot be unpacked")
                    })
                let found = await failure { _ = try await broken.run(name, now: Self.now) }
                #expect(found?.kind == .untrustworthy)
                #expect(store.images.map(\.manifest) == [old.content.digest])
                #expect(try await files(directory) == before)
                let good = try await StorePull(store: store, client: client).run(name, now: Self.now)
                #expect(good.isNew)
                #expect(try store.resolve(name.description).manifest == new.content.digest)
            }
        }
    }

    @Test func `an image is pulled by its digest, and what comes is that`() async throws {
        let (image, directory) = (image, try TemporaryDirectory("store"))
        let store = try store(directory)
        try await FakeRegistry.serving({ image.answer($0) }) { registry in
            let name = try Reference("\(registry.host)/app@\(image.content.digest)")
            let tagged = try Reference("\(registry.host)/app:nonsense@\(image.content.digest)")
            try await registry.client().using { client in
                let pull = StorePull(store: store, client: client)
                for wanted in [name, tagged] {
                    let pulled = try await pull.run(wanted, now: Self.now)
                    #expect(pulled.name == name)
                }
            }
            #expect(try store.resolve(name.description).names == [name])
        }
    }

    @Test func `an image of another platform than the one asked for is refused`() async throws {
        let directory = try TemporaryDirectory("store")
        let store = try store(directory)
        let image = Self.image(layers: [[1], [2]], platform: "linux/s390x")
        try await FakeRegistry.serving({ image.answer($0) }) { registry in
            let name = try Reference("\(registry.host)/app:1")
            try await registry.client().using { client in
                let pull = StorePull(store: store, client: client)
                let found = await failure {
                    _ = try await pull.run(name, platform: Platform("linux/arm64"), now: Self.now)
                }
                #expect(found?.kind == .notFound)
                #expect(found?.message.contains("it is there for linux/s390x") == true, "\(found?.message ?? "")")
                #expect(registry.requests.count == 2)
                let right = try await pull.run(name, platform: Platform("linux/s390x"), now: Self.now)
                #expect(right.isNew)
            }
        }
    }

    @Test func `a platform is chosen from an index, and the index is kept`() async throws {
        let directory = try TemporaryDirectory("store")
        let store = try store(directory)
        let platforms = ["linux/amd64", "linux/arm64", "linux/arm/v7"]
        let images = platforms.map { Self.image(layers: [Array($0.utf8)], platform: $0) }
        let index = Index(
            manifests: zip(platforms, images).map { platform, image in
                var entry = image.content
                entry.platform = Platform(platform)
                return entry
            })
        try await FakeRegistry.serving({ request in
            if request.path.hasSuffix("/manifests/1") {
                return FakeAnswer(headers: [("Content-Type", MediaType.index)], body: index.bytes)
            }
            return images.lazy.map { $0.answer(request) }.first { $0.status == 200 } ?? FakeAnswer(status: 404)
        }) { registry in
            let name = try Reference("\(registry.host)/app:1")
            try await registry.client().using { client in
                for (platform, image) in zip(platforms, images) {
                    let pull = StorePull(store: store, client: client)
                    let outcome = try await pull.run(name, platform: Platform(platform), now: Self.now)
                    #expect(outcome.image.manifest == image.content.digest)
                    #expect(outcome.image.index == Digest(of: index.bytes))
                    #expect(outcome.digest == Digest(of: index.bytes))
                }
                let found = await failure {
                    let pull = StorePull(store: store, client: client)
                    _ = try await pull.run(name, platform: Platform("linux/riscv64"), now: Self.now)
                }
                #expect(found?.message.contains("linux/amd64, linux/arm/v7, linux/arm64") == true)
            }
        }
    }

    @Test func `a pull that is taken back leaves the store as it was`() async throws {
        let directory = try TemporaryDirectory("store")
        let store = try store(directory)
        let image = Self.image(layers: [[1], [UInt8](repeating: 7, count: 100_000), [3]])
        let large = Digest(of: image.layers[1]).description
        try await FakeRegistry.serving({ request in
            guard request.path.hasSuffix(large) else { return image.answer(request) }
            return FakeAnswer(body: Array(image.layers[1][..<70_000]), announced: 100_000, then: .hang)
        }) { registry in
            let name = try Reference("\(registry.host)/app:1")
            try await registry.client().using { client in
                let before = try await files(directory)
                let pull = Task { try await StorePull(store: store, client: client).run(name, now: Self.now) }
                try await eventually("the last layer is asked for") {
                    registry.requests.contains { $0.path.hasSuffix(large) }
                }
                pull.cancel()
                let found = await failure { _ = try await pull.value }
                #expect(found?.kind == .cancelled, "\(found?.message ?? "")")
                #expect(try await files(directory) == before)
                #expect(store.images.isEmpty)
            }
        }
    }

    @Test(.enabled(if: isRoot)) func `a full disk in the middle of a pull leaves the store as it was`() async throws {
        try await SmallDisk.with("2m") { try await pullOnto(fullDisk: $0) }
    }

    private func pullOnto(fullDisk: String) async throws {
        let store = try ImageStore(directory: fullDisk + "/images")
        var chance = SeededChance(seed: 1)
        let large = (0..<3_000_000).map { _ in UInt8.random(in: 0...255, using: &chance) }
        let (small, big) = (image, Self.image(layers: [[4], large, [5]]))
        let current = Current(small)
        try await FakeRegistry.serving({ current.image.answer($0) }) { registry in
            let name = try Reference("\(registry.host)/app:1")
            try await registry.client().using { client in
                _ = try await StorePull(store: store, client: client).run(name, now: Self.now)
                let before = try await CommandRunner.run(["find", fullDisk, "-type", "f"]).text
                current.image = big
                let found = await failure {
                    _ = try await StorePull(store: store, client: client).run(name, now: Self.now)
                }
                #expect(found?.kind == .storage)
                #expect(found?.message.contains("No space left") == true, "\(found?.message ?? "")")
                #expect(try await CommandRunner.run(["find", fullDisk, "-type", "f"]).text == before)
                current.image = Self.image(layers: [[6], [7]])
                #expect(try await StorePull(store: store, client: client).run(name, now: Self.now).isNew)
            }
        }
    }
}

/// The image that a registry has just now.
private final class Current: Sendable {
    private let value: Mutex<RemoteImage>
    init(_ image: RemoteImage) { value = Mutex(image) }
    var image: RemoteImage {
        get { value.withLock { $0 } }
        set { value.withLock { $0 = newValue } }
    }
}
