import Engine
import HTTPServing
import JSON
import KubeAPI
import KubeControllers
import KubeObjects
import KubeSchema
import KubeServing
import KubeStore
import KubeViews
import LambdaAPI
import Linux
import Metrics
import Networking
import Pods
import Registry
import Services
import Store

/// A cluster of one machine: the API with its objects, the controllers that act on them, the agent that runs pods, the way to
/// services, and the door that clients come through.
///
/// Invariants
/// 1. What was answered is in the database: a node that is killed loses no object.
///    (test: `no object is lost when the node is killed under load`)
/// 2. Pods go on without a node, and the next one takes them over; a node that ends ends none.
///    (test: `pods go on when the node is killed, and the next one knows them`)
final class KubeCluster: Sendable {
    private let authority: NodeAuthority
    /// Where the API is reached on this machine.
    private let place: InternetEndpoint
    private let parts: Parts
    private let server: APIServer
    private let router: ServiceRouter
    private let doors: [KubeDoor]
    private let loops: ServingLoops
    /// What the API has, as the controllers see it.
    let cache: ObjectCache
    private let tasks: [Task<Void, Never>]
    private let requests = RequestCounts()

    var store: ObjectStore { parts.store }

    /// What is made before anything runs.
    private struct Parts {
        var machine: KubeMachine
        var database: StateDatabase
        var store: ObjectStore
        var settings: KubeSettings
        var node: NodeSurroundings
        var gateway: IPAddress
    }

    /// Serves when this returns. Pods begin once the node has its keeper.
    ///
    /// - Parameter socket: listens already.
    static func start(_ node: NodeSurroundings, _ socket: consuming OwnedFD) async throws(NodeFailure) -> KubeCluster {
        let settings = node.settings.kubernetes
        let facts: MachineFacts
        do { facts = try MachineFacts.ofThisMachine() } catch { throw NodeFailure(.system, "look at this machine: \(error)") }
        let (database, store) = try await KubeDatabase.open(state: node.settings.state)
        let parts = Parts(
            machine: KubeMachine(facts, version: node.settings.version, directory: node.settings.state),
            database: database, store: store,
            settings: settings, node: node, gateway: settings.pods.base.advanced(by: 1)!)
        return try await KubeCluster(parts, socket)
    }

    private init(_ parts: Parts, _ socket: consuming OwnedFD) async throws(NodeFailure) {
        let (node, machine, store, settings) = (parts.node, parts.machine, parts.store, parts.settings)
        let authority = try await Self.authority(parts)
        let find: TokenSubjectLookup = { resource, namespace, name async throws(APIFailure) in
            do throws(ObjectStoreFailure) {
                return KubeObject(try await store.get(resource.key(namespace: namespace, name)))
            } catch {
                if case .notFound = error { return nil }
                throw APIFailure(error, resource, name)
            }
        }
        let issuer = KubeServing.ServiceAccountTokens(authority: authority, lookup: find)
        let tokens = KubeTokens(tokens: issuer, find: find)
        let place: InternetEndpoint
        do throws(SystemError) { place = try InternetSocket.local(socket.raw)! } catch {
            throw NodeFailure(.system, "--kubernetes-listen: \(error)")
        }
        let port = place.port
        let kinds = ServedKinds()
        let metrics = KubeMetrics(node: machine.name, capacity: machine.facts.capacity)
        var api = APISettings(serviceRanges: [settings.services], nodePorts: settings.nodePorts)
        api.apiAddress = parts.gateway
        api.apiPort = port
        if settings.ingress != nil { api.ingressController = ServiceRouter.ingressController }
        let server = APIServer(
            store: store, kinds: kinds, version: ServerVersion(program: node.settings.version), settings: api, tokens: tokens,
            computed: metrics, authorities: [Self.functions(node, store)])
        do throws(APIFailure) { try await server.start() } catch { throw NodeFailure(.system, "start the Kubernetes API: \(error)") }
        let trouble = Published<String?>(nil)
        let scaling = ScalingMetrics()
        let group = Self.controllers(parts, kinds, server, authority, issuer, scaling, trouble)
        let waking = WakingFromZero(
            cache: group.cache, client: server.client(as: Self.user("system:forkless"), manager: "forkless"), note: node.log.note("kubernetes"))
        let loops = ServingLoops(count: 2)
        let router = Self.router(parts, server, group.cache, reserved: port, loops, Self.ingress(parts, authority, loops, waking))
        node.networks.answerNames(first: { query, sender in router.decide(query, from: sender) })
        let agent = Self.agent(parts, server, group.cache, router, tokens)
        metrics.measure(agent, router)
        let guarded = EventSourceGuard(service: server)
        let mirror = node.functions.rung.map { rung in
            FunctionMirror(
                catalog: rung.catalog, client: server.client(as: Self.user(FunctionObjects.mirror), manager: "forkless"),
                note: node.log.note("kubernetes"))
        }
        let reclaimer = VolumeReclaimer(
            cache: group.cache, client: server.client(as: Self.user("system:persistent-volume-binder")),
            directory: Self.volumeDirectory(parts),
            remove: { path in
                try await BlockingPool.shared.run { () throws(SystemError) in
                    if Files.exists(path) { try Files.removeTree(path) }
                }
            }, report: node.log.note("kubernetes"))
        self.authority = authority
        self.place = place
        self.parts = parts
        self.server = server
        self.router = router
        self.loops = loops
        cache = group.cache
        tasks = [
            Task { await group.run() },
            Task { await reclaimer.run() },
            Task { await mirror?.run() },
            Task { await scaling.run(agent, router, group.cache, node.log.note("kubernetes")) },
            Task { await Self.run(router, node) },
            Task { await Self.run(agent, node, trouble) },
            Task { await store.maintain(every: .seconds(10), on: ContinuousClock()) { node.note("compact the objects' history: \($0)") } },
        ]
        let ready = HealthCheck("keeper", isOfLife: false) {
            await node.link.identity != nil ? nil : "the node has no keeper"
        }
        let authenticator = Authenticator(authority: authority, tokens: issuer)
        do throws(HTTPServingFailure) {
            var doors: [KubeDoor] = []
            doors.append(
                try await KubeDoor.listen(
                    on: .descriptor(socket), authority: authority, service: guarded, pods: agent, authenticator: authenticator,
                    tokens: issuer, health: [ready], loops: loops, counts: requests, calls: node.log.calls,
                    report: { node.note("\($0)") }))
            // Where pods reach it, through the service `kubernetes`: the address comes with the first pod.
            if let inner = try? InternetSocket.bind(
                .stream, to: InternetEndpoint(parts.gateway, port), backlog: 128, aheadOfAddress: true)
            {
                doors.append(
                    try await KubeDoor.listen(
                        on: .descriptor(inner), authority: authority, service: guarded, pods: agent,
                        authenticator: authenticator, tokens: issuer, health: [ready], loops: loops, counts: requests,
                        calls: node.log.calls))
            } else {
                node.note("pods do not reach the Kubernetes API: the address \(parts.gateway):\(port) is taken.")
            }
            self.doors = doors
        } catch {
            for task in tasks { task.cancel() }
            throw NodeFailure(.unavailable, "--kubernetes-listen: \(error)")
        }
        for warning in authority.warnings { node.note(warning) }
    }

    // Its parts.

    private static func authority(_ parts: Parts) async throws(NodeFailure) -> NodeAuthority {
        let names = ServingNames(
            hosts: [parts.machine.name],
            addresses: [parts.machine.address, parts.gateway, parts.settings.services.base.advanced(by: 1)!])
        do throws(AuthorityFailure) {
            return try await NodeAuthority.open(
                directory: "\(parts.node.settings.state)/kubernetes/authority", names: names)
        } catch { throw NodeFailure(.system, error.sentence) }
    }

    private static func functions(_ node: NodeSurroundings, _ store: ObjectStore) -> FunctionObjects {
        FunctionObjects(catalog: node.functions.rung?.catalog) { () async throws(APIFailure) in
            do throws(ObjectStoreFailure) {
                return try await store.list(ListRequest(FunctionMirror.functions.scope())).objects.map { KubeObject($0) }
            } catch { throw APIFailure(error, FunctionMirror.functions, "") }
        }
    }

    /// What controllers and the agent are to the API.
    private static func user(_ name: String) -> UserInfo { UserInfo(name: name, groups: [UserInfo.masters]) }

    private static func controllers(
        _ parts: Parts, _ catalog: ServedKinds, _ server: APIServer, _ authority: NodeAuthority,
        _ issuer: KubeServing.ServiceAccountTokens, _ scaling: ScalingMetrics, _ trouble: Published<String?>
    ) -> ControllerGroup {
        let machine = parts.machine
        let kinds = StoredKinds(catalog)
        let range = parts.settings.pods
        let settings = ClusterControllers.Settings(
            node: machine.name,
            facts: {
                var facts = machine.nodeFacts(podRange: range)
                facts.notReady = trouble.value
                return facts
            }, certificate: authority.authorityCertificate, issue: { Self.lastingToken($0, issuer) },
            volumeDirectory: volumeDirectory(parts), kinds: kinds)
        let workloads: [any Controller] = [
            DeploymentController(), ReplicaSetController(), ReplicaSetController.replicationControllers, StatefulSetController(),
            DaemonSetController(), JobController(), FinishedJobController(), CronJobController(),
            HorizontalPodAutoscalerController(metrics: scaling, kinds: catalog),
        ]
        return ControllerGroup(
            ClusterControllers.all(settings) + workloads, kinds: kinds, store: parts.store,
            client: server.client(as: user("system:kube-controller-manager")),
            others: PodAgent.resources + ServiceRouter.resources, report: parts.node.log.note("kubernetes"))
    }

    private static func volumeDirectory(_ parts: Parts) -> String { "\(parts.node.settings.state)/volumes/local-path" }

    /// The token of a secret of the old kind, which lasts as long as the account.
    private static func lastingToken(_ secret: SecretToken, _ issuer: KubeServing.ServiceAccountTokens) -> String {
        var account = KubeObject()
        account.metadata.name = secret.account
        account.metadata.namespace = secret.namespace
        account.metadata.uid = secret.accountUID
        // The life is the longest that there is; nothing else can be wrong with it.
        return try! issuer.issue(account, life: KubeServing.ServiceAccountTokens.longestLife).token
    }

    private static func ingress(
        _ parts: Parts, _ authority: NodeAuthority, _ loops: ServingLoops, _ waking: WakingFromZero
    ) -> IngressSettings? {
        guard let plain = parts.settings.ingress else { return nil }
        var certificate: TLSCertificate?
        if parts.settings.secureIngress != nil,
            let pair = try? authority.serverCertificate(hosts: [parts.machine.name])
        {
            certificate = try? TLSCertificate(chain: Array(pair.certificate.utf8), privateKey: Array(pair.key.utf8))
        }
        var settings = IngressSettings(
            loops: loops, address: IPAddress(plain.host)!, port: plain.port, tlsPort: parts.settings.secureIngress?.port ?? 0,
            certificate: certificate, functions: parts.node.functions.rung.map { FunctionRoutes($0) })
        settings.calls = parts.node.log.calls
        settings.onDemand = { namespace, service in Task { await waking.wake(service, in: namespace) } }
        return settings
    }

    private static func router(
        _ parts: Parts, _ server: APIServer, _ cache: ObjectCache, reserved port: UInt16, _ loops: ServingLoops,
        _ ingress: IngressSettings?
    ) -> ServiceRouter {
        let networks = parts.node.networks
        var settings = ServiceSettings(
            table: ServiceRouter.table(of: parts.node.settings.run), podSubnets: [parts.settings.pods],
            gateway: parts.gateway, nameService: parts.settings.services.base.advanced(by: 10),
            clusterSubnets: [parts.settings.services], report: parts.node.log.note("kubernetes"))
        settings.reservedPorts = [22, port]
        settings.ingress = ingress
        settings.loops = loops
        return ServiceRouter(
            cache: cache, client: server.client(as: user("system:kube-proxy")), machine: parts.node.machine,
            settings: settings, namespace: { await networks.namespace(at: $0) })
    }

    private static func agent(
        _ parts: Parts, _ server: APIServer, _ cache: ObjectCache, _ router: ServiceRouter, _ tokens: KubeTokens
    ) -> PodAgent {
        let (node, machine) = (parts.node, parts.machine)
        var settings = PodSettings(
            nodeName: machine.name, hostAddress: machine.address, directory: "\(node.settings.state)/pods",
            machine: machine.facts.capacity, controllers: machine.facts.controllers)
        settings.subnet = parts.settings.pods
        settings.clusterDNS = parts.gateway
        settings.evictionSeconds = 10
        let registries = node.settings.registries
        settings.defaultRegistry = registries.usual
        settings.plainHosts = Set(registries.plainHosts)
        settings.registryTrust = { registry async throws(RegistryFailure) in try await registries.trust(in: registry) }
        return PodAgent(
            engine: node.engine, networks: node.networks, images: node.images, cache: cache,
            client: server.client(as: user("system:node:\(machine.name)"), manager: "kubelet"), dataPath: router,
            tokens: tokens, settings: settings, note: node.log.note("pods"))
    }

    /// Between two attempts to run pods where the machine does not let us.
    private static let patience = Duration.seconds(2)

    /// Runs pods, until the task is cancelled. What is in the way stands in the node's condition Ready meanwhile.
    private static func run(_ agent: PodAgent, _ node: NodeSurroundings, _ trouble: Published<String?>) async {
        while !Task.isCancelled {
            do throws(NodeFailure) {
                // What runs already is known once the keeper has told of it.
                try await node.link.untilUp()
                trouble.set(nil)
                return try await agent.run()
            } catch {
                if trouble.value != error.message { node.note("run pods: \(error.message)") }
                trouble.set(error.message)
                try? await Task.sleep(for: patience)
            }
        }
    }

    private static func run(_ router: ServiceRouter, _ node: NodeSurroundings) async {
        while !Task.isCancelled {
            do throws(NetworkFailure) { return try await router.run() } catch {
                node.note("serve services: \(error)")
                try? await Task.sleep(for: patience)
            }
        }
    }

    // What is asked of it.

    /// What it measures.
    var sources: [any MetricSource] {
        [requests, parts.store, router, StoreMetrics([("kubernetes", parts.database)]), OpenAnswerMetrics(doors: doors)]
    }

    func kubeconfig(_ request: MakeKubeconfig) throws(NodeFailure) -> KubeconfigText {
        do throws(AuthorityFailure) {
            let config = try authority.kubeconfig(
                server: request.server ?? "https://\(place)", user: request.user, groups: request.groups,
                life: Int64(request.seconds))
            return KubeconfigText(text: config.text)
        } catch { throw NodeFailure(.badRequest, error.sentence) }
    }

    /// Takes no more requests. Pods go on, and what leads to them stays for the next node.
    func close() async {
        for door in doors { await door.close(after: .milliseconds(200)) }
        for task in tasks { task.cancel() }
        parts.store.endWatches()
        for task in tasks { await task.value }
        await server.stop()
        await router.shutDown(keepsRules: await hasPods())
        parts.node.networks.answerNames(first: nil)
        await loops.shutDown()
    }

    /// Whether a pod is bound to this machine and may still run.
    private func hasPods() async -> Bool {
        let pods = (try? await parts.store.list(ListRequest(Resource.pods.scope())))?.objects ?? []
        return pods.contains { !["Succeeded", "Failed"].contains($0.value["status", "phase"]?.string ?? "") }
    }
}

private struct OpenAnswerMetrics: MetricSource {
    let doors: [KubeDoor]

    func metrics() async -> [MetricFamily] {
        [
            .gauge(
                "forkless_kubernetes_open_answers", "Watches, logs and streams of pods that are under way.",
                doors.reduce(0) { $0 + $1.openAnswers })
        ]
    }
}

/// Functions as backends of ingresses.
private struct FunctionRoutes: FunctionBackend {
    private let gateway: FunctionGateway

    init(_ rung: FunctionPlace.Rung) { gateway = FunctionGateway(catalog: rung.catalog, invoker: rung.invoker) }

    func call(_ function: String, _ request: HTTPRequest, body: [UInt8], client: String?) async -> HTTPResponse {
        await gateway.call(function, request, body: body, client: client)
    }
}
