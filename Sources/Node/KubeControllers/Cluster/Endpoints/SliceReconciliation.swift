internal import JSON
internal import KubeObjects

/// Brings the slices of one service, address type and list of ports to what they should be, with few writes: endpoints stay in
/// the slice they are in, new ones fill slices that are written anyway (`endpointslice/reconciler.go`).
///
/// Invariants
/// 1. Every wanted endpoint is in one slice, once. (test: `each pod is in the slices once, whatever happens`)
/// 2. No slice has more than `limit` endpoints. (the same test)
struct SliceReconciliation {
    /// As in Kubernetes by default (--max-endpoints-per-slice).
    static let limit = 100

    /// Slices with the endpoints that they get.
    private(set) var updates: [(slice: KubeObject, endpoints: [JSONValue])] = []
    /// Endpoints of slices to be made.
    private(set) var creations: [[JSONValue]] = []
    private(set) var deletions: [KubeObject] = []

    private var kept: [(slice: KubeObject, endpoints: [JSONValue])] = []

    /// - Parameters:
    ///   - slices: in the order of their names.
    ///   - wanted: each identified by what it targets.
    init(_ slices: [KubeObject], wanted: [JSONValue]) {
        var missing: [String: JSONValue] = [:]
        for endpoint in wanted { missing[Self.identity(endpoint)] = endpoint }
        for slice in slices { revise(slice, &missing) }
        add(missing.sorted { Self.name($0.value) < Self.name($1.value) }.map(\.value))
    }

    /// What an endpoint is the endpoint of, so that a changed one replaces it.
    private static func identity(_ endpoint: JSONValue) -> String {
        let address = endpoint["addresses"]?.array?.first?.string ?? ""
        return (endpoint["targetRef"]?["uid"]?.string ?? "") + " " + address
    }

    /// New endpoints come in the order of their pods' names, then of addresses.
    private static func name(_ endpoint: JSONValue) -> (String, String) {
        (endpoint["targetRef"]?["name"]?.string ?? "", endpoint["addresses"]?.array?.first?.string ?? "")
    }

    private mutating func revise(_ slice: KubeObject, _ missing: inout [String: JSONValue]) {
        let old = slice.json["endpoints"]?.array ?? []
        let new = old.compactMap { missing.removeValue(forKey: Self.identity($0)) }
        if new.isEmpty {
            deletions.append(slice)
        } else if new == old {
            kept.append((slice, new))
        } else {
            updates.append((slice, new))
        }
    }

    private mutating func add(_ endpoints: [JSONValue]) {
        var rest = endpoints[...]
        func take(_ room: Int) -> ArraySlice<JSONValue> {
            defer { rest = rest.dropFirst(room) }
            return rest.prefix(room)
        }
        for index in updates.indices.sorted(by: { updates[$0].endpoints.count > updates[$1].endpoints.count }) {
            updates[index].endpoints += take(max(0, Self.limit - updates[index].endpoints.count))
        }
        // One more slice is written: the fullest that has room for all that is left.
        if !rest.isEmpty, rest.count < Self.limit {
            let roomy = kept.indices.filter { kept[$0].endpoints.count + rest.count <= Self.limit }
            if let fullest = roomy.max(by: { kept[$0].endpoints.count < kept[$1].endpoints.count }) {
                let (slice, old) = kept.remove(at: fullest)
                updates.append((slice, old + take(rest.count)))
            }
        }
        // Slices that would be deleted are used again.
        while !rest.isEmpty, !deletions.isEmpty { updates.append((deletions.removeFirst(), Array(take(Self.limit)))) }
        while !rest.isEmpty { creations.append(Array(take(Self.limit))) }
    }
}
