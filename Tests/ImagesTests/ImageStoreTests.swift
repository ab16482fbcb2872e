import Images
import Linux
import OCI
import TestKit
import Testing

@Suite struct ImageStoreTests {
    @Test func `an image is found by name, digest, id and the beginning of one, also after a restart`() throws {
        let test = try TestStore()
        let image = try test.image("one", "team/app", "h.example/app:2")
        #expect(image.names.map(\.description) == ["h.example/app:2", "team/app:latest"])
        for store in [test.store, try test.reopened()] {
            let texts = [
                "team/app", "team/app:latest", "h.example/app:2", "\(image.id)", "\(image.manifest)", image.id.hex,
                image.id.short, image.manifest.short, "team/app@\(image.manifest)",
            ]
            for text in texts { #expect(try store.resolve(text) == image) }
            #expect(store.images == [image])
            #expect(failure { _ = try store.resolve("team/app:1") }?.contains("no image \"team/app:1\"") == true)
            #expect(failure { _ = try store.resolve("other@\(image.manifest)") }?.contains("no image") == true)
            #expect(failure { _ = try store.resolve("../x") }?.contains("no image's name") == true)
            #expect(failure { _ = try store.resolve("") } != nil)
        }
    }

    @Test func `the latest image is listed first`() throws {
        let test = try TestStore()
        try test.image("one", "one", at: 1)
        try test.image("two", "two", at: 2)
        #expect(test.store.images.flatMap(\.names).map(\.path) == ["two", "one"])
    }

    @Test func `the beginning of two ids is ambiguous`() throws {
        let test = try TestStore()
        // Seventeen ids over sixteen first digits: two begin alike.
        var first: [Character: String] = [:]
        var shared: Character?
        for number in 0..<17 {
            let digit = try test.image("\(number)").id.hex.first!
            if first.updateValue("", forKey: digit) != nil { shared = digit }
        }
        let text = String(try #require(shared))
        #expect(failure { _ = try test.store.resolve(text) }?.contains("Write more digits") == true)
    }

    @Test func `an image without its layer, or with another number of layers, is not listed`() throws {
        let test = try TestStore()
        let whole = try test.manifest("one")
        let stranger = Descriptor(mediaType: MediaType.layer, digest: Digest(of: [9]), size: 1)
        var broken = [Manifest(config: whole.config, layers: [stranger]), Manifest(config: whole.config, layers: [])]
        broken.append(Manifest(config: whole.config, layers: whole.layers + whole.layers))
        var short = whole.layers[0]
        short.size += 1
        broken.append(Manifest(config: whole.config, layers: [short]))
        for manifest in broken {
            #expect(throws: ImageFailure.self) {
                try test.store.add(manifest, names: [], now: Timestamp(nanoseconds: 0), lease: test.lease)
            }
        }
        #expect(test.store.images.isEmpty)
    }

    @Test func `a name that moves leaves the first image without it`() throws {
        let test = try TestStore()
        let one = try test.image("one", "app")
        let two = try test.image("two", "app")
        #expect(try test.store.resolve("app") == two)
        #expect(try test.store.resolve(one.id.hex).names.isEmpty)
        try test.store.tag(one, as: try Reference("app"))
        #expect(try test.store.resolve("app").id == one.id)
        let digested = try Reference("app@\(one.manifest)")
        #expect(throws: ImageFailure.self) { try test.store.tag(one, as: digested) }
    }

    @Test func `the last name takes the image and its blobs along, a shared blob stays`() throws {
        let test = try TestStore()
        let empty = try test.everything()
        let one = try test.image("one", "app", "other")
        let whole = try test.everything()
        #expect(try test.store.remove("app").untagged.map(\.description) == ["app:latest"])
        #expect(try test.everything() == whole)
        let removal = try test.store.remove("other")
        #expect(removal.deleted == [one.id])
        #expect(removal.freedBytes > one.size)
        #expect(test.store.images.isEmpty)
        #expect(try test.everything().filter { !$0.contains("images.json") } == empty)
        #expect(try test.reopened().images.isEmpty)
    }

    @Test func `two images that share a layer keep it until the last is gone`() throws {
        let test = try TestStore()
        let one = try test.image("shared", "one")
        let manifest = try test.store.manifest(of: one)
        let lease = test.store.lease(for: "the second")
        let second = Manifest(config: manifest.config, layers: manifest.layers, annotations: ["second": "1"])
        let two = try test.store.add(
            second, names: [try Reference("two")], now: Timestamp(nanoseconds: 1), lease: lease)
        lease.end()
        #expect(two.id == one.id)
        try test.store.remove("one")
        #expect(try test.store.read(blob: manifest.layers[0].digest, limit: 10) == Array("shared".utf8))
        try test.store.remove("two")
        #expect(throws: ImageFailure.self) { _ = try test.store.open(blob: manifest.layers[0].digest) }
    }

    @Test func `an image that something holds is refused, with force only its names go`() throws {
        let test = try TestStore()
        let image = try test.image("one", "app")
        let lease = test.store.lease(for: "container web")
        try test.store.hold(image, by: lease)
        #expect(failure { _ = try test.store.remove("app") }?.contains("used by container web") == true)
        #expect(try test.store.resolve("app") == image)
        #expect(try test.store.remove("app", force: true).deleted.isEmpty)
        #expect(try test.store.prune(all: true).deleted.isEmpty)
        #expect(try test.store.manifest(of: image).layers.count == 1)
        lease.end()
        #expect(try test.store.prune(all: false).deleted == [image.id])
        #expect(throws: ImageFailure.self) { try test.store.hold(image, by: test.lease) }
    }

    @Test func `an id with several names is refused unless forced`() throws {
        let test = try TestStore()
        let image = try test.image("one", "app", "other")
        #expect(failure { _ = try test.store.remove(image.id.hex) }?.contains("2 names") == true)
        #expect(try test.store.remove(image.id.short, force: true).untagged.count == 2)
        #expect(test.store.images.isEmpty)
    }

    @Test func `a collection takes what no lease holds and nothing else`() throws {
        let test = try TestStore()
        let image = try test.image("one", "app")
        let lease = test.store.lease(for: "a pull")
        let pulled = try test.store.put(Array("pulled".utf8), lease: lease)
        #expect(try test.store.collect() == 0)
        lease.end()
        let before = try DiskUse.bytes(below: test.store.directory)
        let freed = try test.store.collect()
        #expect(freed > 0)
        #expect(try DiskUse.bytes(below: test.store.directory) == before - freed)
        #expect(throws: ImageFailure.self) { _ = try test.store.open(blob: pulled) }
        #expect(try test.store.manifest(of: image).layers.count == 1)
    }

    @Test func `prune takes images without a name, and with all those with one`() throws {
        let test = try TestStore()
        let one = try test.image("one", "app")
        let two = try test.image("two", "app")
        #expect(try test.store.prune(all: false).deleted == [one.id])
        #expect(try test.store.prune(all: true).deleted == [two.id])
    }

    @Test func `CVE-2021-41103: nobody else can look into the store`() throws {
        let test = try TestStore()
        #expect(try Files.status(test.files.path("images")).permissions == 0o700)
        try Files.setPermissions(test.files.path("images"), 0o777)
        _ = try test.reopened()
        #expect(try Files.status(test.files.path("images")).permissions == 0o700)
    }

    @Test func `a list that cannot be read is an error and stays as it was`() throws {
        let test = try TestStore()
        try test.image("one", "app")
        let path = test.files.path("images/images.json")
        for text in ["", "{", "[]", #"{"version":2}"#, #"{"version":1,"names":{"../x":"sha256:1"}}"#] {
            try test.files.write(text, to: "images/images.json")
            #expect(failure { _ = try test.reopened() }?.contains("images.json") == true)
            #expect(try Files.readText(path) == text)
        }
    }

    @Test(.enabled(if: isRoot)) func `a list that cannot be written changes nothing`() throws {
        let test = try TestStore()
        let image = try test.image("one", "app")
        // A directory where the new list would be written makes every write of it fail.
        try Files.makeDirectory(test.files.path("images/images.json.new"))
        #expect(throws: ImageFailure.self) { try test.store.tag(image, as: try Reference("other")) }
        #expect(throws: ImageFailure.self) { try test.store.remove("app") }
        #expect(try test.store.resolve("app") == image)
        #expect(test.store.images == [image])
        try Files.removeDirectory(test.files.path("images/images.json.new"))
        #expect(try test.reopened().images == [image])
    }
}
