import JSON
import KubeObjects
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
}
