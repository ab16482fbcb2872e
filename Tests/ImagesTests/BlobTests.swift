import Images
import Linux
import OCI
import TestKit
import Testing

@Suite struct BlobTests {
    static let hello = Digest("sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824")!

    @Test func `a blob written in pieces is read again under its digest`() throws {
        let test = try TestStore()
        let writer = try test.store.blobWriter(expected: Self.hello, size: 5, lease: test.lease)
        try writer.write(Array("he".utf8))
        #expect(writer.written == 2)
        try writer.write(Array("llo".utf8))
        let blob = try writer.finish()
        #expect(blob.digest == Self.hello)
        #expect(blob.size == 5)
        #expect(try test.store.read(blob: Self.hello, limit: 5) == Array("hello".utf8))
        #expect(try test.store.claim(Self.hello, lease: test.lease) == 5)
    }

    @Test func `a blob of unknown digest gets the one it has, also by sha512`() throws {
        let test = try TestStore()
        let writer = try test.store.blobWriter(expected: nil, lease: test.lease)
        try writer.write(Array("hello".utf8))
        #expect(try writer.finish().digest == Self.hello)
        let long = Digest(of: [1, 2, 3], .sha512)
        let other = try test.store.blobWriter(expected: long, size: 3, lease: test.lease)
        try other.write([1, 2, 3])
        #expect(try other.finish().digest == long)
    }

    @Test func `wrong bytes get no name and leave nothing`() throws {
        let test = try TestStore()
        let before = try test.everything()
        for (text, size) in [("jello", 5), ("hell", 5), ("", 5)] {
            let writer = try test.store.blobWriter(expected: Self.hello, size: size, lease: test.lease)
            try writer.write(Array(text.utf8))
            #expect(throws: ImageFailure.self) { try writer.finish() }
        }
        #expect(try test.everything() == before)
        #expect(try test.store.claim(Self.hello, lease: test.lease) == nil)
    }

    @Test func `more bytes than announced are refused before they are written`() throws {
        let test = try TestStore()
        let exact = try test.store.blobWriter(expected: Self.hello, size: 5, lease: test.lease)
        #expect(failure { try exact.write(Array("hello!".utf8)) }?.contains("5 bytes were announced and 6") == true)
        #expect(exact.written == 0)
        let bounded = try test.store.blobWriter(expected: nil, limit: 3, lease: test.lease)
        try bounded.write([1, 2])
        #expect(throws: ImageFailure.self) { try bounded.write([3, 4]) }
    }

    @Test func `a writer that begins again forgets what came before`() throws {
        let test = try TestStore()
        let writer = try test.store.blobWriter(expected: Self.hello, size: 5, lease: test.lease)
        try writer.write(Array("xyz".utf8))
        try writer.restart()
        #expect(writer.written == 0)
        try writer.write(Array("hello".utf8))
        #expect(try writer.finish().digest == Self.hello)
        #expect(try test.store.read(blob: Self.hello, limit: 5) == Array("hello".utf8))
    }

    @Test func `a blob that changed on the disk is not read as what it was`() throws {
        let test = try TestStore()
        try test.store.put(Array("hello".utf8), lease: test.lease)
        try test.files.write("jello", to: "images/blobs/sha256/\(Self.hello.hex)")
        #expect(failure { _ = try test.store.read(blob: Self.hello, limit: 5) }?.contains("its bytes are sha256:") == true)
        #expect(failure { _ = try test.store.read(blob: Digest(of: [7]), limit: 5) }?.contains("not in the store") == true)
    }

    @Test func `what a dead process left on its way is gone when the store is opened`() throws {
        let test = try TestStore()
        let before = try test.everything()
        try test.files.write("half", to: "images/incoming/99")
        _ = try test.reopened()
        #expect(try test.everything() == before)
    }

    @Test func `chain ids are those of the specification`() {
        let layers = [Digest(of: [1]), Digest(of: [2]), Digest(of: [3])]
        let second = Digest(of: Array("\(layers[0]) \(layers[1])".utf8))
        #expect(Digest.chainIDs(of: layers) == [layers[0], second, Digest(of: Array("\(second) \(layers[2])".utf8))])
        #expect(Digest.chainIDs(of: []).isEmpty)
    }
}
