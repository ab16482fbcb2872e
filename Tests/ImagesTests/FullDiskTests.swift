import Glibc
import Images
import Linux
import OCI
import TestKit
import Testing

/// A disk of a few megabytes that runs full: a sentence that says so, and a store that is as it was and goes on.
@Suite(.serialized, .enabled(if: isRoot)) struct FullDiskTests {
    @Test func `a disk that is full in the middle of a load leaves the store as it was`() async throws {
        try await SmallDisk.with(megabytes: 4) { disk in
            let store = try ImageStore(directory: disk.path("images"))
            let first = try TestImages.small(in: store, "first")
            let before = try disk.everything()
            // The first does not fit as a blob, the second does, and then not unpacked.
            for megabytes in [6, 3] {
                let archive = try TestImages.archive(megabytes: megabytes, in: disk.outside)
                let error = await #expect(throws: ImageFailure.self) {
                    try await store.load(SharedFD(try Files.open(archive, O_RDONLY)), now: Timestamp(nanoseconds: 1))
                }
                #expect(error.map(SmallDisk.saysFull) == true, "\(String(describing: error))")
                #expect(store.images.map(\.id) == [first.id])
                #expect(try disk.everything() == before)
            }
            #expect(try await store.unpacked(first).layers.count == 1)
            _ = try TestImages.small(in: store, "after")
        }
    }

    @Test func `a disk that is full while a blob comes, as in a pull, keeps nothing of it`() async throws {
        try await SmallDisk.with(megabytes: 2) { disk in
            let store = try ImageStore(directory: disk.path("images"))
            let lease = store.lease(for: "a pull")
            let error = #expect(throws: ImageFailure.self) {
                let writer = try store.blobWriter(expected: nil, size: 8 << 20, lease: lease)
                for _ in 0..<8 { try writer.write([UInt8](repeating: 7, count: 1 << 20)) }
            }
            #expect(error.map(SmallDisk.saysFull) == true)
            #expect(try Files.list(disk.path("images/incoming")) == [])
            _ = try TestImages.small(in: store, "after")
        }
    }

    @Test func `a disk that is full while a layer is made, as in a commit or build, makes no image`() async throws {
        try await SmallDisk.with(megabytes: 2) { disk in
            let store = try ImageStore(directory: disk.path("images"))
            let base = try TestImages.small(in: store, "base")
            let before = try disk.everything()
            let upper = try TestImages.tree(megabytes: 6, in: disk.outside)
            let config = try store.config(of: base)
            let error = await #expect(throws: ImageFailure.self) {
                try await store.commit(
                    SharedFD(try Files.open(upper, O_RDONLY | O_DIRECTORY)), on: base, config: config,
                    names: [try Reference("made")], now: Timestamp(nanoseconds: 1))
            }
            #expect(error.map(SmallDisk.saysFull) == true, "\(String(describing: error))")
            #expect(store.images.map(\.id) == [base.id])
            #expect(try disk.everything() == before)
        }
    }

    @Test func `a disk that is full when a name is given leaves the names as they were`() async throws {
        try await SmallDisk.with(megabytes: 1) { disk in
            let store = try ImageStore(directory: disk.path("images"))
            let image = try TestImages.small(in: store, "app")
            try disk.fill()
            #expect(throws: ImageFailure.self) { try store.tag(image, as: try Reference("other")) }
            #expect(store.images.flatMap(\.names).map(\.description) == ["app:latest"])
            #expect(try ImageBooksOnDisk.names(disk.path("images")) == ["app:latest"])
            try disk.empty()
            try store.tag(image, as: try Reference("other"))
            #expect(try ImageBooksOnDisk.names(disk.path("images")).count == 2)
        }
    }
}

/// A tmpfs of a test's own.
private struct SmallDisk {
    let directory: TemporaryDirectory
    /// Beside it, where there is room.
    var outside: String { directory.path }

    func path(_ name: String) -> String { directory.path("disk/" + name) }

    static func with(megabytes: Int, _ body: (SmallDisk) async throws -> Void) async throws {
        let disk = SmallDisk(directory: try TemporaryDirectory("disk"))
        try Files.makeDirectory(disk.directory.path("disk"))
        let place = disk.directory.path("disk")
        let mounted = try await CommandRunner.run(["mount", "-t", "tmpfs", "-o", "size=\(megabytes)m", "forkless-test", place])
        try #require(mounted.status.isSuccess, "\(mounted.errorText)")
        var problem: (any Error)?
        do { try await body(disk) } catch { problem = error }
        // A thread that reads ahead, or has handed over what it did, lets go of its file a moment later.
        try await eventually("nobody has a file of the disk open") {
            try await CommandRunner.run(["umount", place]).status.isSuccess
        }
        if let problem { throw problem }
    }

    static func saysFull(_ failure: ImageFailure) -> Bool {
        guard case .system(let error) = failure else { return false }
        return error.code == Errno(ENOSPC) && failure.description.contains("No space left")
    }

    /// Every file of the store.
    func everything() throws -> [String] {
        try CommandRunner.runBlocking(["find", path("images"), "-printf", "%y %P\n"]).text.split(separator: "\n")
            .map(String.init).sorted()
    }

    func fill() throws {
        let file = try Files.open(path("filler"), O_WRONLY | O_CREAT)
        let bytes = [UInt8](repeating: 1, count: 4096)
        while (try? Files.writeAll(bytes, to: file.raw)) != nil {}
    }

    func empty() throws { try Files.remove(path("filler")) }
}

private enum ImageBooksOnDisk {
    static func names(_ directory: String) throws -> [String] {
        let again = try ImageStore(directory: directory)
        return again.images.flatMap(\.names).map(\.description).sorted()
    }
}

private enum TestImages {
    static func small(in store: ImageStore, _ name: String) throws -> StoredImage {
        let layer = TestArchive { $0.file("a", name) }.ended
        let lease = store.lease(for: "making \(name)")
        defer { lease.end() }
        var config = ImageConfig(platform: .ofThisMachine)
        config.diffIDs = [Digest(of: layer)]
        let bytes = config.encoded()
        let manifest = Manifest(
            config: Descriptor(
                mediaType: MediaType.config, digest: try store.put(bytes, lease: lease), size: bytes.count),
            layers: [
                Descriptor(mediaType: MediaType.layer, digest: try store.put(layer, lease: lease), size: layer.count)
            ])
        return try store.add(manifest, names: [try Reference(name)], now: Timestamp(nanoseconds: 0), lease: lease)
    }

    /// A docker-archive with a layer of so many megabytes.
    static func archive(megabytes: Int, in directory: String) throws -> String {
        let layer = TestArchive { $0.add(TarRecord(name: "big"), content(megabytes)) }.ended
        var config = ImageConfig(platform: .ofThisMachine)
        config.diffIDs = [Digest(of: layer)]
        let archive = TestArchive {
            $0.add(TarRecord(name: "layer.tar"), layer)
            $0.add(TarRecord(name: "config.json"), config.encoded())
            $0.file("manifest.json", #"[{"Config":"config.json","RepoTags":["big:1"],"Layers":["layer.tar"]}]"#)
        }
        let path = directory + "/big.tar"
        try Files.replace(path, with: archive.ended)
        return path
    }

    static func tree(megabytes: Int, in directory: String) throws -> String {
        let path = directory + "/upper"
        try Files.makeDirectory(path)
        try Files.replace(path + "/big", with: content(megabytes))
        return path
    }

    /// Bytes that gzip makes no smaller.
    private static func content(_ megabytes: Int) -> [UInt8] {
        var chance = SeededChance(seed: 1)
        return (0..<(megabytes << 17)).flatMap { _ in
            withUnsafeBytes(of: UInt64.random(in: .min ... .max, using: &chance)) { Array($0) }
        }
    }
}
