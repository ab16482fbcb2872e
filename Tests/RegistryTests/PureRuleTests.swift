import Images
import OCI
import Testing

@testable import Registry

@Suite struct `Rules of the registry client` {
    @Test func `pauses grow, are spread and are bounded`() {
        let policy = RetryPolicy(attempts: 100, firstPause: .seconds(1), longestPause: .seconds(30))
        let busy = RegistryFailure(.busy, "")
        #expect(policy.pause(after: busy, failed: 1, chance: 0) == .milliseconds(500))
        #expect(policy.pause(after: busy, failed: 1, chance: 1) == .seconds(1))
        #expect(policy.pause(after: busy, failed: 4, chance: 1) == .seconds(8))
        #expect(policy.pause(after: busy, failed: 99, chance: 1) == .seconds(30))
        #expect(policy.pause(after: busy, failed: 100, chance: 1) == nil)
        let asking = RegistryFailure(.busy, "", retryAfter: .seconds(7))
        #expect(policy.pause(after: asking, failed: 1, chance: 0) == .seconds(7))
        let greedy = RegistryFailure(.busy, "", retryAfter: .seconds(9999))
        #expect(policy.pause(after: greedy, failed: 1, chance: 0) == .seconds(30))
    }

    @Test(arguments: RegistryFailure.Kind.allCases)
    func `what cannot pass by itself is not tried again`(kind: RegistryFailure.Kind) {
        let pause = RetryPolicy().pause(after: RegistryFailure(kind, ""), failed: 1, chance: 0)
        #expect((pause != nil) == [.unreachable, .stalled, .busy].contains(kind))
    }

    @Test(arguments: [
        "http://a@b/", "http://", "http://a b/", "http://a\\b/", "http://a:0/", "http://a:99999/", "ftp://a/",
        "http://a%2Fb/", "http://[::1", "http://é/", "http://a:b:1/", "/x",
    ])
    func `an address that two parsers could read differently is refused`(text: String) {
        #expect(WebAddress(text) == nil)
    }

    @Test func `addresses are read and resolved`() throws {
        let address = try #require(WebAddress("HTTP://A.example:5000/v2/x?y=1#z"))
        #expect(address.description == "http://a.example:5000/v2/x?y=1")
        #expect(address.resolving("/up?a=b")?.description == "http://a.example:5000/up?a=b")
        #expect(address.resolving("w")?.description == "http://a.example:5000/v2/w")
        #expect(address.resolving("//other/q")?.description == "http://other/q")
        #expect(address.resolving("/a/../b") == nil)
        #expect(address.adding([("d", "a:b/c")]).target == "/v2/x?y=1&d=a%3Ab%2Fc")
        #expect(WebAddress("https://[::1]:443/")?.authority == "[::1]")
    }

    @Test func `a redirect to plain HTTP is refused unless the host was named`() throws {
        let step = RedirectRule.Step(address: try #require(WebAddress("https://a/")), authorization: "x")
        let strict = RedirectRule(plainHosts: [])
        let refused: RegistryFailure?
        do throws(RegistryFailure) {
            _ = try strict.next(after: step, location: "http://b/", count: 1)
            refused = nil
        } catch { refused = error }
        #expect(refused?.kind == .denied)
        #expect(refused?.message.contains("--plain-http b") == true)
        let next = try RedirectRule(plainHosts: ["b"]).next(after: step, location: "http://b/", count: 1)
        #expect(next.authorization == nil)
    }

    @Test func `credentials that were dropped do not come back`() throws {
        let rule = RedirectRule(plainHosts: [])
        let start = RedirectRule.Step(address: try #require(WebAddress("https://a/")), authorization: "x")
        #expect(try rule.next(after: start, location: "/b", count: 1).authorization == "x")
        #expect(try rule.next(after: start, location: "https://a:444/b", count: 1).authorization == nil)
        let away = try rule.next(after: start, location: "https://b/", count: 1)
        let back = try rule.next(after: away, location: "https://a/", count: 2)
        #expect(back.authorization == nil)
    }

    @Test func `headers of any shape are read or passed over`() {
        let read = Challenge.parse(#"Bearer realm="https://a/t?x=\"1\"",service=s, Basic realm="r""#)
        #expect(
            read == [
                Challenge(scheme: "bearer", parameters: ["realm": #"https://a/t?x="1""#, "service": "s"]),
                Challenge(scheme: "basic", parameters: ["realm": "r"]),
            ])
        for text in ["", ",", "=", "a=", "Bearer realm=\"", "Bearer realm=\"\\", "\u{0}", "Bearer ,=,", "a b c=d =e"] {
            _ = Challenge.parse(text)
        }
        #expect(Challenge.parse(#"Bearer realm="a",realm="b""#).first?.parameters["realm"] == "a")
    }

    @Test func `a slow disk is no stalled registry`() {
        let watch = StallWatch(Patience(leastBytes: 10))
        watch.count(10)
        #expect(!watch.windowPassed())
        watch.pause()
        #expect(!watch.windowPassed())
        watch.resume()
        #expect(!watch.windowPassed())
        #expect(watch.windowPassed())
    }

    @Test func `Docker's config is read as Docker reads it`() throws {
        let text = """
            {"auths":{"https://a.example/v1/":{"auth":"bWU6c2VjOnJldA=="},"b.example:5000":{"identitytoken":"t"},"c":{}},
             "credHelpers":{"d.example":"pass"},"HttpHeaders":{}}
            """
        let config = try DockerConfig(Array(text.utf8), path: "x")
        #expect(config.place(of: "a.example") == .here(.password(user: "me", password: "sec:ret")))
        #expect(config.place(of: "b.example:5000") == .here(.identityToken("t")))
        #expect(config.place(of: "c") == .none)
        #expect(config.place(of: "d.example") == .helper(name: "pass", server: "d.example"))
    }

    @Test func `a credential helper cannot be named by a path`() {
        for name in ["../x", "a/b", "a b"] {
            let config = try? DockerConfig(Array("{\"credsStore\":\"\(name)\"}".utf8), path: "x")
            #expect(config == nil)
        }
    }

    @Test func `a repository's name cannot leave its place in an address`() {
        for name in ["", "a/", "/a", "a//b", "..", "a/../b", "A", "a?b", "a#b", "a%2f", "-a", "a-", "a..b", "a___b"] {
            #expect((try? Repository(registry: "h", path: name)) == nil, "\(name)")
        }
        for name in ["a", "a/b-c/d.e", "a__b", "a--b", "0"] {
            #expect((try? Repository(registry: "h:5000", path: name)) != nil, "\(name)")
        }
    }
}

@Suite struct `Manifests and indexes from a registry` {
    private func kind(_ text: String, _ type: String = MediaType.manifest) -> RegistryFailure.Kind? {
        do throws(RegistryFailure) {
            let content = Descriptor(mediaType: type, digest: Digest(of: []), size: text.utf8.count)
            _ = try RegistryClient.document(Array(text.utf8), content, "x")
            return nil
        } catch { return error.kind }
    }

    @Test func `CVE-2021-41190: a document with both layers and manifests is refused`() {
        #expect(kind(#"{"schemaVersion":2,"config":{},"layers":[],"manifests":[]}"#) == .untrustworthy)
        #expect(kind(#"{"layers":[],"manifests":[]}"#, MediaType.index) == .untrustworthy)
        #expect(kind(#"{"mediaType":"\#(MediaType.index)","layers":[]}"#) == .untrustworthy)
        #expect(kind("{}", "application/vnd.docker.distribution.manifest.v1+prettyjws") == .unsupported)
    }

    @Test func `CVE-2024-3727: a digest that is a path is refused`() {
        let part = #"{"mediaType":"m","size":1,"digest":"sha256:../../../etc/passwd"}"#
        #expect(kind("{\"config\":\(part),\"layers\":[]}") == .untrustworthy)
        let negative = #"{"mediaType":"m","size":-1,"digest":"\#(Digest(of: []))"}"#
        #expect(kind("{\"config\":\(negative),\"layers\":[]}") == .untrustworthy)
    }

    @Test func `the best platform is chosen`() throws {
        func entry(_ text: String?, _ byte: UInt8) -> Descriptor {
            var entry = Descriptor.blob([byte])
            entry.platform = text.flatMap { Platform($0) }
            return entry
        }
        let index = Index(manifests: [
            entry("unknown/unknown", 0), entry("linux/arm/v6", 1), entry("linux/arm/v7", 2), entry("linux/amd64", 3),
            entry("linux/arm64/v8", 4), entry("windows/amd64", 5),
        ])
        func chosen(_ text: String) throws -> Digest? {
            try index.choice(for: try #require(Platform(text)), name: "x").digest
        }
        #expect(try chosen("linux/amd64") == Digest(of: [3]))
        #expect(try chosen("linux/arm64") == Digest(of: [4]))
        #expect(try chosen("linux/arm/v7") == Digest(of: [2]))
        #expect(try chosen("linux/arm/v6") == Digest(of: [1]))
        let missing: RegistryFailure?
        do throws(RegistryFailure) {
            _ = try index.choice(for: Platform(os: "linux", architecture: "s390x"), name: "x")
            missing = nil
        } catch { missing = error }
        #expect(missing?.kind == .notFound)
        #expect(missing?.message.contains("linux/arm/v6") == true)
        #expect(missing?.message.contains("unknown") == false)
    }
}
