import HTTPServing
import JSON
import KubeObjects
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeServing

@Suite(.serialized, .timeLimit(.minutes(3))) struct DoorTests {
    @Test func `somebody without credentials is anonymous, and somebody with bad ones is nobody`() async throws {
        try await ServedDoor.with { door in
            let anonymous = try door.json(try await door.curl("/whoami"))
            #expect(anonymous["name"] == "system:anonymous")
            #expect(anonymous["groups"] == ["system:unauthenticated"])
            for header in ["Bearer nonsense", "Bearer a.b.c", "Basic YTpi", "Bearer"] {
                let refused = try await door.curl("/whoami", ["-i", "-H", "Authorization: \(header)"])
                #expect(refused.text.hasPrefix("HTTP/1.1 401 Unauthorized"), "\(header)")
                let body = try JSONParser.parse(String(refused.text.split(separator: "\r\n").last ?? ""))
                #expect(
                    body == [
                        "kind": "Status", "apiVersion": "v1", "metadata": [:], "status": "Failure",
                        "message": "Unauthorized", "reason": "Unauthorized", "code": 401,
                    ])
            }
            #expect(door.service.lastRequest?.user == .anonymous)
        }
    }

    @Test func `the administrator is known by token and by certificate`() async throws {
        try await ServedDoor.with { door in
            let byToken = try door.json(try await door.curlAsAdministrator("/whoami"))
            #expect(byToken["groups"] == ["system:masters", "system:authenticated"])
            let pair = try door.authority.clientCertificate(user: "jane", groups: ["blue", "green"])
            let certificate = try door.directory.write(pair.certificate, to: "jane.crt")
            let key = try door.directory.write(pair.key, to: "jane.key", mode: 0o600)
            let byCertificate = try door.json(try await door.curl("/whoami", ["--cert", certificate, "--key", key]))
            #expect(byCertificate == ["name": "jane", "groups": ["blue", "green", "system:authenticated"]])
        }
    }

    @Test func `a service account is known by its token`() async throws {
        try await ServedDoor.with { door in
            door.objects.put(.serviceAccounts, "default", "robot", uid: "s1")
            let account = try #require(door.objects.find(.serviceAccounts, "default", "robot"))
            let token = try door.tokens.issue(account).token
            let header = ["-H", "Authorization: Bearer \(token)"]
            let known = try door.json(try await door.curl("/whoami", header))
            #expect(known["name"] == "system:serviceaccount:default:robot")
            #expect(
                known["groups"] == ["system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"])
            door.objects.remove(.serviceAccounts, "default", "robot")
            #expect(try await door.curl("/whoami", header + ["-w", "%{http_code}", "-o", "/dev/null"]).text == "401")
        }
    }

    @Test func `a request comes to the API as it was meant`() async throws {
        try await ServedDoor.with { door in
            let echo = try door.json(
                try await door.curlAsAdministrator(
                    "/echo/?labelSelector=a%3Db%2Cc&q=x+y&command=a&command=b%26",
                    ["-X", "PUT", "-d", "12345", "-H", "ACCEPT: x/y"])
            )
            #expect(echo["method"] == "PUT")
            #expect(echo["path"] == ["echo"])
            #expect(echo["query"] == ["labelSelector=a=b,c", "q=x y", "command=a", "command=b&"])
            #expect(echo["body"] == 5)
            #expect(echo["peer"] == "127.0.0.1")
            #expect(echo["accept"] == "x/y")
            #expect(echo["authorization"] == "")
            let bad = try await door.curlAsAdministrator("/a%zz", ["-w", "%{http_code}", "-o", "/dev/null"])
            #expect(bad.text == "400")
            _ = try await door.curlAsAdministrator("/a%2Fb/c")
            #expect(door.service.lastRequest?.path == ["a/b", "c"])
        }
    }

    @Test func `a body of more than 3 MiB is refused with a Status`() async throws {
        try await ServedDoor.with { door in
            let file = try door.directory.write(String(repeating: "x", count: (3 << 20) + 1), to: "long")
            let refused = try door.json(try await door.curlAsAdministrator("/echo", ["--data-binary", "@" + file]))
            #expect(refused["code"] == 413)
            #expect(refused["reason"] == "RequestEntityTooLarge")
            #expect(refused["message"] == "Request entity too large: limit is 3145728")
            let most = try door.directory.write(String(repeating: "x", count: 3 << 20), to: "most")
            #expect(
                try door.json(try await door.curlAsAdministrator("/echo", ["--data-binary", "@" + most]))["body"]
                    == 3_145_728)
        }
    }

    @Test func `every answer has an audit id and may not be cached`() async throws {
        try await ServedDoor.with { door in
            let answer = try await door.curl("/whoami", ["-i"])
            #expect(answer.text.contains("Cache-Control: no-cache, private\r\n"))
            let line = try #require(answer.text.split(separator: "\r\n").first { $0.hasPrefix("Audit-Id: ") })
            #expect(line.count == "Audit-Id: ".count + 36)
            let own = try await door.curl("/whoami", ["-i", "-H", "Audit-ID: mine"])
            #expect(own.text.contains("Audit-Id: mine\r\n"))
            let head = try await door.curl("/whoami", ["-I"])
            #expect(head.text.contains("Content-Length: ") && head.text.hasSuffix("\r\n\r\n"))
            #expect(door.service.lastRequest?.method == "HEAD")
        }
    }

    @Test func `a header that would end its line is cleaned`() async throws {
        try await ServedDoor.with { door in
            door.service.events.emit("event\n")
            door.service.events.cancel()
            let answer = try await door.curl("/warning?text=a%0D%0AEvil:%20b%00c", ["-i"])
            #expect(answer.text.hasPrefix("HTTP/1.1 200 OK\r\nWarning: a  Evil: b c\r\nAudit-Id: "))
            #expect(answer.text.hasSuffix("\r\n\r\nevent\n"))
        }
    }

    @Test(arguments: ["-tls1_2", "-tls1_3"]) func `a resumed session of TLS keeps its certificate`(
        _ version: String
    ) async throws {
        try await ServedDoor.with { door in
            let pair = try door.authority.clientCertificate(user: "jane", groups: [])
            let certificate = try door.directory.write(pair.certificate, to: "jane.crt")
            let key = try door.directory.write(pair.key, to: "jane.key", mode: 0o600)
            let session = door.directory.path("session")
            let request = "GET /whoami HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            for (round, more) in [["-sess_out", session], ["-sess_in", session]].enumerated() {
                let outcome = try await CommandRunner.run(
                    [
                        "openssl", "s_client", "-connect", "127.0.0.1:\(door.port)", "-CAfile", door.caFile, "-cert",
                        certificate, "-key", key, "-ign_eof", "-alpn", "h2,http/1.1", version,
                    ] + more, input: Array(request.utf8))
                #expect(outcome.text.contains("\"name\":\"jane\""), "\(outcome.text)")
                #expect(outcome.text.contains("ALPN protocol: http/1.1"))
                #expect(outcome.text.contains("Verify return code: 0 (ok)"))
                #expect(outcome.text.contains("Reused, ") == (round == 1), "\(outcome.text)")
            }
        }
    }

    @Test func `a watch sends each event when it comes`() async throws {
        try await ServedDoor.with { door in
            let file = door.directory.path("events")
            try await BackgroundServer.running(
                ["curl", "-sSN", "--cacert", door.caFile, "-o", file, door.url + "/events"],
                log: door.directory.path("log")
            ) { _ in
                var expected = ""
                for number in 1...5 {
                    door.service.events.emit("event \(number)\n")
                    expected += "event \(number)\n"
                    let now = expected
                    try await eventually("event \(number)") { (try? Files.readText(file)).map { $0 + "\n" } == now }
                }
                #expect(door.door.openAnswers == 1)
            }
            try await eventually("the end of the watch") { door.service.events.isCancelled }
        }
    }

    @Test func `a watch ends when its client has gone`() async throws {
        try await ServedDoor.with { door in
            // It goes when it watches, however long it took to be connected.
            try await BackgroundServer.running(
                ["curl", "-sSN", "--cacert", door.caFile, door.url + "/events"], log: door.directory.path("log")
            ) { _ in try await eventually("the watch") { door.door.openAnswers == 1 } }
            try await eventually("the end of the watch") { door.service.events.isCancelled }
            try await eventually("no open answer") { door.door.openAnswers == 0 }
        }
    }

    @Test func `a door that closes ends its watches as a whole answer`() async throws {
        try await ServedDoor.with { door in
            door.service.events.emit("first\n")
            async let found = door.curl("/events", ["-w", "%{http_code}"])
            try await eventually("the watch") { door.door.openAnswers == 1 }
            await door.door.close(after: .seconds(30))
            let outcome = try await found
            #expect(outcome.text == "first\n200")
            #expect(outcome.status.isSuccess)
        }
    }

    @Test func `health is told in the words of kube-apiserver`() async throws {
        let isReady = Mutex(false)
        let checks = [
            HealthCheck("store") { nil },
            HealthCheck("informers", isOfLife: false) { isReady.withLock { $0 } ? nil : "late" },
        ]
        try await ServedDoor.with(health: checks) { door in
            #expect(try await door.curl("/livez").text == "ok")
            #expect(try await door.curl("/healthz?verbose").text == "[+]ping ok\n[+]store ok\nhealthz check passed\n")
            let unready = try await door.curl("/readyz", ["-w", "%{http_code}"])
            #expect(
                unready.text
                    == "[+]ping ok\n[+]store ok\n[-]informers failed: reason withheld\nreadyz check failed\n500")
            #expect(try await door.curl("/readyz?exclude=informers").text == "ok")
            #expect(try await door.curl("/readyz/store").text == "ok")
            isReady.withLock { $0 = true }
            #expect(try await door.curl("/readyz").text == "ok")
            #expect(try await door.curl("/readyz?verbose&exclude=x").text.contains("no matches for \"x\""))
            #expect(try await door.curl("/livez/nothing", ["-w", "%{http_code}", "-o", "/dev/null"]).text == "404")
        }
    }

    @Test func `the keys of tokens are published to whoever is known`() async throws {
        try await ServedDoor.with { door in
            let configuration = try door.json(try await door.curlAsAdministrator("/.well-known/openid-configuration"))
            #expect(configuration["issuer"] == "https://kubernetes.default.svc.cluster.local")
            #expect(configuration["jwks_uri"] == "https://kubernetes.default.svc.cluster.local/openid/v1/jwks")
            let keys = try door.json(try await door.curlAsAdministrator("/openid/v1/jwks"))
            #expect(keys["keys"]?[0]?["crv"] == "P-256")
            let refused = try door.json(try await door.curl("/openid/v1/jwks"))
            #expect(refused["message"] == "forbidden: User \"system:anonymous\" cannot get path \"/openid/v1/jwks\"")
        }
    }

    @Test func `a log is sent as it is written, and what is wrong is said before the first byte`() async throws {
        let pods = FakePods()
        try await ServedDoor.with(pods: pods) { door in
            let path = "/api/v1/namespaces/default/pods/web/log"
            let refused = try door.json(try await door.curlAsAdministrator(path))
            #expect(refused["code"] == 400)
            let file = door.directory.path("log")
            let header = "Authorization: Bearer \(door.authority.administratorToken)"
            try await BackgroundServer.running(
                ["curl", "-sSN", "-H", header, "--cacert", door.caFile, "-o", file, door.url + path + "?follow=true"],
                log: door.directory.path("curl")
            ) { _ in
                pods.logs.emit("hello\n")
                try await eventually("the line") { (try? Files.readText(file)) == "hello" }
            }
            try await eventually("the end of the log") { pods.logs.isCancelled }
        }
    }
}
