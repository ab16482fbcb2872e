package import JSON
package import KubeObjects
package import KubeStore
package import KubeViews
package import Linux
import Synchronization

/// The API of Kubernetes over a store, without connections: who may do what, what it does, and what clients are told.
///
/// Whatever comes from outside goes through `answer`; what runs in the node uses `client(as:)`, which does the same without
/// texts. `start` must have returned before either is used.
///
/// Invariants
/// 1. Every request gets an answer, and every failure is a Status. (test: `no request makes the server trap`)
/// 2. Nothing is stored that admission has refused or validation has not seen. (tests of each)
/// 3. What objects declare that is kept elsewhere is taken over there before they are stored, or they are not stored.
///    (test: `what the authority of a kind refuses is not stored`)
package final class APIServer: APIService, Sendable {
    let store: any ObjectStoring
    let kinds: ServedKinds
    let documents: KindDocuments
    let settings: APISettings
    let known: KnownObjects
    let access: KnownAccess
    let admission: Admission
    let tokens: any TokenIssuer
    let chance: Chance
    let time: @Sendable () -> Linux.Timestamp
    let clock: any WaitingClock
    let encoded = EncodedEvents()
    let places = ServicePlaces()
    let definitions = Definitions()
    let computed: (any ComputedObjects)?
    let authorities: [KindAuthority]
    private let worker = Mutex<Task<Void, Never>?>(nil)
    private let tasks = Mutex<[Task<Void, Never>]>([])

    /// - Parameters:
    ///   - kinds: which are served now.
    ///   - version: what the server says of itself.
    ///   - computed: gives metrics; nil when nobody measures.
    ///   - authorities: of kinds whose objects declare what is kept elsewhere.
    ///   - warnings: says which fields of a pod's spec have no effect on this node.
    ///   - clock: for what lasts: watches.
    ///   - time: the time of day, for what is written.
    ///   - chance: for uids and names.
    package init(
        store: any ObjectStoring, kinds: ServedKinds, version: ServerVersion, settings: APISettings,
        tokens: any TokenIssuer, computed: (any ComputedObjects)? = nil,
        authorities: [any ObjectAuthority] = [],
        warnings: @escaping @Sendable (_ spec: JSONValue, _ path: [String]) -> [String] = FieldsWithoutEffect.warnings,
        clock: any WaitingClock = ContinuousClock(),
        time: @escaping @Sendable () -> Linux.Timestamp = { Linux.Clock.now() },
        chance: any RandomNumberGenerator & Sendable = SystemRandomNumberGenerator()
    ) {
        self.store = store
        self.kinds = kinds
        documents = KindDocuments(kinds, version)
        self.settings = settings
        self.clock = clock
        self.time = time
        self.chance = Chance(chance)
        known = KnownObjects(store, Self.judging)
        access = KnownAccess(known)
        admission = Admission(rules: [
            NamespaceLifecycle(), LimitRanger(), ServiceAccountRule(), PriorityRule(), DefaultTolerations(),
            StorageProtection(), RuntimeClassRule(), DefaultStorageClass(), DefaultIngressClass(),
            EphemeralContainers(), PodSecurity(), Escalation(),
            WarningRule(warnings: warnings),
        ])
        self.tokens = tokens
        self.computed = computed
        self.authorities = authorities.map { KindAuthority(authority: $0) }
    }

    /// What requests are judged by.
    private static let judging: [Resource] = [
        .namespaces, .limitRanges, .resourceQuotas, .serviceAccounts, .priorityClasses, .runtimeClasses,
        .storageClasses,
        .services, .roles, .roleBindings, .clusterRoles, .clusterRoleBindings, Definitions.resource,
        DefaultIngressClass.resource,
    ]

    /// Reads what requests are judged by, and goes on doing so until `stop`.
    package func start() async throws(APIFailure) {
        worker.withLock { $0 = Task { await self.definitions.run(self) } }
        let known = known
        tasks.withLock { $0.append(Task { await known.run() }) }
        await known.synced()
        await definitions.reviewed()
        try await makeFirstObjects()
    }

    /// Ends what `start` has begun. Watches end with the store's.
    package func stop() async {
        let tasks = tasks.withLock { tasks in
            defer { tasks = [] }
            return tasks
        }
        definitions.end()
        for task in tasks { task.cancel() }
        await worker.withLock { $0 }?.value
        for task in tasks { await task.value }
    }

    var view: AdmissionView { AdmissionView(known: known, settings: settings, chance: chance, access: access.policy) }

    /// Writes, and waits until what others are judged by is known.
    func commit(_ writes: [ObjectWrite]) async throws(ObjectStoreFailure) -> [WrittenObject] {
        let written = try await store.commit(writes)
        for one in written where one.isChanged { await known.reached(one.object.key.resource, one.object.revision) }
        if let first = written.first?.object.key.resource {
            if first == Definitions.resource.storeName { await definitions.reviewed() } else { definitions.left(first) }
        }
        return written
    }

    func failure(_ failure: ObjectStoreFailure, _ call: Call) -> APIFailure {
        APIFailure(failure, call.resource, call.name ?? "")
    }
}
