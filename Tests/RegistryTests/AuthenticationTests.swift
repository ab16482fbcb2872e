import Images
import JSON
import Linux
import OCI
import Spawn
import Synchronization
import TestKit
import Testing

@testable import Registry

@Suite struct `Authentication` {
    private let image = RemoteImage(layers: [[1], [2], [3], [4]])
    private static let known = Credentials.password(user: "me", password: "secret")

    /// A registry that wants "Bearer t" and names itself as its token service, which wants me:secret.
    private static func guarded(_ image: RemoteImage, port: @escaping @Sendable () -> Int) -> FakeRegistry.Behaviour {
        { request in
            if request.path.hasPrefix("/token") {
                guard request.authorization == known.basic else { return FakeAnswer(status: 401) }
                return FakeAnswer(body: Array(#"{"token":"t","expires_in":300}"#.utf8))
            }
            guard request.authorization == "Bearer t" else {
                let realm = "http://127.0.0.1:\(port())/token"
                return FakeAnswer(
                    status: 401, headers: [("WWW-Authenticate", "Bearer realm=\"\(realm)\",service=\"s\"")])
            }
            return image.answer(request)
        }
    }

    @Test func `parallel downloads share one token`() async throws {
        let port = Port()
        try await FakeRegistry.serving(Self.guarded(image, port: { port.value })) { registry in
            port.value = registry.port
            let credentials = KnownCredentials([registry.host: Self.known])
            _ = try await registry.client(credentials: credentials).using { client in
                try await ImagePull(client: client, repository: registry.app, keeper: MemoryStore()).run("1")
            }
            let asked = registry.requests.filter { $0.path.hasPrefix("/token") }
            #expect(asked.count == 1)
            #expect(asked.first?.path.contains("scope=repository%3Aapp%3Apull") == true)
            #expect(asked.first?.path.contains("service=s") == true)
        }
    }

    @Test func `wrong credentials are an error at once`() async throws {
        let port = Port()
        try await FakeRegistry.serving(Self.guarded(image, port: { port.value })) { registry in
            port.value = registry.port
            let credentials = KnownCredentials([registry.host: .password(user: "me", password: "wrong")])
            let found = try await registry.client(credentials: credentials).using { client in
                await failure { _ = try await client.document("1", of: registry.app) }
            }
            #expect(found?.kind == .denied)
            #expect(found?.message.contains("wrong") == false)
            #expect(registry.requests.count == 2)
        }
    }

    @Test func `a token service in the clear gets no password`() async throws {
        try await FakeRegistry.serving({ _ in FakeAnswer(body: Array(#"{"token":"t"}"#.utf8)) }) { service in
            try await FakeRegistry.serving({ _ in
                let realm = "http://\(service.host)/token"
                return FakeAnswer(status: 401, headers: [("WWW-Authenticate", "Bearer realm=\"\(realm)\"")])
            }) { registry in
                let credentials = KnownCredentials([registry.host: Self.known])
                let found = try await registry.client(credentials: credentials).using { client in
                    await failure { try await client.ping(registry.host) }
                }
                #expect(found?.kind == .denied)
                #expect(service.requests.isEmpty)
            }
        }
    }

    @Test func `basic authentication is used where it is asked for`() async throws {
        try await FakeRegistry.serving({ request in
            request.authorization == Self.known.basic
                ? FakeAnswer() : FakeAnswer(status: 401, headers: [("WWW-Authenticate", "Basic realm=\"r\"")])
        }) { registry in
            let good = KnownCredentials([registry.host: Self.known])
            try await registry.client(credentials: good).using { try await $0.ping(registry.host) }
            let none = try await registry.client().using { client in
                await failure { try await client.ping(registry.host) }
            }
            #expect(none?.kind == .denied)
        }
    }

    @Test func `CVE-2020-15157: a redirect to another host carries no credentials`() async throws {
        let image = image
        try await FakeRegistry.serving({ image.answer($0) }) { elsewhere in
            try await FakeRegistry.serving({ request in
                guard request.authorization == Self.known.basic else {
                    return FakeAnswer(status: 401, headers: [("WWW-Authenticate", "Basic realm=\"r\"")])
                }
                return request.path.contains("/blobs/")
                    ? FakeAnswer(status: 307, headers: [("Location", "http://\(elsewhere.host)\(request.path)")])
                    : image.answer(request)
            }) { registry in
                let credentials = KnownCredentials([registry.host: Self.known])
                let client = registry.client(credentials: credentials, plain: [registry.host, elsewhere.host])
                _ = try await client.using { client in
                    try await ImagePull(client: client, repository: registry.app, keeper: MemoryStore()).run("1")
                }
                #expect(elsewhere.requests.count == 5)
                #expect(elsewhere.requests.allSatisfy { $0.authorization == nil })
            }
        }
    }

    @Test func `a registry that redirects for ever is given up`() async throws {
        try await FakeRegistry.serving({ request in
            FakeAnswer(status: 302, headers: [("Location", request.path + "x")])
        }) { registry in
            let found = try await registry.client().using { client in
                await failure { try await client.ping(registry.host) }
            }
            #expect(found?.kind == .untrustworthy)
            #expect(registry.requests.count == RedirectRule.limit + 1)
        }
    }

    @Test func `credentials are kept in Docker's file, and nothing else in it is touched`() async throws {
        let directory = try TemporaryDirectory("config")
        let text = #"{"HttpHeaders":{"X":"y"},"auths":{"https://a.example/v1/":{"auth":"bWU6cw=="},"b.example":{}}}"#
        try directory.write(text, to: "config.json")
        let source = DockerCredentials(directory: directory.path)
        let kept = try await source.store(Self.known, for: "c.example:5000")
        #expect(kept == .file(directory.path("config.json")))
        #expect(try Files.status(directory.path("config.json")).permissions == 0o600)
        #expect(try await source.credentials(for: "c.example:5000") == Self.known)
        #expect(try await source.credentials(for: "a.example") == .password(user: "me", password: "s"))
        let erased = try await source.erase("a.example")
        #expect(erased == .file(directory.path("config.json")))
        let nothing = try await source.erase("a.example")
        #expect(nothing == nil)
        let left = try JSONParser.parse(try Files.read(directory.path("config.json")))
        #expect(left["HttpHeaders"]?["X"] == "y")
        #expect(left["auths"]?.object?.members.map(\.key) == ["b.example", "c.example:5000"])
    }

    @Test func `credentials are kept by the helper that Docker's file names`() async throws {
        let directory = try TemporaryDirectory("helper")
        try directory.write(
            "#!/bin/sh\necho \"$1\" >> \(directory.path("calls"))\ncat >> \(directory.path("calls"))\n"
                + "[ $1 = get ] && echo '{\"Username\":\"me\",\"Secret\":\"secret\"}'\nexit 0\n",
            to: "docker-credential-test", mode: 0o755)
        try directory.write(#"{"credsStore":"test"}"#, to: "config.json")
        let source = DockerCredentials(
            directory: directory.path, environment: .exactly(["PATH": "\(directory.path):/usr/bin:/bin"]))
        let kept = try await source.store(Self.known, for: "a.example")
        #expect(kept == .helper("docker-credential-test"))
        _ = try await source.erase("a.example")
        #expect(
            try Files.readText(directory.path("calls"))
                == "store\n{\"ServerURL\":\"a.example\",\"Username\":\"me\",\"Secret\":\"secret\"}get\na.example\nerase\na.example")
        #expect(try Files.readText(directory.path("config.json")) == #"{"credsStore":"test"}"#)
    }

    @Test func `certificates that cannot be used are named`() throws {
        let directory = try TemporaryDirectory("certs")
        try directory.write("no certificate", to: "a.example:5000/ca.crt")
        try directory.write("", to: "b.example/client.cert")
        #expect(try RegistryTrust().adding(directory: directory.path, for: "none.example") == RegistryTrust())
        #expect(try RegistryTrust().adding(directory: directory.path, for: "..") == RegistryTrust())
        for (registry, named) in [("a.example:5000", "a.example:5000/ca.crt"), ("b.example", "b.example/client.key")] {
            let found: RegistryFailure?
            do throws(RegistryFailure) {
                _ = try RegistryTrust().adding(directory: directory.path, for: registry)
                found = nil
            } catch { found = error }
            #expect(found?.kind == .badRequest)
            #expect(found?.message.contains(named) == true, "\(found?.message ?? "")")
        }
    }

    @Test func `a credential helper is asked as Docker asks it`() async throws {
        let directory = try TemporaryDirectory("helper")
        try directory.write(
            "#!/bin/sh\nread server\n[ \"$1 $server\" = 'get a.example' ] && "
                + "echo '{\"ServerURL\":\"a.example\",\"Username\":\"me\",\"Secret\":\"s\"}' && exit 0\n"
                + "echo 'credentials not found in native keychain'\nexit 1\n",
            to: "docker-credential-test", mode: 0o755)
        try directory.write(#"{"credsStore":"test"}"#, to: "config.json")
        let source = DockerCredentials(
            directory: directory.path, environment: .exactly(["PATH": "\(directory.path):/usr/bin:/bin"]))
        #expect(try await source.credentials(for: "a.example") == .password(user: "me", password: "s"))
        #expect(try await source.credentials(for: "b.example") == nil)
    }
}

private final class Port: Sendable {
    private let port = Mutex(0)
    var value: Int {
        get { port.withLock { $0 } }
        set { port.withLock { $0 = newValue } }
    }
}
