import JSON
import KubeObjects
import Linux
import TestKit
import Testing

@testable import KubeServing

/// The DER of a certificate in PEM.
private func der(_ pem: String) throws -> [UInt8] {
    try #require(Base64.bytes(pem.split(separator: "\n").filter { !$0.hasPrefix("-") }.joined()))
}

@Suite(.timeLimit(.minutes(1))) struct ClientCertificateTests {
    private let clock = SetClock()

    private func authority(_ directory: TemporaryDirectory) throws -> NodeAuthority {
        let clock = clock
        return try NodeAuthority(directory: directory.path, names: ServingNames(hosts: [], addresses: [])) { clock.now }
    }

    @Test func `a certificate of a stranger, of a server or of another time names nobody`() throws {
        let (own, other) = (try TemporaryDirectory("own"), try TemporaryDirectory("other"))
        let (authority, stranger) = (try authority(own), try authority(other))
        let certificates = ClientCertificates(authority.authority)
        let jane = try der(try authority.clientCertificate(user: "jane", groups: ["blue", "green"]).certificate)
        let user = try #require(certificates.user(jane, at: clock.now))
        #expect(user.name == "jane")
        #expect(user.groups == ["blue", "green"])
        #expect(user.extra["authentication.kubernetes.io/credential-id"]?.first?.hasPrefix("X509SHA256=") == true)
        #expect(user.extra.values.first?.first?.count == "X509SHA256=".count + 64)
        #expect(
            certificates.user(
                try der(try stranger.clientCertificate(user: "jane", groups: []).certificate), at: clock.now) == nil)
        let serving = try PEMPair(file: try Files.readText(own.path("serving.pem"))).certificate
        #expect(certificates.user(try der(serving), at: clock.now) == nil)
        #expect(certificates.user(try der(authority.authorityCertificate), at: clock.now) == nil)
        #expect(certificates.user(jane, at: clock.now - 2 * 86_400) == nil)
        #expect(certificates.user([1, 2, 3], at: clock.now) == nil)
        #expect(certificates.user([], at: clock.now) == nil)
        var changed = jane
        changed[changed.count / 2] ^= 1
        #expect(certificates.user(changed, at: clock.now) == nil)
    }

    @Test func `a certificate that ended since is refused`() throws {
        let directory = try TemporaryDirectory("own")
        let authority = try authority(directory)
        let certificates = ClientCertificates(authority.authority)
        let jane = try der(try authority.clientCertificate(user: "jane", groups: [], life: 3600).certificate)
        #expect(certificates.user(jane, at: clock.now + 3599)?.name == "jane")
        #expect(certificates.user(jane, at: clock.now + 3601) == nil)
        #expect(certificates.user(jane, at: clock.now)?.name == "jane")
    }
}

@Suite(.timeLimit(.minutes(1))) struct ServiceAccountTokenTests {
    private struct Desk {
        let directory: TemporaryDirectory
        let authority: NodeAuthority
        let objects = FakeObjects()
        let clock = SetClock()
        let tokens: ServiceAccountTokens

        init() throws {
            let (objects, clock) = (objects, clock)
            directory = try TemporaryDirectory("tokens")
            authority = try NodeAuthority(
                directory: directory.path, names: ServingNames(hosts: [], addresses: [])
            ) { clock.now }
            tokens = ServiceAccountTokens(
                authority: authority,
                lookup: { resource, namespace, name throws(APIFailure) in objects.find(resource, namespace, name) },
                now: { clock.now })
            objects.put(.serviceAccounts, "shop", "robot", uid: "s1")
            objects.put(.pods, "shop", "web", uid: "p1")
            objects.put(.nodes, nil, "node-1", uid: "n1")
        }

        var account: KubeObject { objects.find(.serviceAccounts, "shop", "robot")! }

        /// nil: the user is known. Else why not.
        func problem(_ token: String, audiences: [String] = []) async throws -> String? {
            switch try await tokens.review(token, audiences: audiences) {
            case .user: nil
            case .unknown: "unknown"
            case .refused(let why): why
            }
        }
    }

    @Test func `a token says what Kubernetes' tokens say`() async throws {
        let desk = try Desk()
        let issued = try desk.tokens.issue(
            desk.account, life: 3607, binding: .pod(name: "web", uid: "p1", node: "node-1"))
        #expect(issued.expiry == desk.clock.now + 3607)
        let parts = issued.token.split(separator: ".")
        let claims = try JSONParser.parse(try #require(Base64URL.bytes(parts[1])))
        #expect(claims["iss"] == "https://kubernetes.default.svc.cluster.local")
        #expect(claims["aud"] == ["https://kubernetes.default.svc.cluster.local"])
        #expect(claims["sub"] == "system:serviceaccount:shop:robot")
        #expect(
            claims["kubernetes.io"] == [
                "namespace": "shop", "node": ["name": "node-1"], "pod": ["name": "web", "uid": "p1"],
                "serviceaccount": ["name": "robot", "uid": "s1"],
            ])
        guard case .user(let user, let audiences) = try await desk.tokens.review(issued.token) else {
            Issue.record("the token is not believed")
            return
        }
        #expect(user.name == "system:serviceaccount:shop:robot")
        #expect(user.uid == "s1")
        #expect(user.groups == ["system:serviceaccounts", "system:serviceaccounts:shop"])
        #expect(user.extra["authentication.kubernetes.io/pod-name"] == ["web"])
        #expect(user.extra["authentication.kubernetes.io/node-name"] == ["node-1"])
        #expect(audiences == desk.tokens.audiences)
    }

    @Test func `openssl believes the signature of a token by the published key`() async throws {
        let desk = try Desk()
        let token = try desk.tokens.issue(desk.account).token
        let script = """
            import base64, hashlib, json, subprocess, sys
            def raw(text): return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
            head, body, mark = sys.argv[1].split(".")
            key = [k for k in json.loads(sys.argv[2])["keys"] if k["kid"] == json.loads(raw(head))["kid"]][0]
            point = b"\\x04" + raw(key["x"]) + raw(key["y"])
            der = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + point
            def number(b):
                b = b.lstrip(b"\\0")
                if b[0] & 0x80: b = b"\\0" + b
                return b"\\x02" + bytes([len(b)]) + b
            both = number(raw(mark)[:32]) + number(raw(mark)[32:])
            open(sys.argv[3] + "/key", "wb").write(der)
            open(sys.argv[3] + "/sig", "wb").write(b"\\x30" + bytes([len(both)]) + both)
            open(sys.argv[3] + "/text", "w").write(head + "." + body)
            """
        let keys = JSONWriter.text(desk.tokens.keys.keySet)
        let made = try await CommandRunner.run(["python3", "-c", script, token, keys, desk.directory.path])
        #expect(made.status.isSuccess, "\(made.errorText)")
        let verified = try await CommandRunner.run([
            "openssl", "dgst", "-sha256", "-verify", desk.directory.path("key"), "-keyform", "DER", "-signature",
            desk.directory.path("sig"), desk.directory.path("text"),
        ])
        #expect(verified.text == "Verified OK\n", "\(verified.errorText)")
    }

    @Test func `a token ends with its account, its pod or its time`() async throws {
        let desk = try Desk()
        let token = try desk.tokens.issue(desk.account, life: 600, binding: .pod(name: "web", uid: "p1", node: nil))
            .token
        #expect(try await desk.problem(token) == nil)
        desk.objects.put(.pods, "shop", "web", uid: "p2")
        #expect(try await desk.problem(token)?.contains("pod UID (p2) does not match claim (p1)") == true)
        desk.objects.remove(.pods, "shop", "web")
        #expect(try await desk.problem(token)?.contains("pod web has been deleted") == true)
        let deletion = Linux.Timestamp(nanoseconds: Int(desk.clock.now) * 1_000_000_000).kubeTime
        desk.objects.put(.pods, "shop", "web", uid: "p1", deletion: deletion)
        #expect(try await desk.problem(token) == nil)
        desk.clock.now += 61
        #expect(try await desk.problem(token)?.contains("pod web has been deleted") == true)
        desk.objects.put(.pods, "shop", "web", uid: "p1")
        desk.objects.put(.serviceAccounts, "shop", "robot", uid: "s2")
        #expect(try await desk.problem(token)?.contains("service account UID (s2)") == true)
        desk.objects.put(.serviceAccounts, "shop", "robot", uid: "s1")
        #expect(try await desk.problem(token) == nil)
        desk.clock.now += 538
        #expect(try await desk.problem(token) == nil)
        desk.clock.now += 1
        #expect(try await desk.problem(token)?.contains("expired") == true)
        desk.clock.now -= 10_000
        #expect(try await desk.problem(token)?.contains("not valid yet") == true)
    }

    @Test func `a token is for its audiences only`() async throws {
        let desk = try Desk()
        let vault = try desk.tokens.issue(desk.account, audiences: ["vault", "other"]).token
        #expect(try await desk.problem(vault)?.contains("is invalid for the target audiences") == true)
        guard case .user(_, let audiences) = try await desk.tokens.review(vault, audiences: ["vault", "x"]) else {
            Issue.record("the token is not believed by its audience")
            return
        }
        #expect(audiences == ["vault"])
    }

    @Test func `a review knows the administrator and service accounts`() async throws {
        let desk = try Desk()
        let clock = desk.clock
        let authenticator = Authenticator(authority: desk.authority, tokens: desk.tokens) { clock.now }
        func groups(_ token: String, _ audiences: [String] = []) async throws -> [String]? {
            guard case .user(let user, _) = try await authenticator.review(token, audiences: audiences) else {
                return nil
            }
            return user.groups
        }
        #expect(try await groups(desk.authority.administratorToken) == ["system:masters", "system:authenticated"])
        #expect(try await groups(desk.authority.administratorToken, ["vault"]) == nil)
        let token = try desk.tokens.issue(desk.account).token
        #expect(try await groups(token)?.last == "system:authenticated")
        #expect(try await groups("nonsense") == nil)
    }

    @Test func `a changed, foreign or unsigned token is refused`() async throws {
        let (desk, other) = (try Desk(), try Desk())
        let foreign = try other.tokens.issue(desk.account).token
        #expect(try await desk.problem(foreign)?.contains("invalid bearer token") == true)
        let token = try desk.tokens.issue(desk.account).token
        let parts = token.split(separator: ".").map(String.init)
        var claims = try JSONParser.parse(try #require(Base64URL.bytes(parts[1])))
        claims["exp"] = 9_999_999_999
        let longer = Base64URL.text(JSONWriter.bytes(claims))
        let none = Base64URL.text(Array("{\"alg\":\"none\"}".utf8))
        for forged in [
            "\(parts[0]).\(longer).\(parts[2])", "\(none).\(longer).", "\(none).\(parts[1]).\(parts[2])",
            "\(parts[0]).\(parts[1]).", "\(parts[0]).\(parts[1]).\(parts[2])A",
        ] { #expect(try await desk.problem(forged) != nil, "\(forged)") }
        for text in ["", "a", "..", "a.b.c", String(repeating: "x", count: 100_000), "é.é.é"] {
            #expect(try await desk.problem(text) == "unknown")
        }
        #expect(try await desk.problem(token) == nil)
    }

    @Test func `a life below ten minutes is refused in Kubernetes' words`() throws {
        let desk = try Desk()
        let failure = #expect(throws: APIFailure.self) { try desk.tokens.issue(desk.account, life: 599) }
        #expect(failure?.code == 422)
        #expect(failure?.message.hasSuffix("may not specify a duration less than 10 minutes") == true)
        #expect(throws: APIFailure.self) { try desk.tokens.issue(desk.account, life: (1 << 32) + 1) }
        #expect(throws: Never.self) { try desk.tokens.issue(desk.account, life: 600) }
    }

    @Test func `a file of tokens names users and groups`() throws {
        let text = "t1,jane,u1,\"blue, green\"\n\n t2 , joe , \r\nt3,x,y,one\n"
        let tokens = try StaticTokens(file: text)
        #expect(tokens.user("t1") == UserInfo(name: "jane", uid: "u1", groups: ["blue", "green"]))
        #expect(tokens.user("t2") == UserInfo(name: "joe", groups: []))
        #expect(tokens.user("t3")?.groups == ["one"])
        #expect(tokens.user("t") == nil)
        for broken in ["t1", "t1,jane", ",jane,u1"] {
            let failure = #expect(throws: AuthorityFailure.self) { try StaticTokens(file: "a,b,c\n" + broken) }
            #expect(failure?.sentence.contains("line 2") == true)
        }
    }

    @Test func `a token is found where clients put it`() {
        func token(_ authorization: String?, _ protocols: String? = nil) -> String? {
            Credentials(authorization: authorization, webSocketProtocols: protocols).bearerToken
        }
        #expect(token("Bearer abc") == "abc")
        #expect(token("bearer abc def") == "abc")
        #expect(token("Basic abc") == nil)
        #expect(token("Bearer ") == nil)
        #expect(token(nil) == nil)
        #expect(token(nil, "v5.channel.k8s.io, base64url.bearer.authorization.k8s.io.YWJj") == "abc")
    }
}

@Suite struct RequestTargetTests {
    @Test func `targets are taken apart as they were meant`() throws {
        let target = try #require(RequestTarget("/api//v1/a%2Fb/%C3%A9/?x=1&y=a%20b+c&z&=q&w=a=b#part"))
        #expect(target.path == ["api", "v1", "a/b", "é"])
        #expect(target.query.map { "\($0.name)>\($0.value)" } == ["x>1", "y>a b c", "z>", ">q", "w>a=b"])
        #expect(RequestTarget("https://host:1/a/b?c=d")?.path == ["a", "b"])
        #expect(RequestTarget("/")?.path == [])
        for broken in ["", "*", "a/b", "/%", "/%1", "/%gg", "/?a=%", "ftp"] {
            #expect(RequestTarget(broken) == nil, "\(broken)")
        }
    }

    @Test func `random targets are taken apart or refused`() {
        for seed in 0..<5000 as Range<UInt64> {
            var chance = SeededChance(seed: seed)
            let text = String(
                decoding: (0..<Int.random(in: 0...30, using: &chance)).map { _ in
                    "/%?&=+#:ahttp0é".utf8.randomElement(using: &chance)!
                }, as: UTF8.self)
            _ = RequestTarget(text)
        }
    }
}
