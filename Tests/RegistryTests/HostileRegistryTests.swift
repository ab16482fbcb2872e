import Images
import JSON
import NIOHTTP1
import OCI
import Synchronization
import Testing

@testable import Registry

@Suite struct `Registries that stall, lie and break off` {
    private let bytes = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7) }

    /// Downloads `bytes` from a registry that behaves so.
    private func download(
        _ behaviour: @escaping FakeRegistry.Behaviour
    ) async throws -> (sink: MemorySink, failure: RegistryFailure?, requests: [FakeRequest]) {
        let content = Descriptor.blob(bytes)
        return try await FakeRegistry.serving(behaviour) { registry in
            try await registry.client().using { client in
                let sink = MemorySink(content)
                let failure = await failure { try await client.download(content, of: registry.app, into: sink) }
                return (sink, failure, registry.requests)
            }
        }
    }

    @Test func `a blob that breaks off is taken up where it broke`() async throws {
        let bytes = bytes
        let (sink, failure, requests) = try await download { request in
            guard let range = request.headers.first(name: "range") else {
                return FakeAnswer(body: Array(bytes[..<70_000]), announced: bytes.count, then: .close)
            }
            let start = Int(range.dropFirst(6).dropLast())!
            return FakeAnswer(
                status: 206, headers: [("Content-Range", "bytes \(start)-\(bytes.count - 1)/\(bytes.count)")],
                body: Array(bytes[start...]))
        }
        #expect(failure == nil)
        #expect(sink.all == bytes)
        #expect(requests.count == 2)
        #expect(requests.last?.headers.first(name: "range")?.hasPrefix("bytes=") == true)
    }

    @Test func `a registry that ignores ranges is read from the start`() async throws {
        let bytes = bytes
        let (sink, failure, _) = try await download { request in
            request.headers.first(name: "range") == nil
                ? FakeAnswer(body: Array(bytes[..<70_000]), announced: bytes.count, then: .close)
                : FakeAnswer(body: bytes)
        }
        #expect(failure == nil)
        #expect(sink.all == bytes)
    }

    @Test func `a range that is not the one asked for is refused`() async throws {
        let bytes = bytes
        let (sink, failure, _) = try await download { request in
            request.headers.first(name: "range") == nil
                ? FakeAnswer(body: Array(bytes[..<70_000]), announced: bytes.count, then: .close)
                : FakeAnswer(status: 206, headers: [("Content-Range", "bytes 0-9/10")], body: bytes)
        }
        #expect(failure?.kind == .untrustworthy)
        #expect(sink.isDiscarded.withLock { $0 })
    }

    @Test func `a blob longer than announced is cut off`() async throws {
        let bytes = bytes
        let (sink, failure, requests) = try await download { _ in FakeAnswer(body: bytes + [1, 2, 3]) }
        #expect(failure?.kind == .untrustworthy)
        #expect(sink.all.count <= bytes.count)
        #expect(requests.count == 1)
    }

    @Test func `a blob shorter than its descriptor is refused`() async throws {
        let bytes = bytes
        let (_, failure, _) = try await download { _ in FakeAnswer(body: Array(bytes.dropLast())) }
        #expect(failure?.kind == .untrustworthy)
    }

    @Test func `a blob of another digest is refused and not kept`() async throws {
        let bytes = bytes
        let (sink, failure, requests) = try await download { _ in
            FakeAnswer(body: [UInt8](repeating: 0, count: bytes.count))
        }
        #expect(failure?.kind == .untrustworthy)
        #expect(sink.isDiscarded.withLock { $0 })
        #expect(requests.count == 1)
    }

    @Test func `a registry that stalls is given up after so many tries`() async throws {
        let content = Descriptor.blob(bytes)
        let patience = Patience(window: .milliseconds(200), leastBytes: 1)
        let retries = Mutex(0)
        try await FakeRegistry.serving({ _ in
            FakeAnswer(body: [], announced: content.size, then: .hang)
        }) { registry in
            let found = try await registry.client(patience: patience).using { client in
                await failure {
                    try await client.download(content, of: registry.app, into: MemorySink(content)) { event in
                        if case .retrying = event.happening { retries.withLock { $0 += 1 } }
                    }
                }
            }
            #expect(found?.kind == .stalled, "\(found?.message ?? "")")
            #expect(registry.requests.count <= 3)
        }
        // Counted here: where either side is slow, a try can be over before its request is with the registry.
        #expect(retries.withLock { $0 } == 2)
    }

    @Test func `a busy registry is asked again, a denying one is not`() async throws {
        let bytes = bytes
        for (status, tries, kind) in [(503, 3, RegistryFailure.Kind.busy), (429, 3, .busy), (403, 1, .denied)] {
            let (_, failure, requests) = try await download { _ in
                FakeAnswer(status: status, body: Array(#"{"errors":[{"code":"X","message":"no\u001b[2J"}]}"#.utf8))
            }
            #expect(failure?.kind == kind)
            #expect(failure?.message.contains("X: no[2J") == true, "\(failure?.message ?? "")")
            #expect(requests.count == tries)
        }
        let answers = Mutex(0)
        let (sink, failure, _) = try await download { _ in
            answers.withLock {
                $0 += 1
                return $0
            } < 3 ? FakeAnswer(status: 502) : FakeAnswer(body: bytes)
        }
        #expect(failure == nil)
        #expect(sink.all == bytes)
    }

    @Test func `a manifest of another digest is refused`() async throws {
        let image = RemoteImage(layers: [[1]])
        let digest = Digest(of: [9])
        try await FakeRegistry.serving({ _ in
            FakeAnswer(headers: [("Content-Type", MediaType.manifest)], body: image.manifest)
        }) { registry in
            let found = try await registry.client().using { client in
                await failure { _ = try await client.document(digest.description, of: registry.app) }
            }
            #expect(found?.kind == .untrustworthy)
        }
    }

    @Test func `a manifest without end is cut off`() async throws {
        let long = [UInt8](repeating: 32, count: DocumentLimits.manifestBytes + 1)
        for announced in [long.count, 10 << 30] {
            try await FakeRegistry.serving({ _ in
                FakeAnswer(headers: [("Content-Type", MediaType.manifest)], body: long, announced: announced)
            }) { registry in
                let found = try await registry.client().using { client in
                    await failure { _ = try await client.document("1", of: registry.app) }
                }
                #expect(found?.kind == .untrustworthy)
            }
        }
    }

    @Test func `nobody there is an error that says so`() async throws {
        let host = try await FakeRegistry.serving({ _ in FakeAnswer() }) { $0.host }
        let client = RegistryClient(
            .init(plainHosts: [host], waiting: Waiting(sleep: { _ in }, chance: { 0 })))
        let found = await failure { try await client.ping(host) }
        await client.close()
        #expect(found?.kind == .unreachable)
        #expect(found?.message.contains(host) == true)
    }

    @Test func `a registry in the clear is not spoken to unless named`() async throws {
        try await FakeRegistry.serving({ _ in FakeAnswer() }) { registry in
            let found = try await registry.client(plain: []).using { client in
                await failure { try await client.ping(registry.host) }
            }
            #expect(found != nil)
            #expect(registry.requests.isEmpty)
        }
    }
}

@Suite struct `Pulls` {
    private let image = RemoteImage(layers: [[1, 2, 3], Array("layer".utf8), [1, 2, 3]])

    @Test func `an image comes with every part once`() async throws {
        let image = image
        try await FakeRegistry.serving({ image.answer($0) }) { registry in
            let store = MemoryStore()
            let pulled = try await registry.client().using { client in
                try await ImagePull(client: client, repository: registry.app, keeper: store).run("1")
            }
            #expect(pulled.named == image.content)
            #expect(pulled.manifest.layers.count == 3)
            #expect(store.bytes(image.content.digest) == image.manifest)
            #expect(registry.requests.count == 4)
        }
    }

    @Test func `what is there already is not fetched again`() async throws {
        let image = image
        try await FakeRegistry.serving({ image.answer($0) }) { registry in
            let store = MemoryStore()
            for layer in image.layers { store.add(layer) }
            _ = try await registry.client().using { client in
                try await ImagePull(client: client, repository: registry.app, keeper: store).run("1")
            }
            #expect(registry.requests.count == 2)
        }
    }

    @Test func `a pull that fails keeps no manifest`() async throws {
        let image = image
        let missing = Digest(of: image.layers[1]).description
        try await FakeRegistry.serving({ request in
            request.path.hasSuffix(missing) ? FakeAnswer(status: 404) : image.answer(request)
        }) { registry in
            let store = MemoryStore()
            let found = try await registry.client().using { client in
                await failure {
                    _ = try await ImagePull(client: client, repository: registry.app, keeper: store).run("1")
                }
            }
            #expect(found?.kind == .notFound)
            #expect(!store.digests.contains(image.content.digest))
        }
    }
}
