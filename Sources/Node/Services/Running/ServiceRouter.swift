package import KubeObjects
import HTTPServing
import JSON
import KubeStore
package import Linux
package import Networking
import Synchronization

/// The way to the cluster's services: addresses, names, policies and ingresses.
///
/// Level-triggered: whatever changes in the cache, what it concerns is computed anew from how things are, and the
/// difference is given to the kernel. Changes that come while rules are being applied are taken together.
///
/// Invariants
/// 1. `withdraw` returns when the kernel has no rule that leads to the pod, whatever its endpoints say.
///    (test: `a pod is withdrawn while its endpoints still say that it is ready`)
/// 2. Nothing is lost while a service's pods are replaced. (test: `pods are replaced without a lost request`)
/// 3. `admit` returns when the kernel has the rules of all policies that select the pod; what the kernel refuses is
///    reported, and holds no pod up. (test: `a policy holds before the status of a new pod says its address`)
package final class ServiceRouter: ServiceDataPath, Sendable {
    let cache: ObjectCache
    let client: any ObjectClient
    private let machine: MachineNetwork
    let settings: ServiceSettings
    private let namespace: @Sendable (IPAddress) async -> SharedFD?
    let state: Mutex<State>
    private let rules: RuleApplying
    let gateway: IngressGateway?
    let health: HealthPorts?
    private let passes = Passes()
    private let reports = Passes()
    let events: ServiceEvents

    struct State {
        var model = ClusterModel()
        var plan: DataPathPlan
        /// As the kernel's rules have them.
        var claims = AddressClaims()
        var policies = PolicyPlan()
        var ingresses = IngressPlan()
        /// Whether the kernel has rules of ours.
        var hasBegun = false
        /// Whether nobody makes rules: `run` has ended.
        var isOver = false
        /// Pods that wait for the first rules.
        var waiters: [CheckedContinuation<Void, Never>] = []
        /// Whether packets between pods of one bridge are seen by rules.
        var holdsPolicies = true

        mutating func take(_ resource: Resource, _ key: ObjectKey, _ object: KubeObject?) {
            model.take(resource, key, object)
            policies.take(resource, key, object)
            ingresses.take(resource, key, object)
        }

        mutating func takeWaiters() -> [CheckedContinuation<Void, Never>] {
            defer { waiters = [] }
            return waiters
        }

        mutating func step() -> DataPathPlan.Step {
            var step = plan.step(&model)
            step.parts.merge(policies.step()) { $1 }
            return step
        }
    }

    /// On a Deployment: it may be at zero, and requests to its service wait for its first pod.
    package static let sleepAnnotation = "forkless.dev/scale-to-zero"

    /// `spec.controller` of the ingress classes that are served here.
    package static var ingressController: String { IngressClasses.controller }

    /// What the cache must have.
    package static let resources = Array(
        Set(ClusterModel.resources + PolicyPlan.resources + IngressPlan.resources))

    /// - Parameters:
    ///   - cache: with `resources` at least.
    ///   - namespace: finds the network namespace in which a pod has an address (`NetworkService.namespace(at:)`); nil when
    ///     nobody has it any more.
    package init(
        cache: ObjectCache, client: any ObjectClient, machine: MachineNetwork, settings: ServiceSettings,
        namespace: @escaping @Sendable (IPAddress) async -> SharedFD?
    ) {
        self.cache = cache
        self.client = client
        events = ServiceEvents(client)
        self.machine = machine
        self.settings = settings
        self.namespace = namespace
        var reserving = settings
        if let ingress = settings.ingress {
            reserving.reservedPorts.insert(ingress.port)
            if ingress.certificate != nil { reserving.reservedPorts.insert(ingress.tlsPort) }
        }
        state = Mutex(State(plan: DataPathPlan(reserving)))
        gateway = settings.ingress.map { IngressGateway($0) }
        health = settings.loops.map { HealthPorts($0, machine) }
        rules = RuleApplying(machine: machine, table: settings.table, report: settings.report)
    }

    /// "forkless_HASH_kube" for a node's run directory.
    package static func table(of node: String) -> String { NetworkService.table(of: node) + "_kube" }

    /// Serves until the task is cancelled or the cache ends. Rules are made with the first pod or service, so that a node
    /// without any leaves the kernel alone. What an earlier node left there is replaced in one transaction, so that
    /// connections there are do not notice.
    package func run() async throws(NetworkFailure) {
        state.withLock { $0.isOver = false }
        defer { giveUp() }
        let changes = cache.changes()
        await cache.synced()
        state.withLock { state in
            for resource in Self.resources {
                for object in cache.objects(resource) { state.take(resource, object.key, KubeObject(object)) }
            }
        }
        await beginGateway()
        if isNeeded { try await begin() }
        for await change in changes {
            let key = change.key
            state.withLock { state in
                // As it is now, which may be later than the change.
                let object = cache.get(change.resource, namespace: key.namespace, key.name)
                state.take(change.resource, key, object.map { KubeObject($0) })
            }
            if !hasBegun, isNeeded { try await begin() }
            await passes.request { await self.pass() }
        }
    }

    /// What every cluster has from the beginning, and nobody asks for before there is a pod.
    private static let ownServices: Set<String> = ["default/kubernetes", "kube-system/kube-dns"]

    private var isNeeded: Bool {
        !cache.objects(.pods).isEmpty
            || cache.objects(.services).contains { !Self.ownServices.contains("\($0.key.namespace ?? "")/\($0.key.name)") }
    }

    private var hasBegun: Bool { state.withLock(\.hasBegun) }

    private func begin() async throws(NetworkFailure) {
        let keepsSources = try await openWays()
        let (parts, claims, base) = state.withLock { state in
            (
                state.step().parts.merging(state.plan.fixed) { $1 }, state.plan.claims,
                BaseRules.text(clusterSubnets: settings.clusterSubnets, keepsSources: keepsSources) + PolicyRules.base
            )
        }
        if !keepsSources {
            state.withLock { $0.holdsPolicies = false }
            settings.report(
                "network policies do not hold between pods: the kernel has no br_netfilter. Load that module (modprobe br_netfilter).")
        }
        try await rules.begin(base, with: parts)
        let waiters = state.withLock { state in
            state.claims = claims
            state.hasBegun = true
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
        await reports.request { await self.report() }
    }

    /// `run` has ended: what waits for rules has nothing to wait for.
    private func giveUp() {
        let waiters = state.withLock { state in
            state.isOver = true
            return state.takeWaiters()
        }
        for waiter in waiters { waiter.resume() }
    }

    /// Waits for the first rules.
    private func untilBegun() async {
        await withCheckedContinuation { continuation in
            let waits = state.withLock { state in
                guard !state.hasBegun, !state.isOver else { return false }
                state.waiters.append(continuation)
                return true
            }
            if !waits { continuation.resume() }
        }
    }

    private func openWays() async throws(NetworkFailure) -> Bool {
        let (subnets, passBridged) = (settings.clusterSubnets, settings.passBridged)
        do throws(SystemError) {
            return try await machine.run { () throws(SystemError) in
                try ClusterRoute.open(to: subnets)
                return try passBridged()
            }
        } catch { throw NetworkFailure(error) }
    }

    /// A port that somebody else has leaves ingresses unserved, and services as they are.
    private func beginGateway() async {
        guard let gateway else { return }
        gateway.update(state.withLock { $0.ingresses.snapshot($0.model) })
        do throws(HTTPServingFailure) { try await gateway.begin(on: machine) } catch {
            settings.report("ingresses are not served: \(error)")
        }
    }

    /// Gives the gateway and the kernel what has changed in the model.
    private func pass() async {
        if let gateway { gateway.update(state.withLock { $0.ingresses.snapshot($0.model) }) }
        guard hasBegun else { return }
        let (step, claims) = state.withLock { state in (state.step(), state.plan.claims) }
        do throws(NetworkFailure) {
            try await rules.apply(step.parts)
            state.withLock { $0.claims = claims }
        } catch {
            settings.report("the rules of services could not be applied: \(error)")
            // Whatever is missing comes with the next pass.
            Task {
                try? await Task.sleep(for: .seconds(1))
                await passes.request { await self.pass() }
            }
        }
        do throws(SystemError) {
            try await DatagramClients.forget(lost: step.lost, opened: step.opened, on: machine)
        } catch { settings.report("clients of endpoints that are gone may go on sending to them: \(error)") }
        await reports.request { await self.report() }
    }

    /// What came by ingresses, as a page for Prometheus.
    package func exposition() -> String { gateway.map { LoadExposition.text($0.loads.all) } ?? "" }

    /// What comes to a service by ingresses.
    package func load(ofService name: String, in namespace: String) -> ServiceLoad {
        gateway?.loads.load(of: ServiceName(namespace: namespace, name: name)) ?? ServiceLoad()
    }

    /// Requests to a service by ingresses, per second over the last ten.
    package func requestsPerSecond(ofService name: String, in namespace: String) -> Double {
        gateway?.loads.perSecond(of: ServiceName(namespace: namespace, name: name)) ?? 0
    }

    /// What a pod is asked by ingresses, by its address; nil when none are served.
    package func load(ofServer address: String) -> ServerLoad? { gateway?.servers.load(of: address) }

    /// The ports at which ingresses are served, 0 for none: of HTTP and HTTPS.
    package var ingressPorts: (http: UInt16, https: UInt16) { (gateway?.plainPort ?? 0, gateway?.tlsPort ?? 0) }

    package func admit(_ pod: KubeObject, addresses: [String]) async {
        let addresses = addresses.compactMap { IPAddress($0) }
        let isSelected = state.withLock { state in
            // A policy that was there before the pod, and whose change waits behind others.
            for object in cache.objects(.networkPolicies, namespace: pod.namespace ?? "") {
                state.policies.take(.networkPolicies, object.key, KubeObject(object))
            }
            return state.policies.admit(pod, addresses)
        }
        guard isSelected else { return }
        await untilBegun()
        await passes.request { await self.pass() }.value
    }

    package func withdraw(podUID: String, addresses: [String], deadline: ContinuousClock.Instant) async {
        let addresses = addresses.compactMap { IPAddress($0) }
        let (ports, isOnHost) = state.withLock { state in
            state.model.withdraw(podUID, addresses)
            return (
                state.model.ports(of: podUID, addresses), addresses.contains { state.model.nodeAddresses.contains($0) }
            )
        }
        await passes.request { await self.pass() }.value
        guard !ports.isEmpty else { return }
        if isOnHost { return await PodDrain(place: machine, ports: ports).wait(until: deadline) }
        for address in addresses {
            guard let found = await namespace(address) else { continue }
            return await PodDrain(place: MachineNetwork(found), ports: ports).wait(until: deadline)
        }
    }

    /// What the names of the cluster are, for `NameServer.Names.ask(first:)`; nil for a question that is not about them.
    /// Pods and the machine itself are answered, and nobody else.
    package func decide(_ query: DNSMessage, from sender: IPAddress) -> NameTable.Decision? {
        let model = state.withLock { $0.model }
        let isOwn = sender.isLoopback || sender == settings.gateway || model.nodeAddresses.contains(sender)
        guard isOwn || settings.podSubnets.contains(where: { $0.contains(sender) }) else { return nil }
        if let decision = ClusterNames(model: model, domain: settings.clusterDomain).decide(query) { return decision }
        // Who is asked for pods' other names is said with each pod.
        return isOwn && !query.isResponse ? .forward([]) : nil
    }

    /// Ends. `run` is to be cancelled before.
    ///
    /// - Parameter keepsRules: pods go on without a node, and so does what leads to them; the next node takes it over.
    package func shutDown(keepsRules: Bool) async {
        await gateway?.end(after: .seconds(2))
        await health?.end()
        guard hasBegun else { return }
        if keepsRules { return await rules.leave() }
        do throws(NetworkFailure) { try await rules.end() } catch {
            settings.report("the rules of services could not be removed: \(error)")
        }
        let subnets = settings.clusterSubnets
        do throws(SystemError) {
            try await machine.run { () throws(SystemError) in try ClusterRoute.close(to: subnets) }
        } catch { settings.report("the route to the cluster's addresses could not be removed: \(error)") }
    }
}
