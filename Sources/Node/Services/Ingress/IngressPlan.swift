import HTTPServing
import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// What the gateway knows: routes, and where services are. A value that each request is decided from.
struct GatewaySnapshot: Sendable {
    struct Backend: Hashable, Sendable {
        var servers: [HTTPAddress] = []
        /// Whether requests wait for a server instead of being refused: its Deployment may be at zero.
        var mayWait = false
        /// The function that answers instead of servers.
        var function: String?
    }

    var table = IngressTable()
    /// Of services that are there and have the port.
    var backends: [IngressBackend: Backend] = [:]
    var certificates: [ServiceName: TLSCertificate] = [:]

    /// Everybody who may be asked.
    var servers: Set<HTTPAddress> { Set(backends.values.flatMap(\.servers)) }
}

/// Ingresses, their classes and certificates as they are.
struct IngressPlan: Sendable {
    private var objects: [ServiceName: KubeObject] = [:]
    private var classes = IngressClasses()
    private var certificates: [ServiceName: TLSCertificate] = [:]
    /// Why a secret is no certificate, in words that follow its name.
    private var unusable: [ServiceName: String] = [:]
    private(set) var ingresses: [ServiceName: IngressDescription] = [:]
    private(set) var table = IngressTable()
    private var isDirty = false
    /// Deployments that may be at zero: namespace and labels of their pods.
    private var sleepers: [ServiceName: JSONValue] = [:]

    static let classResource = Resource(Schema.kubernetes.kind(group: "networking.k8s.io", version: "v1", plural: "ingressclasses")!)
    static let resources: [Resource] = [.ingresses, classResource, .secrets, .deployments]

    /// On a Service: requests are answered by this function.
    static let functionAnnotation = "forkless.dev/function"

    mutating func take(_ resource: Resource, _ key: ObjectKey, _ object: KubeObject?) {
        let name = ServiceName(namespace: key.namespace ?? "", name: key.name)
        switch resource {
        case .ingresses: objects[name] = object
        case Self.classResource: classes.put(object, key.name)
        case .secrets: return takeSecret(name, object)
        case .deployments:
            let sleeps = object?.metadata.annotations[ServiceRouter.sleepAnnotation] == "true"
            sleepers[name] = sleeps ? object?.spec["template", "metadata", "labels"] : nil
            return
        default: return
        }
        isDirty = true
    }

    private mutating func takeSecret(_ name: ServiceName, _ secret: KubeObject?) {
        (certificates[name], unusable[name]) = (nil, nil)
        guard let secret else { return }
        let parts = ["tls.crt", "tls.key"].map { secret.json["data", $0]?.string.flatMap { Base64.bytes($0) } ?? [] }
        guard !parts[0].isEmpty, !parts[1].isEmpty else {
            unusable[name] = "has no tls.crt and tls.key"
            return
        }
        do throws(HTTPServingFailure) {
            certificates[name] = try TLSCertificate(chain: parts[0], privateKey: parts[1])
        } catch { unusable[name] = "is no certificate with its key (\(error.sentence))" }
    }

    /// What is wrong with secrets that an ingress names.
    func troubles(of ingress: IngressDescription) -> [String] {
        var troubles: [String] = []
        for tls in ingress.tls where certificates[tls.secret] == nil {
            let hosts = tls.hosts.isEmpty ? "its hosts" : tls.hosts.joined(separator: ", ")
            troubles.append(
                "The secret \(tls.secret.name) \(unusable[tls.secret] ?? "is not there"): "
                    + "\(hosts) are served with the node's own certificate")
        }
        return troubles
    }

    /// The gateway's view; services are asked of the model.
    mutating func snapshot(_ model: ClusterModel) -> GatewaySnapshot {
        if isDirty {
            ingresses = objects.filter { classes.isOurs($0.value) }.mapValues { IngressDescription($0) }
            table = IngressTable(ingresses.values)
            isDirty = false
        }
        var snapshot = GatewaySnapshot(table: table)
        for backend in table.backends {
            guard let service = model.services[backend.service] else { continue }
            if let function = service.function {
                snapshot.backends[backend] = GatewaySnapshot.Backend(function: function)
                continue
            }
            guard let port = service.ports.first(where: { Self.isMeant($0, backend.port) }) else { continue }
            let rules = ServiceRules(
                service: service, slices: model.slices(of: service.name), withdrawals: model.withdrawals)
            let targets = rules.targets(of: port, isIPv6: false) + rules.targets(of: port, isIPv6: true)
            snapshot.backends[backend] = GatewaySnapshot.Backend(
                servers: targets.map { .tcp("\($0.address)", $0.port) }, mayWait: maySleep(service))
        }
        for secret in Set(table.certificates.values) { snapshot.certificates[secret] = certificates[secret] }
        return snapshot
    }

    private static func isMeant(_ port: ServiceDescription.Port, _ wanted: IngressBackend.Port) -> Bool {
        guard port.transport == .tcp else { return false }
        switch wanted {
        case .number(let number): return port.port == number
        case .name(let name): return port.name == name
        }
    }

    private func maySleep(_ service: ServiceDescription) -> Bool {
        guard let selector = try? LabelSelector(labels: service.selector), !selector.isNothing else { return false }
        return sleepers.contains { $0.key.namespace == service.name.namespace && selector.matches($0.value) }
    }
}
