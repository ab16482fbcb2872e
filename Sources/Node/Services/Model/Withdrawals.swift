import Linux

/// Pods that no new connection may reach any more, whatever their endpoints still say.
struct Withdrawals: Hashable, Sendable {
    private var addressesByPod: [String: Set<IPAddress>] = [:]

    init() {}

    var isEmpty: Bool { addressesByPod.isEmpty }
    var pods: Set<String> { Set(addressesByPod.keys) }

    mutating func add(_ podUID: String, _ addresses: some Sequence<IPAddress>) {
        addressesByPod[podUID, default: []].formUnion(addresses)
    }

    mutating func forget(_ podUID: String) { addressesByPod[podUID] = nil }

    /// Whether an endpoint is that of one of the pods.
    func contains(_ endpoint: SliceDescription.Endpoint, of podUID: String) -> Bool {
        guard let addresses = addressesByPod[podUID] else { return false }
        return endpoint.podUID.map { $0 == podUID } ?? addresses.contains(endpoint.address)
    }

    /// An endpoint that names its pod is that pod's alone: another one may have got its address meanwhile.
    func contains(_ endpoint: SliceDescription.Endpoint) -> Bool {
        if let uid = endpoint.podUID { return addressesByPod[uid] != nil }
        return addressesByPod.values.contains { $0.contains(endpoint.address) }
    }
}
