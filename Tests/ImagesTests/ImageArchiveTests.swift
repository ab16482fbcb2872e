import Glibc
import Images
import JSON
import Linux
import OCI
import Synchronization
import TestKit
import Testing

@Suite(.enabled(if: isRoot)) struct ImageArchiveTests {
    @Test(arguments: ArchiveFormat.allCases)
    func `what is saved is loaded, with its id, names and files`(format: ArchiveFormat) async throws {
        let from = try LayeredStore()
        let image = try from.image([.init { $0.file("a", "low") }, .init { $0.file("b", "high") }], "team/app:1")
        let archive = try await from.saved([SavedImage(image, names: image.names)], format)
        let to = try LayeredStore()
        let loaded = try await to.load(archive)
        #expect(loaded.map(\.image.id) == [image.id])
        #expect(loaded.flatMap(\.names).map(\.description) == ["team/app:1"])
        let stored = try to.store.resolve("team/app:1")
        // A docker-archive has no manifests; one is made for it.
        if format != .docker { #expect(stored.manifest == image.manifest) }
        #expect(try await to.store.unpacked(stored).layers.map { try Files.list($0) } == [["b"], ["a"]])
        // Everything that came is the image's: nothing is left for a collection.
        #expect(try to.store.collect() == 0)
    }

    @Test func `the same images give the same archive`() async throws {
        let from = try LayeredStore()
        let image = try from.image([.init { $0.file("a") }], "app")
        let saved = SavedImage(image, names: image.names)
        #expect(try Files.read(try await from.saved([saved])) == Files.read(try await from.saved([saved])))
    }

    @Test func `an archive of several images, one with two names and one without, keeps them`() async throws {
        let from = try LayeredStore()
        let one = try from.image([.init { $0.file("a") }], "one")
        try from.store.tag(one, as: try Reference("second:2"))
        let two = try from.image([.init { $0.file("a") }, .init { $0.file("b") }], "two")
        let archive = try await from.saved([
            SavedImage(one, names: try from.store.resolve("one").names), SavedImage(two, names: []),
        ])
        let to = try LayeredStore()
        #expect(try await to.load(archive).map(\.names.count) == [2, 0])
        #expect(to.store.images.map(\.names.count).sorted() == [0, 2])
        #expect(try to.store.resolve("second:2").manifest == one.manifest)
    }

    @Test func `an archive may be compressed and come through a pipe`() async throws {
        let from = try LayeredStore()
        let image = try from.image([.init { $0.file("a") }], "app")
        let archive = try await from.saved([SavedImage(image, names: image.names)])
        for tool in ["gzip", "zstd"] {
            guard CommandRunner.find(tool) != nil else { continue }
            let packed = try await CommandRunner.run([tool, "-c", archive]).output
            let to = try LayeredStore()
            let pipe = Mutex<(reader: SharedFD, writer: SharedFD)?>(try Files.pipe().ends())
            let reader = pipe.withLock { $0!.reader }
            async let loading = to.store.load(reader, now: Timestamp(nanoseconds: 0))
            // The end of the archive is that nobody can write to the pipe any more.
            try HelperThread.start("writer") {
                guard let writer = pipe.withLock({ $0.take()?.writer }) else { return }
                try? Files.writeAll(packed, to: writer.raw)
                withExtendedLifetime(writer) {}
            }
            #expect(try await loading.map(\.image.manifest) == [image.manifest])
        }
    }

    @Test func `loading is given up when its task is cancelled, and leaves nothing`() async throws {
        let to = try LayeredStore()
        let pipe = try Files.pipe().ends()
        let store = to.store
        let reader = pipe.reader
        let task = Task { try await store.load(reader, now: Timestamp(nanoseconds: 0)) }
        // Nothing ever comes, and the end neither.
        task.cancel()
        let result = await task.result
        #expect(throws: ImageFailure.self) { try result.get() }
        #expect(to.store.images.isEmpty)
        withExtendedLifetime(pipe) {}
    }

    @Test func `an index in an archive is resolved for this machine, and kept`() async throws {
        let from = try LayeredStore()
        let image = try from.image([.init { $0.file("a") }], "app")
        let manifest = try from.store.manifest(of: image)
        let own = Descriptor(
            mediaType: manifest.mediaType, digest: image.manifest, size: manifest.bytes.count, platform: .ofThisMachine)
        let stranger = Descriptor(
            mediaType: manifest.mediaType, digest: Digest(of: [1]), size: 1, platform: Platform("linux/s390x")!)
        let index = Index(manifests: [stranger, own])
        var archive = TestArchive()
        archive.layout(of: manifest, from.store)
        archive.blob(index.bytes)
        archive.file(
            "index.json",
            String(
                decoding: Index(manifests: [
                    Descriptor(mediaType: index.mediaType, digest: Digest(of: index.bytes), size: index.bytes.count)
                ]).bytes, as: UTF8.self))
        let to = try LayeredStore()
        let loaded = try await to.load(to.file(archive))
        #expect(loaded.map(\.image.index) == [Digest(of: index.bytes)])
        #expect(try to.store.collect() == 0)
    }

    @Test func `links in a docker-archive stand for the layers they lead to`() async throws {
        let layer = TestArchive { $0.file("a") }
        var config = ImageConfig(platform: .ofThisMachine)
        config.diffIDs = [Digest(of: layer.ended), Digest(of: layer.ended)]
        var archive = TestArchive()
        archive.add(TarRecord(name: "one/layer.tar"), layer.ended)
        archive.link("two/layer.tar", to: "../one/layer.tar")
        archive.add(TarRecord(name: "config.json"), config.encoded())
        archive.file("manifest.json", #"[{"Config":"config.json","RepoTags":["a:1"],"Layers":["one/layer.tar","./two/layer.tar"]}]"#)
        let to = try LayeredStore()
        #expect(try await to.load(to.file(archive)).map(\.names.count) == [1])
    }

    @Test func `what is no image archive is refused, and nothing stays`() async throws {
        let layer = TestArchive { $0.file("a") }
        var config = ImageConfig(platform: .ofThisMachine)
        config.diffIDs = [Digest(of: layer.ended)]
        func docker(_ manifest: String, _ fill: (inout TestArchive) -> Void = { _ in }) -> TestArchive {
            TestArchive {
                $0.add(TarRecord(name: "layer.tar"), layer.ended)
                $0.add(TarRecord(name: "config.json"), config.encoded())
                fill(&$0)
                $0.file("manifest.json", manifest)
            }
        }
        let good = #"{"Config":"config.json","RepoTags":["a:1"],"Layers":["layer.tar"]}"#
        let cases: [(TestArchive, String)] = [
            (TestArchive { $0.file("etc/passwd") }, "no image archive"),
            (docker("[]"), "no list of 1 to"), (docker("{"), "not JSON"),
            (docker("[\(good.replacing("layer.tar", with: "other.tar"))]"), "does not hold"),
            (docker("[\(good.replacing("config.json", with: "other.json"))]"), "does not hold"),
            (docker("[\(good.replacing("a:1", with: "A:1"))]"), "no image's name"),
            (docker("[\(good.replacing(#"["layer.tar"]"#, with: "[]"))]"), "lists 0 layers and its config 1"),
            // The first image is whole: still, none of the archive comes.
            (docker("[\(good),\(good.replacing("layer.tar", with: "config.json"))]"), "and the image's config says"),
            (docker("[\(good)]") { $0.add(TarRecord(name: "pipe", kind: .pipe)) }, "files and links only"),
            (docker("[\(good)]") { $0.link("x", to: "../../etc/passwd") }, "leads out of the archive"),
        ]
        for (archive, words) in cases {
            let to = try LayeredStore()
            let before = try to.everything()
            let error = await #expect(throws: ImageFailure.self) { try await to.load(to.file(archive)) }
            #expect(error?.description.contains(words) == true, "\(String(describing: error))")
            #expect(to.store.images.isEmpty)
            #expect(try to.everything() == before, "\(words)")
        }
    }

    @Test func `CVE-2026-20613: an image archive whose names lead out is refused`() async throws {
        for name in ["../x", "/abs", "a/../../x", String(repeating: "n/", count: 2500) + "x"] {
            let to = try LayeredStore()
            let before = try to.everything()
            let archive = TestArchive { $0.file(name) }
            await #expect(throws: ImageFailure.self) { try await to.load(to.file(archive)) }
            #expect(try to.everything() == before)
            #expect(!Files.exists("/abs") && !Files.exists(to.files.path("x")))
        }
    }

    @Test func `CVE-2024-3727: a blob whose path names another digest is refused`() async throws {
        let from = try LayeredStore()
        let image = try from.image([.init { $0.file("a", String(repeating: "text", count: 100_000)) }], "app")
        let manifest = try from.store.manifest(of: image)
        let own = Descriptor(mediaType: manifest.mediaType, digest: image.manifest, size: manifest.bytes.count)
        for isLarge in [false, true] {
            var archive = TestArchive()
            archive.layout(of: manifest, from.store)
            // The same path once more, with other bytes: the last one of a name counts.
            let victim = isLarge ? manifest.layers[0].digest : image.manifest
            let bytes = [UInt8](repeating: 32, count: isLarge ? manifest.layers[0].size : manifest.bytes.count)
            archive.add(TarRecord(name: "blobs/sha256/\(victim.hex)"), bytes)
            archive.file("index.json", String(decoding: Index(manifests: [own]).bytes, as: UTF8.self))
            let to = try LayeredStore()
            let error = await #expect(throws: ImageFailure.self) { try await to.load(to.file(archive)) }
            #expect(error?.description.contains("its bytes are") == true)
            #expect(to.store.images.isEmpty)
        }
    }

    @Test func `CVE-2023-25153: an archive of endless documents is refused in little memory`() async throws {
        let to = try LayeredStore()
        let text = String(repeating: " ", count: 200 << 10)
        let archive = TestArchive { archive in
            for number in 0..<400 { archive.file("\(number).json", text) }
            archive.file("index.json", String(repeating: "[", count: 5 << 20))
        }
        let path = try to.file(archive)
        let before = CurrentProcess.residentBytes()
        let error = await #expect(throws: ImageFailure.self) { try await to.load(path) }
        #expect(error?.description.contains("at most") == true)
        #expect(CurrentProcess.residentBytes() - before < 64 << 20)
        #expect(try Files.list(to.store.directory + "/incoming") == [])
    }

    @Test func `CVE-2021-41190: an archive whose document is both index and manifest is refused`() async throws {
        let to = try LayeredStore()
        let both = Array(#"{"schemaVersion":2,"manifests":[],"layers":[],"config":{}}"#.utf8)
        let archive = TestArchive {
            $0.blob(both)
            $0.file(
                "index.json",
                String(
                    decoding: Index(manifests: [
                        Descriptor(mediaType: MediaType.manifest, digest: Digest(of: both), size: both.count)
                    ]).bytes, as: UTF8.self))
        }
        let error = await #expect(throws: ImageFailure.self) { try await to.load(to.file(archive)) }
        #expect(error?.description.contains("ambiguous") == true)
    }
}

extension TestArchive {
    /// A blob of an OCI layout.
    mutating func blob(_ bytes: [UInt8]) { add(TarRecord(name: "blobs/sha256/\(Digest(of: bytes).hex)"), bytes) }

    /// The parts of an image as an OCI layout, without its table of contents.
    mutating func layout(of manifest: Manifest, _ store: ImageStore) {
        file("oci-layout", #"{"imageLayoutVersion":"1.0.0"}"#)
        blob(manifest.bytes)
        for part in [manifest.config] + manifest.layers {
            if let bytes = try? store.read(blob: part.digest, limit: part.size) { blob(bytes) }
        }
    }
}

extension LayeredStore {
    /// The path of an archive of these images.
    func saved(_ images: [SavedImage], _ format: ArchiveFormat = .both) async throws -> String {
        let path = files.path("saved-\(UInt32.random(in: .min ... .max)).tar")
        let file = SharedFD(try Files.open(path, O_WRONLY | O_CREAT | O_EXCL))
        try await store.save(images, format: format, to: file)
        return path
    }

    /// The archive as a file.
    func file(_ archive: TestArchive) throws -> String {
        let path = files.path("archive.tar")
        try Files.replace(path, with: archive.ended)
        return path
    }

    func load(_ path: String) async throws(ImageFailure) -> [LoadedImage] {
        let file: SharedFD
        do throws(SystemError) { file = SharedFD(try Files.open(path, O_RDONLY)) } catch { throw .system(error) }
        return try await store.load(file, now: Timestamp(nanoseconds: 0))
    }

    /// Every file of the store.
    func everything() throws -> [String] {
        try CommandRunner.runBlocking(["find", store.directory, "-printf", "%P %y %s\n"]).text.split(separator: "\n")
            .map(String.init).filter { !$0.contains(" d ") }.sorted()
    }
}
