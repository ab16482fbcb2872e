import JSON
import Linux
import TestKit
import Testing

@testable import CommandLine

/// Ingresses of a real node: real pods, kubectl and curl.
@Suite(.serialized, .enabled(if: isRoot), .timeLimit(.minutes(10))) struct KubeIngressTests {
    /// Where the node serves ingresses, as an Ingress says it: of HTTP and of HTTPS.
    private func ports(_ kubectl: KubeStage, _ ingress: String) async throws -> (Int64, Int64) {
        try await eventuallySome("the ingress says where it is") {
            let place = try await kubectl.get("ingress", ingress)["status", "loadBalancer", "ingress"]?[0]
            guard place?["ip"] == "127.0.0.1", let ports = place?["ports"]?.array, ports.count == 2,
                let http = ports[0]["port"]?.integer, let https = ports[1]["port"]?.integer
            else { return nil }
            return (http, https)
        }
    }

    private func curl(_ arguments: [String]) async throws -> String {
        let outcome = try await CommandRunner.run(["curl", "-sS", "--max-time", "20"] + arguments, within: .seconds(30))
        return outcome.text + outcome.errorText
    }

    private func firstLine(_ text: String) -> String { String(text.prefix { !$0.isNewline }) }

    @Test func `an ingress leads to pods as it is written, and what goes through is what was sent`() async throws {
        try await KubeStage.run { kubectl in
            try await kubectl.apply(
                PodServer.code() + PodServer.manifest("one") + PodServer.manifest("two")
                    + PodServer.ingress(
                        "web",
                        [
                            (
                                "shop.example.com",
                                [("/", "Prefix", "one"), ("/two/", "Prefix", "two"), ("/exact", "Exact", "two"), ("/gone", "Prefix", "gone")]
                            ), ("*.wild.example.com", [("/", "ImplementationSpecific", "two")]),
                        ])
                    + PodServer.ingress("foreign", [("foreign.example.com", [("/", "Prefix", "one")])], ["ingressClassName": "nginx"]))
            for name in ["one", "two"] { try await kubectl("rollout", "status", "deployment/\(name)", "--timeout=60s", within: .seconds(90)) }
            let classes = try await kubectl("get", "ingressclass").text
            #expect(classes.contains("forkless (default)") || classes.contains("forkless"), "\(classes)")
            #expect(try await kubectl.get("ingress", "web")["spec", "ingressClassName"] == "forkless", "the class that is the default")
            let (http, _) = try await ports(kubectl, "web")
            func ask(_ host: String, _ path: String, _ more: String...) async throws -> String {
                try await curl(["-H", "Host: \(host)"] + more + ["http://127.0.0.1:\(http)\(path)"])
            }
            // The gateway hears of the pods a moment after the status of their deployments.
            for (path, name) in [("/", "one"), ("/two", "two")] {
                try await eventually(within: .seconds(30), "the pods of \(name) are known") {
                    firstLine(try await ask("shop.example.com", path)) == "\(name) GET \(path)"
                }
            }
            for (host, path, answer) in [
                ("shop.example.com", "/a?b=c", "one GET /a?b=c"), ("SHOP.example.com.:80", "/two", "two GET /two"),
                ("shop.example.com", "/two/x", "two GET /two/x"), ("shop.example.com", "/twox", "one GET /twox"),
                ("shop.example.com", "/exact", "two GET /exact"), ("shop.example.com", "/exact/x", "one GET /exact/x"),
                ("a.wild.example.com", "/", "two GET /"),
            ] { #expect(firstLine(try await ask(host, path)) == answer, "\(host)\(path)") }
            for (host, path, status) in [
                ("shop.example.com", "/gone", "503"), ("a.b.wild.example.com", "/", "404"), ("wild.example.com", "/", "404"),
                ("foreign.example.com", "/", "404"),
            ] { #expect(try await ask(host, path, "-o", "/dev/null", "-w", "%{http_code}") == status, "\(host)\(path)") }
            #expect(try await kubectl.get("ingress", "foreign")["status", "loadBalancer", "ingress"] == nil)
            // Everything else goes to the default backend of an ingress that has one.
            try await kubectl.apply(
                JSONWriter.text([
                    "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": ["name": "rest"],
                    "spec": ["defaultBackend": ["service": ["name": "two", "port": ["number": 80]]]],
                ] as JSONValue))
            try await eventually("the default backend answers") { firstLine(try await ask("other.org", "/r")) == "two GET /r" }
            let fields = try await ask("shop.example.com", "/hop", "-i", "-H", "X-Forwarded-For: 6.6.6.6", "-H", "Forwarded: for=6.6.6.6")
            for text in ["X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http\n", "X-Forwarded-Host: shop.example.com"] {
                #expect(fields.contains(text), "\(text) in \(fields)")
            }
            for text in ["6.6.6.6", "X-Private", "Keep-Alive"] { #expect(!fields.contains(text), "\(text) in \(fields)") }
            let file = kubectl.forkless.path("body")
            try Files.replace(file, with: [UInt8](repeating: 65, count: 50_000_000))
            for way in [["-T", file], ["-H", "Transfer-Encoding: chunked", "-T", file]] {
                let answer = try await curl(["-H", "Host: shop.example.com"] + way + ["http://127.0.0.1:\(http)/up"])
                #expect(answer.hasSuffix("body 50000000\n"), "\(answer)")
            }
            #expect(try await ask("shop.example.com", "/big/50000000", "-o", "/dev/null", "-w", "%{size_download}") == "50000000")
            let client = try await CommandRunner.run(
                ["python3", "-c", PodServer.client, "\(http)", "shop.example.com"], within: .seconds(30))
            #expect(client.text == "websocket\ntrailers\nold\ncontinue\nrefused\n", "\(client.errorText)")
            let metrics = try await kubectl("get", "--raw", "/metrics").text
            #expect(metrics.contains("forkless_ingress_requests_total{namespace=\"default\",service=\"one\",code=\"2xx\"}"), "\(metrics)")
        }
    }

    @Test func `a certificate is a secret, which may be replaced, and one that is broken is told of`() async throws {
        try await KubeStage.run { kubectl in
            func certificate(_ name: String, _ host: String) async throws -> (key: String, certificate: String) {
                let files = (kubectl.forkless.path(name + ".key"), kubectl.forkless.path(name + ".crt"))
                let made = try await CommandRunner.run([
                    "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                    "/CN=" + name, "-addext", "subjectAltName=DNS:" + host, "-keyout", files.0, "-out", files.1,
                ])
                try #require(made.status.isSuccess)
                return files
            }
            let (first, second) = (try await certificate("first", "shop.example.com"), try await certificate("second", "shop.example.com"))
            let wild = try await certificate("wild", "*.wild.example.com")
            for (name, files) in [("shop", first), ("wild", wild)] {
                try await kubectl("create", "secret", "tls", name, "--cert=\(files.certificate)", "--key=\(files.key)")
            }
            try await kubectl.apply(
                PodServer.code() + PodServer.manifest("one")
                    + PodServer.ingress(
                        "web",
                        [
                            ("shop.example.com", [("/", "Prefix", "one")]), ("a.wild.example.com", [("/", "Prefix", "one")]),
                            ("plain.example.com", [("/", "Prefix", "one")]),
                        ],
                        [
                            "tls": [
                                ["hosts": ["shop.example.com"], "secretName": "shop"], ["hosts": ["*.wild.example.com"], "secretName": "wild"],
                                ["hosts": ["broken.example.com"], "secretName": "broken"],
                            ]
                        ])
                    + PodServer.document([
                        "apiVersion": "v1", "kind": "Secret", "metadata": ["name": "broken"], "type": "kubernetes.io/tls",
                        "data": ["tls.crt": "bm9uZQ==", "tls.key": "bm9uZQ=="],
                    ]))
            try await kubectl("rollout", "status", "deployment/one", "--timeout=60s", within: .seconds(90))
            let (http, https) = try await ports(kubectl, "web")
            func secure(_ host: String, _ authority: String) async throws -> String {
                try await curl(["--resolve", "\(host):\(https):127.0.0.1", "--cacert", authority, "https://\(host):\(https)/x"])
            }
            try await eventually(within: .seconds(30), "the certificate is shown and the pod is known") {
                firstLine(try await secure("shop.example.com", first.certificate)) == "one GET /x"
            }
            let answer = try await secure("shop.example.com", first.certificate)
            #expect(answer.hasPrefix("one GET /x\n") && answer.contains("X-Forwarded-Proto: https\n"), "\(answer)")
            #expect(firstLine(try await secure("a.wild.example.com", wild.certificate)) == "one GET /x")
            #expect(try await secure("shop.example.com", second.certificate).contains("certificate"))
            let replaced = try await kubectl(
                "create", "secret", "tls", "shop", "--cert=\(second.certificate)", "--key=\(second.key)", "--dry-run=client", "-o", "yaml")
            try await kubectl.apply(replaced.text)
            try await eventually("the new certificate is shown") {
                firstLine(try await secure("shop.example.com", second.certificate)) == "one GET /x"
            }
            try await eventually("the broken one is told of") {
                let events = try await kubectl("get", "events", "--field-selector", "involvedObject.kind=Ingress").text
                return events.contains("CertificateNotUsed") && events.contains("secret broken is no certificate with its key")
            }
            let plain = try await curl(["-i", "-H", "Host: shop.example.com", "http://127.0.0.1:\(http)/x?y=1"])
            #expect(plain.hasPrefix("HTTP/1.1 308 ") && plain.contains("Location: https://shop.example.com:\(https)/x?y=1\r\n"), "\(plain)")
            let untouched = try await curl(["-H", "Host: plain.example.com", "http://127.0.0.1:\(http)/x"])
            #expect(firstLine(untouched) == "one GET /x", "a host without a certificate is served as it is")
        }
    }

    @Test func `a rolling update under load through an ingress loses no request, and at zero the first one waits`() async throws {
        try await KubeStage.run { kubectl in
            let sleeps = "{forkless.dev/scale-to-zero: \"true\"}"
            try await kubectl.apply(
                PodServer.code() + PodServer.manifest("web", replicas: 3, annotations: sleeps)
                    + PodServer.ingress("web", [("shop.example.com", [("/", "Prefix", "web")])]))
            try await kubectl("rollout", "status", "deployment/web", "--timeout=60s", within: .seconds(90))
            let (http, _) = try await ports(kubectl, "web")
            async let load = CommandRunner.run(
                ["wrk", "-t1", "-c6", "-d8s", "--timeout", "5s", "-H", "Host: shop.example.com", "http://127.0.0.1:\(http)/w"],
                within: .seconds(30))
            for round in 2...3 {
                try await kubectl("set", "env", "deployment/web", "ROUND=\(round)")
                try await kubectl("rollout", "status", "deployment/web", "--timeout=60s", within: .seconds(90))
            }
            let report = try await load.text
            #expect(report.contains("requests in"), "\(report)")
            #expect(!report.contains("Non-2xx") && !report.contains("Socket errors"), "\(report)")
            try await kubectl("scale", "deployment/web", "--replicas=0")
            try await eventually(within: .seconds(30), "nobody is there") {
                try await kubectl("get", "pods", "-l", "app=web", "-o", "name").text.isEmpty
            }
            let first = try await curl(["-H", "Host: shop.example.com", "http://127.0.0.1:\(http)/first"])
            #expect(firstLine(first) == "web GET /first", "\(first)")
        }
    }
}
