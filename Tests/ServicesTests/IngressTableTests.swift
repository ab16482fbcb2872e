import HTTPServing
import JSON
import KubeObjects
import KubeStore
import Linux
import Testing

@testable import Services

@Suite struct IngressTableTests {
    private func ingress(_ name: String, created: String = "2026", _ rules: [(String?, [(String, String, String)])], fallback: String? = nil) -> IngressDescription {
        func backend(_ service: String) -> JSONValue { ["service": ["name": .string(service), "port": ["number": 80]]] }
        var json: JSONValue = [
            "metadata": ["name": .string(name), "namespace": "default", "creationTimestamp": .string(created)],
            "spec": ["rules": .array(rules.map { host, paths in
                var rule: JSONValue = ["http": ["paths": .array(paths.map { ["path": .string($0.0), "pathType": .string($0.1), "backend": backend($0.2)] })]]
                if let host { rule["host"] = .string(host) }
                return rule
            })],
        ]
        if let fallback { json["spec", "defaultBackend"] = backend(fallback) }
        return IngressDescription(KubeObject(json: json))
    }

    private func service(_ table: IngressTable, _ host: String, _ path: String) -> String? {
        table.route(host: host, path: path)?.backend.service.name
    }

    @Test func `a host by name comes before a wildcard and that before any host`() {
        let table = IngressTable([
            ingress("a", [
                ("www.example.com", [("/", "Prefix", "www")]), ("*.example.com", [("/", "Prefix", "wild")]),
                ("api.example.com", [("/v1", "Prefix", "api")]), (nil, [("/", "Prefix", "any")]),
            ])
        ])
        #expect(service(table, "www.example.com", "/x") == "www")
        #expect(service(table, "img.example.com", "/x") == "wild")
        #expect(service(table, "a.b.example.com", "/x") == "any", "a wildcard stands for one label")
        #expect(service(table, "example.com", "/x") == "any")
        #expect(service(table, "api.example.com", "/v1/x") == "api")
        #expect(service(table, "api.example.com", "/v2") == nil, "the host decides first")
    }

    /// The table of kubernetes.io/docs/concepts/services-networking/ingress, "Examples".
    @Test func `the longest path wins, an exact one first`() {
        let examples: [(String, String, String, Bool)] = [
            ("Prefix", "/", "/any", true), ("Exact", "/foo", "/foo", true), ("Exact", "/foo", "/bar", false),
            ("Exact", "/foo", "/foo/", false), ("Exact", "/foo/", "/foo", false), ("Prefix", "/foo", "/foo", true),
            ("Prefix", "/foo", "/foo/", true), ("Prefix", "/foo/", "/foo", true), ("Prefix", "/foo/", "/foo/", true),
            ("Prefix", "/aaa/bb", "/aaa/bbb", false), ("Prefix", "/aaa/bbb", "/aaa/bbb", true),
            ("Prefix", "/aaa/bbb/", "/aaa/bbb", true), ("Prefix", "/aaa/bbb", "/aaa/bbb/", true),
            ("Prefix", "/aaa/bbb", "/aaa/bbb/ccc", true), ("Prefix", "/aaa/bbb", "/aaa/bbbxyz", false),
        ]
        for (type, path, asked, matches) in examples {
            let table = IngressTable([ingress("a", [(nil, [(path, type, "s")])])])
            #expect((service(table, "any", asked) != nil) == matches, "\(type) \(path) \(asked)")
        }
        let table = IngressTable([
            ingress("a", [(nil, [("/", "Prefix", "root"), ("/aaa", "Prefix", "aaa"), ("/aaa/bbb", "Prefix", "bbb"), ("/aaa/bbb", "Exact", "exact")])], fallback: "rest")
        ])
        #expect(service(table, "h", "/aaa/bbb") == "exact")
        #expect(service(table, "h", "/aaa/bbb/") == "bbb")
        #expect(service(table, "h", "/aaa/ccc") == "aaa")
        #expect(service(table, "h", "/ccc") == "root")
    }

    @Test func `the older of two ingresses has a path`() {
        let old = ingress("z", created: "2025", [("h", [("/", "Prefix", "old")])])
        let new = ingress("a", created: "2026", [("h", [("/", "Prefix", "new"), ("/new", "Prefix", "new")])], fallback: "rest")
        for ingresses in [[old, new], [new, old]] {
            let table = IngressTable(ingresses)
            #expect(service(table, "h", "/") == "old")
            #expect(service(table, "h", "/new/x") == "new")
            #expect(service(table, "other", "/") == "rest")
        }
    }

    @Test func `no spelling of a path leads around a rule`() {
        for (raw, normal) in [
            ("/a/b", "/a/b"), ("/a/../admin", "/admin"), ("/a/%2e%2e/admin", "/admin"), ("/%61dmin", "/admin"), ("//admin", "/admin"),
            ("/a/./b/", "/a/b/"), ("/..", "/"), ("", "/"), ("/a%", "/a%"), ("/a/..", "/"), ("/%2Fadmin", "/admin"),
        ] { #expect(RequestPath.normal(raw[...]) == normal, "\(raw)") }
    }

    @Test func `an ingress is ours by its class, by the older annotation, or when nobody else is there`() {
        func object(_ spec: JSONValue, _ annotations: JSONValue = [:]) -> KubeObject {
            KubeObject(json: ["metadata": ["name": "a", "annotations": annotations], "spec": spec])
        }
        var classes = IngressClasses()
        #expect(classes.isOurs(object([:])))
        #expect(classes.isOurs(object(["ingressClassName": "forkless"])))
        #expect(!classes.isOurs(object(["ingressClassName": "nginx"])))
        #expect(classes.isOurs(object([:], ["kubernetes.io/ingress.class": "forkless"])))
        classes.put(KubeObject(json: ["spec": ["controller": "k8s.io/ingress-nginx"]]), "nginx")
        #expect(!classes.isOurs(object([:])))
        classes.put(
            KubeObject(json: ["metadata": ["annotations": ["ingressclass.kubernetes.io/is-default-class": "true"]], "spec": ["controller": "forkless.dev/ingress"]]), "mine")
        #expect(classes.isOurs(object([:])) && classes.isOurs(object(["ingressClassName": "mine"])))
    }

    @Test func `whom a request is for is said in one way`() {
        func place(_ target: String, _ hosts: String...) -> String? {
            let request = HTTPRequest(method: "GET", target: target, headers: HeaderFields(hosts.map { ("Host", $0) }))
            return RequestPlace(request).map { "\($0.authority) \($0.host) \($0.target)" }
        }
        #expect(place("/a?b", "Shop.Example.com.:8080") == "Shop.Example.com.:8080 shop.example.com /a?b")
        #expect(place("http://shop.example.com:80/a?b", "other") == "shop.example.com:80 shop.example.com /a?b")
        #expect(place("HTTPS://shop?b", "other") == "shop shop /?b")
        #expect(place("/", "[::1]:80") == "[::1]:80 [::1] /" && place("*", "a") == "a a *")
        for host in ["", "a b", "a/b", "a@b", "a:b", "a:123456", ":80", ".", "[::1", "[]", "[a]b", "a,b", "a%2eb", "a\u{e9}"] {
            #expect(place("/", host) == nil, "\(host)")
        }
        #expect(place("/") == nil && place("/", "a", "b") == nil && place("ftp://a/", "a") == nil && place("a", "a") == nil)
        #expect(place("http:///x", "a") == nil)
    }

    @Test func `a secret that is no certificate is told of, and the others are served`() throws {
        var plan = IngressPlan()
        let object = KubeObject(json: [
            "metadata": ["name": "web", "namespace": "default"],
            "spec": [
                "tls": [
                    ["hosts": ["a.example"], "secretName": "gone"], ["hosts": ["b.example"], "secretName": "empty"],
                    ["hosts": ["c.example"], "secretName": "broken"],
                ]
            ],
        ])
        func put(_ name: String, _ data: JSONValue) {
            plan.take(
                .secrets, Resource.secrets.key(namespace: "default", name),
                KubeObject(json: ["metadata": ["name": .string(name), "namespace": "default"], "data": data]))
        }
        put("empty", ["tls.crt": ""])
        put("broken", ["tls.crt": "bm90aGluZw==", "tls.key": "bm90aGluZw=="])
        let troubles = plan.troubles(of: IngressDescription(object))
        try #require(troubles.count == 3, "\(troubles)")
        #expect(troubles[0] == "The secret gone is not there: a.example are served with the node's own certificate")
        #expect(troubles[1].contains("empty has no tls.crt and tls.key"))
        #expect(troubles[2].contains("broken is no certificate with its key"))
    }

    @Test func `an ingress says where it is served`() {
        let addresses = [IPAddress("10.0.0.1")!]
        #expect(BalancerStatus.places(addresses, http: 80, https: 443) == [["ip": "10.0.0.1"]])
        #expect(BalancerStatus.places(addresses, http: 80, https: 0) == [["ip": "10.0.0.1"]])
        #expect(BalancerStatus.places(addresses, http: 0, https: 0) == [])
        #expect(
            BalancerStatus.places(addresses, http: 7080, https: 7443) == [
                ["ip": "10.0.0.1", "ports": [["port": 7080, "protocol": "TCP"], ["port": 7443, "protocol": "TCP"]]]
            ])
    }

    @Test func `what came by ingresses can be read by Prometheus`() {
        let book = LoadBook()
        let name = ServiceName(namespace: "default", name: "web")
        for status in [200, 204, 503, nil] as [Int?] {
            book.began(name)
            book.ended(name, status: status, after: .milliseconds(3))
        }
        book.began(name)
        let text = LoadExposition.text(book.all)
        for line in [
            "# TYPE forkless_ingress_requests_total counter",
            "forkless_ingress_requests_total{namespace=\"default\",service=\"web\",code=\"2xx\"} 2",
            "forkless_ingress_requests_total{namespace=\"default\",service=\"web\",code=\"none\"} 1",
            "forkless_ingress_requests_in_flight{namespace=\"default\",service=\"web\"} 1",
            "forkless_ingress_request_duration_seconds_bucket{namespace=\"default\",service=\"web\",le=\"0.002\"} 0",
            "forkless_ingress_request_duration_seconds_bucket{namespace=\"default\",service=\"web\",le=\"0.005\"} 4",
            "forkless_ingress_request_duration_seconds_bucket{namespace=\"default\",service=\"web\",le=\"+Inf\"} 4",
            "forkless_ingress_request_duration_seconds_count{namespace=\"default\",service=\"web\"} 4",
        ] { #expect(text.split(separator: "\n").contains(line[...]), "\(line) in\n\(text)") }
        #expect(text.contains("_sum{namespace=\"default\",service=\"web\"} 0.012"))
        #expect(LoadExposition.text([:]) == "")
    }
}
