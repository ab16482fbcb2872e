import JSON
import KubeObjects
import KubeStore
import Linux

/// The cluster's services and who answers for them, kept from one change to the next. Pure.
///
/// Invariants
/// 1. What was changed is dirty until it is taken, and nothing else is.
///    (test: `a change makes its own service dirty and no other`)
/// 2. The model after any changes is the one that the objects as they are would give.
///    (test: `the model is the same whatever way the cluster came to be`)
struct ClusterModel: Sendable {
    private(set) var services: [ServiceName: ServiceDescription] = [:]
    /// Slices of each service by their names.
    private(set) var slices: [ServiceName: [String: SliceDescription]] = [:]
    private var serviceOfSlice: [ObjectKey: ServiceName] = [:]
    /// Services and pods' endpoints by address: names for addresses.
    private(set) var serviceByAddress: [IPAddress: ServiceName] = [:]
    private(set) var nodeAddresses: [IPAddress] = []
    private(set) var namespaces: [String: [String: String]] = [:]
    private(set) var withdrawals = Withdrawals()

    /// Services whose rules are to be looked at.
    private(set) var dirty: Set<ServiceName> = []

    init() {}

    static let resources: [Resource] = [.services, .endpointSlices, .nodes, .namespaces]

    /// Takes an object as it is now into account.
    ///
    /// - Parameter object: nil when it is gone.
    mutating func take(_ resource: Resource, _ key: ObjectKey, _ object: KubeObject?) {
        switch resource {
        case .services: put(object.flatMap { ServiceDescription($0) }, key)
        case .endpointSlices: put(object.flatMap { SliceDescription($0) }, key)
        case .nodes: take(node: object)
        case .namespaces: namespaces[key.name] = object?.metadata.labels
        default: break
        }
    }

    mutating func takeDirty() -> Set<ServiceName> {
        defer { dirty = [] }
        return dirty
    }

    mutating func withdraw(_ podUID: String, _ addresses: [IPAddress]) {
        withdrawals.add(podUID, addresses)
        for (service, slices) in slices
        where slices.values.contains(where: { $0.endpoints.contains { withdrawals.contains($0) } }) {
            dirty.insert(service)
        }
    }

    /// Where a pod answers for its services.
    func ports(of podUID: String, _ addresses: [IPAddress]) -> Set<UInt16> {
        var pod = Withdrawals()
        pod.add(podUID, addresses)
        let own = slices.values.flatMap(\.values).filter { $0.endpoints.contains { pod.contains($0) } }
        return Set(own.flatMap { $0.ports.map(\.number) })
    }

    /// Forgets withdrawals of pods that no endpoint is left of.
    mutating func forgetWithdrawals() {
        for pod in withdrawals.pods {
            let isMentioned = slices.values.contains { $0.values.contains { $0.endpoints.contains { withdrawals.contains($0, of: pod) } } }
            if !isMentioned { withdrawals.forget(pod) }
        }
    }

    mutating func markDirty(_ names: Set<ServiceName>) { dirty.formUnion(names) }

    /// All endpoints of a service, in the order of their slices' names.
    func slices(of service: ServiceName) -> [SliceDescription] {
        (slices[service] ?? [:]).sorted { $0.key < $1.key }.map(\.value)
    }

    private mutating func put(_ service: ServiceDescription?, _ key: ObjectKey) {
        let name = ServiceName(namespace: key.namespace ?? "", name: key.name)
        guard services[name] != service else { return }
        for address in services[name]?.clusterAddresses ?? [] where serviceByAddress[address] == name {
            serviceByAddress[address] = nil
        }
        for address in service?.clusterAddresses ?? [] { serviceByAddress[address] = name }
        services[name] = service
        dirty.insert(name)
    }

    private mutating func put(_ slice: SliceDescription?, _ key: ObjectKey) {
        if let before = serviceOfSlice[key] {
            guard slices[before]?[key.name] != slice else { return }
            slices[before]?[key.name] = nil
            if slices[before]?.isEmpty == true { slices[before] = nil }
            dirty.insert(before)
        }
        serviceOfSlice[key] = slice?.service
        guard let slice else { return }
        slices[slice.service, default: [:]][key.name] = slice
        dirty.insert(slice.service)
    }

    private mutating func take(node: KubeObject?) {
        let addresses = (node?.status["addresses"]?.array ?? []).compactMap { entry -> IPAddress? in
            guard ["InternalIP", "ExternalIP"].contains(entry["type"]?.string) else { return nil }
            return entry["address"]?.string.flatMap { IPAddress($0) }
        }
        guard addresses != nodeAddresses else { return }
        nodeAddresses = addresses
        dirty.formUnion(services.values.filter(\.isLoadBalancer).map(\.name))
    }
}
