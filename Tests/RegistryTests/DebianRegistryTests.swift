import Images
import Linux
import OCI
import Spawn
import Synchronization
import TestKit
import Testing

@testable import Registry

/// Against Debian's docker-registry, on a loopback port that the kernel chose.
@Suite(.leavesNothing) struct `Debian's registry` {
    private static func serving(_ body: (String) async throws -> Void) async throws {
        let directory = try TemporaryDirectory("registry")
        let config = try directory.write(
            """
            version: 0.1
            log: {accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: \(directory.path("data"))}}
            http: {addr: "127.0.0.1:0"}

            """, to: "config.yml")
        let log = directory.path("log")
        try Files.replace(log, with: [])
        let sink = try Files.open(log, Files.appendFlags)
        var options = Options()
        options.environment = .exactly(["PATH": "/usr/bin:/bin", "OTEL_TRACES_EXPORTER": "none"])
        let template = try Template("/usr/bin/docker-registry", arguments: ["serve", config], options: options)
        try await template.withRunning(input: .null, output: .descriptor(sink.raw), error: .descriptor(sink.raw)) { _ in
            let port = try await eventuallySome(within: .seconds(60), "the registry's port") { () -> Substring? in
                let text = try Files.readText(log)
                guard let at = text.firstRange(of: "listening on 127.0.0.1:") else { return nil }
                let digits = text[at.upperBound...].prefix { $0.isNumber }
                return digits.isEmpty || digits.endIndex == text.endIndex ? nil : digits
            }
            try await body("127.0.0.1:\(port)")
        }
    }

    private func client(_ host: String, chunkBytes: Int = 64 << 20) -> RegistryClient {
        RegistryClient(.init(plainHosts: [host], chunkBytes: chunkBytes))
    }

    @Test func `an image goes there and comes back byte for byte`() async throws {
        var chance = SeededChance(seed: 3)
        let layers = (1...5).map { size in (0..<(size * 300_000)).map { _ in UInt8.random(in: 0...255, using: &chance) }
        }
        let image = RemoteImage(layers: layers)
        let here = MemoryStore()
        for bytes in layers + [image.config, image.manifest] { here.add(bytes) }
        try await Self.serving { host in
            // Chunks smaller than the layers: both ways of sending are used.
            try await client(host, chunkBytes: 400_000).using { client in
                try await client.ping(host)
                let app = try Repository(registry: host, path: "team/app")
                let events = Mutex<[TransferEvent]>([])
                let push = ImagePush(
                    client: client, repository: app,
                    source: { content throws(RegistryFailure) in try here.source(content) },
                    progress: { event in events.withLock { $0.append(event) } })
                try await push.run(image.content, tag: "1")
                #expect(events.withLock { $0.filter { $0.happening == .done }.count } == 6)

                let there = MemoryStore()
                let pulled = try await ImagePull(client: client, repository: app, keeper: there).run("1")
                #expect(pulled.named == image.content)
                #expect(there.digests == here.digests)

                // Again: everything is there. As another repository: everything is borrowed.
                events.withLock { $0 = [] }
                try await push.run(image.content, tag: "2")
                #expect(events.withLock { $0.filter { $0.happening == .present }.count } == 6)
                events.withLock { $0 = [] }
                var other = push
                other.repository = try Repository(registry: host, path: "other")
                other.neighbour = app
                try await other.run(image.content, tag: nil)
                #expect(events.withLock { $0.filter { $0.happening == .mounted }.count } == 6)
                let byDigest = try await client.document(image.content.digest.description, of: other.repository)
                #expect(byDigest.bytes == image.manifest)
            }
        }
    }

    @Test func `what is not there is an error that names it`() async throws {
        try await Self.serving { host in
            try await client(host).using { client in
                let app = try Repository(registry: host, path: "app")
                let found = await failure { _ = try await client.document("none", of: app) }
                #expect(found?.kind == .notFound)
                #expect(found?.message.contains("\(host)/app:none") == true, "\(found?.message ?? "")")
            }
        }
    }
}
