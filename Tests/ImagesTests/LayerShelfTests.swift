import Glibc
import Images
import Linux
import OCI
import Synchronization
import TestKit
import Testing

@Suite(.enabled(if: isRoot)) struct LayerShelfTests {
    @Test func `layers become directories, the topmost first, and stay unpacked over a restart`() async throws {
        let test = try LayeredStore()
        let image = try test.image([.init { $0.file("etc/a", "one") }, .init { $0.file("etc/b", "two") }], "app")
        let unpacked = try await test.store.unpacked(image)
        #expect(unpacked.id == image.id)
        #expect(try unpacked.layers.map { try Files.list($0 + "/etc") } == [["b"], ["a"]])
        let again = try ImageStore(directory: test.store.directory, unpacking: test.counter)
        #expect(try await again.unpacked(try again.resolve("app")) == unpacked)
        #expect(test.counter.count == 2)
        #expect(try again.layerNotes(of: image).map { $0?.fileBytes } == [3, 3])
    }

    @Test func `many requests at the same time unpack a layer once`() async throws {
        let test = try LayeredStore()
        let image = try test.image([.init { $0.file("a") }, .init { $0.file("b") }], "one")
        let other = try test.image([.init { $0.file("a") }, .init { $0.file("c") }], "two")
        let results = await withTaskGroup(of: UnpackedImage?.self) { group in
            for number in 0..<40 { group.addTask { try? await test.store.unpacked(number % 2 == 0 ? image : other) } }
            return await group.reduce(into: [UnpackedImage?]()) { $0.append($1) }
        }
        #expect(!results.contains(nil))
        #expect(Set(results.compactMap { $0?.layers.last }).count == 1)
        // The lowest layer is shared, each image has one more.
        #expect(test.counter.count == 3)
    }

    @Test func `what was half done is gone when the store is opened, and what was done stays`() async throws {
        let test = try LayeredStore()
        let image = try test.image([.init { $0.file("a") }, .init { $0.file("b") }], "one")
        let unpacked = try await test.store.unpacked(image)
        let layers = test.store.directory + "/layers"
        try Files.makeDirectories(layers + "/incoming/9/tree/deep")
        // A layer whose name came to the disk and whose record did not: no such order of writes is made here.
        try Files.remove(String(unpacked.layers[0].dropLast(4)) + "done")
        let again = try ImageStore(directory: test.store.directory, unpacking: test.counter)
        #expect(try Files.list(layers + "/incoming") == [])
        #expect(try Files.list(layers).count == 2)
        #expect(try await again.unpacked(image) == unpacked)
        #expect(test.counter.count == 3)
    }

    @Test func `a layer that is not what the config says is refused, leaves nothing, and is tried again`() async throws {
        let test = try LayeredStore()
        let image = try test.image([.init { $0.file("a") }], "one", lies: true)
        for _ in 0..<2 {
            let error = await #expect(throws: ImageFailure.self) { try await test.store.unpacked(image) }
            #expect(error?.description.contains("and the image's config says") == true)
        }
        #expect(test.counter.count == 2)
        #expect(try Files.list(test.store.directory + "/layers") == ["incoming"])
        #expect(try Files.list(test.store.directory + "/layers/incoming") == [])
    }

    @Test func `a blob that changed on the disk is refused`() async throws {
        let test = try LayeredStore()
        let image = try test.image([.init { $0.file("a", "text") }], "one")
        let layer = try test.store.manifest(of: image).layers[0].digest
        let path = "\(test.store.directory)/blobs/sha256/\(layer.hex)"
        var bytes = try Files.read(path)
        bytes[513] ^= 1
        try Files.replace(path, with: bytes)
        let error = await #expect(throws: ImageFailure.self) { try await test.store.unpacked(image) }
        #expect(error?.description.contains("its bytes are") == true)
    }

    @Test func `layers below one that hides them are left out`() async throws {
        let test = try LayeredStore()
        let image = try test.image(
            [.init { $0.file("a") }, .init { $0.file(".wh..wh..opq", ""); $0.file("b") }, .init { $0.file("c") }], "one")
        #expect(try await test.store.unpacked(image).layers.map { try Files.list($0) } == [["c"], ["b"]])
    }

    @Test func `more layers than the kernel stacks are refused with what to do`() async throws {
        let test = try LayeredStore()
        let archive = TestArchive { $0.file("a") }
        let most = try test.image([TestArchive](repeating: archive, count: LayerStack.limit), "most")
        let stack = try await test.store.unpacked(most)
        #expect(stack.layers.count == LayerStack.limit)
        _ = try LayerStack.readOnly(stack.layers, empty: test.store.emptyDirectory)
        let tooMany = try test.image([TestArchive](repeating: archive, count: LayerStack.limit + 1), "many")
        let error = await #expect(throws: ImageFailure.self) { try await test.store.unpacked(tooMany) }
        #expect(error?.description.contains("at most 498") == true)
    }

    @Test func `a collection takes the layers that no image needs, and none that is held`() async throws {
        let test = try LayeredStore()
        let one = try test.image([.init { $0.file("a") }, .init { $0.file("b") }], "one")
        let two = try test.image([.init { $0.file("a") }, .init { $0.file("c") }], "two")
        let kept = try await test.store.unpacked(one).layers
        let gone = try await test.store.unpacked(two).layers
        #expect(try test.store.remove("two").freedBytes > 0)
        #expect(kept.allSatisfy { Files.exists($0) })
        #expect(!Files.exists(gone[0]))
        let lease = test.store.lease(for: "container web")
        try test.store.hold(one, by: lease)
        try test.store.remove("one", force: true)
        #expect(kept.allSatisfy { Files.exists($0) })
        lease.end()
        _ = try test.store.prune(all: false)
        #expect(try Files.list(test.store.directory + "/layers") == ["incoming"])
    }
}

@Suite(.enabled(if: isRoot)) struct LayerStackTests {
    @Test func `a stack shows the topmost of each name, is read-only, and leaves no mount`() async throws {
        let before = await Census.take(Census.Scope(only: [.mount, .descriptor]))
        do {
            let test = try LayeredStore()
            let image = try test.image(
                [.init { $0.file("a", "low"); $0.file("b", "gone") }, .init { $0.file("a", "high"); $0.file(".wh.b", "") }],
                "one")
            let layers = try await test.store.unpacked(image).layers
            let stack = try LayerStack.readOnly(layers, empty: test.store.emptyDirectory)
            #expect(try Files.list(".", at: stack.raw).sorted() == ["a"])
            #expect(try Files.readText("a", at: stack.raw) == "high")
            #expect(throws: SystemError.self) { _ = try Files.open("new", O_WRONLY | O_CREAT, at: stack.raw) }
            let single = SharedFD(try LayerStack.readOnly([layers[1]], empty: test.store.emptyDirectory))
            #expect(try Files.list(".", at: single.raw).count == 2)
            let none = SharedFD(try LayerStack.readOnly([], empty: test.store.emptyDirectory))
            #expect(try Files.list(".", at: none.raw) == [])
            withExtendedLifetime((single, none)) {}
        }
        #expect(await Census.settled(since: before) == [])
    }

    @Test func `what is written to a stack goes to its upper directory`() async throws {
        let test = try LayeredStore()
        let image = try test.image([.init { $0.file("a", "low") }], "one")
        let layers = try await test.store.unpacked(image).layers
        for name in ["upper", "work"] { try Files.makeDirectory(test.files.path(name)) }
        let stack = try LayerStack.writable(
            layers, upper: test.files.path("upper"), work: test.files.path("work"), empty: test.store.emptyDirectory)
        let file = try Files.open("new", O_WRONLY | O_CREAT, at: stack.raw)
        try Files.writeAll(Array("text".utf8), to: file.raw)
        #expect(try Files.readText(test.files.path("upper/new")) == "text")
        #expect(try Files.list(layers[0]) == ["a"])
    }
}

/// A store whose images are made of real archives, and that counts what it unpacks.
final class LayeredStore: Sendable {
    let files: TemporaryDirectory
    let store: ImageStore
    let counter = Counter()

    final class Counter: LayerUnpacking {
        private let total = Atomic(0)
        var count: Int { total.load(ordering: .relaxed) }

        func unpack(_ blob: SharedFD, into tree: SharedFD) async throws(ImageFailure) -> UnpackedLayer {
            total.add(1, ordering: .relaxed)
            return try await OverlayUnpacking().unpack(blob, into: tree)
        }
    }

    init() throws {
        files = try TemporaryDirectory("layers")
        store = try ImageStore(directory: files.path("images"), unpacking: counter)
    }

    /// An image of these layers, the lowest first; one that lies has a wrong diff id for its first layer.
    func image(_ layers: [TestArchive], _ name: String, lies: Bool = false) throws -> StoredImage {
        let lease = store.lease(for: "making \(name)")
        defer { lease.end() }
        var config = ImageConfig(platform: .ofThisMachine)
        config.diffIDs = layers.map { Digest(of: $0.ended) }
        if lies { config.diffIDs[0] = Digest(of: Array("something else".utf8)) }
        let bytes = config.encoded()
        let manifest = Manifest(
            config: Descriptor(
                mediaType: MediaType.config, digest: try store.put(bytes, lease: lease), size: bytes.count),
            layers: try layers.map {
                Descriptor(
                    mediaType: MediaType.layer, digest: try store.put($0.ended, lease: lease), size: $0.ended.count)
            })
        return try store.add(
            manifest, names: [try Reference(name)], now: Timestamp(nanoseconds: 0), lease: lease)
    }
}
