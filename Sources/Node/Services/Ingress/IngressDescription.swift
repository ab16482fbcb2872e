import JSON
import KubeObjects
import Linux

/// A port of a service that requests are led to.
struct IngressBackend: Hashable, Sendable {
    enum Port: Hashable, Sendable {
        case number(UInt16)
        case name(String)
    }

    var service: ServiceName
    var port: Port
}

/// A networking.k8s.io/v1.Ingress.
struct IngressDescription: Hashable, Sendable {
    struct Path: Hashable, Sendable {
        /// Begins with "/".
        var path: String
        /// Prefix and ImplementationSpecific are the same here: by elements of the path.
        var isExact: Bool
        var backend: IngressBackend
    }

    struct Rule: Hashable, Sendable {
        /// In small letters; "*.example.com" for all names of one label below; nil: any host.
        var host: String?
        var paths: [Path]
    }

    struct TLS: Hashable, Sendable {
        var hosts: [String]
        var secret: ServiceName
    }

    var name: ServiceName
    var createdAt: String
    var rules: [Rule] = []
    var defaultBackend: IngressBackend?
    var tls: [TLS] = []
    /// Whether requests without TLS are sent to where TLS is, for hosts that have it.
    var redirectsToTLS = true
    /// What of it is not done, in sentences.
    var refusals: [String] = []

    static let classAnnotation = "kubernetes.io/ingress.class"
    /// The one annotation of ingress-nginx that many manifests need.
    private static let redirectAnnotations = ["forkless.dev/ssl-redirect", "nginx.ingress.kubernetes.io/ssl-redirect"]

    init(_ object: KubeObject) {
        name = ServiceName(namespace: object.namespace ?? "", name: object.name)
        createdAt = object.metadata.creationTimestamp ?? ""
        let annotations = object.metadata.annotations
        redirectsToTLS = !Self.redirectAnnotations.contains { annotations[$0] == "false" }
        defaultBackend = object.spec["defaultBackend"].flatMap { backend($0) }
        for rule in object.spec["rules"]?.array ?? [] {
            let host = rule["host"]?.string.flatMap { $0.isEmpty ? nil : $0.lowercased() }
            var paths: [Path] = []
            for json in rule["http", "paths"]?.array ?? [] {
                guard let backend = backend(json["backend"]) else { continue }
                let path = json["path"]?.string ?? "/"
                paths.append(
                    Path(path: path.isEmpty ? "/" : path, isExact: json["pathType"]?.string == "Exact", backend: backend))
            }
            rules.append(Rule(host: host, paths: paths))
        }
        for entry in object.spec["tls"]?.array ?? [] {
            guard let secret = entry["secretName"]?.string, !secret.isEmpty else { continue }
            let hosts = (entry["hosts"]?.array ?? []).compactMap { $0.string?.lowercased() }
            tls.append(
                TLS(
                    hosts: hosts.isEmpty ? rules.compactMap(\.host) : hosts,
                    secret: ServiceName(namespace: name.namespace, name: secret)))
        }
    }

    private mutating func backend(_ json: JSONValue?) -> IngressBackend? {
        guard let json, !json.isNull else { return nil }
        guard let service = json["service"], let target = service["name"]?.string else {
            let kind = json["resource", "kind"]?.string ?? "object"
            refusals.append("A backend is a \(kind): only services are served")
            return nil
        }
        let place = ServiceName(namespace: name.namespace, name: target)
        if let port = service["port", "name"]?.string, !port.isEmpty { return IngressBackend(service: place, port: .name(port)) }
        guard let number = service["port", "number"]?.integer.flatMap({ UInt16(exactly: $0) }) else { return nil }
        return IngressBackend(service: place, port: .number(number))
    }
}

/// Which ingresses are ours.
struct IngressClasses: Hashable, Sendable {
    static let name = "forkless"
    /// `spec.controller` of our classes.
    static let controller = "forkless.dev/ingress"
    private static let defaultAnnotation = "ingressclass.kubernetes.io/is-default-class"

    private var classes: [String: (isOurs: Bool, isDefault: Bool)] = [:]

    mutating func put(_ object: KubeObject?, _ name: String) {
        classes[name] = object.map {
            ($0.spec["controller"]?.string == Self.controller, $0.metadata.annotations[Self.defaultAnnotation] == "true")
        }
    }

    /// One of our class, by field or by the older annotation. One without a class is ours when our class is the default,
    /// or when there is no class at all.
    func isOurs(_ ingress: KubeObject) -> Bool {
        if let name = ingress.spec["ingressClassName"]?.string ?? ingress.metadata.annotations[IngressDescription.classAnnotation] {
            return classes[name]?.isOurs ?? (name == Self.name)
        }
        return classes.isEmpty || classes.values.contains { $0.isOurs && $0.isDefault }
    }

    static func == (a: IngressClasses, b: IngressClasses) -> Bool {
        a.classes.mapValues { [$0.isOurs, $0.isDefault] } == b.classes.mapValues { [$0.isOurs, $0.isDefault] }
    }

    func hash(into hasher: inout Hasher) { hasher.combine(classes.mapValues { [$0.isOurs, $0.isDefault] }) }
}
