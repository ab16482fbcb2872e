internal import JSON
internal import KubeObjects
internal import KubeStore
internal import Linux

/// The endpoints of one address type with the same ports.
struct EndpointGroup: Hashable {
    /// "IPv4", "IPv6".
    var addressType: String
    var ports: [EndpointPort]

    init(addressType: String, ports: [EndpointPort]) {
        self.addressType = addressType
        self.ports = ports
    }

    /// Of a slice that there is.
    init(_ slice: KubeObject) {
        addressType = slice.json["addressType"]?.string ?? ""
        ports = (slice.json["ports"]?.array ?? []).map { port in
            EndpointPort(
                name: port["name"]?.string ?? "", transport: port["protocol"]?.string ?? "TCP",
                number: port["port"]?.integer ?? 0, appProtocol: port["appProtocol"]?.string)
        }
    }
}

/// What slices have besides endpoints, and the actions that write them.
struct SliceWriting {
    let service: String
    let namespace: String
    let owner: OwnerReference
    let labels: [String: String]
    let annotations: [String: String]
    let now: Timestamp

    static let lastChange = "endpoints.kubernetes.io/last-change-trigger-time"

    /// - Parameters:
    ///   - slices: those there are, of this writer.
    ///   - wanted: endpoints by group.
    ///   - families: address types that have a slice even when it is empty.
    func actions(
        _ slices: [KubeObject], _ wanted: [EndpointGroup: [JSONValue]], families: [String]
    ) -> [ObjectAction] {
        var actions: [ObjectAction] = []
        var names = Set(slices.map(\.name))
        var wanted = wanted
        var obsolete: [EndpointGroup] = []
        let sorted = slices.sorted { $0.name < $1.name }
        for family in families where !wanted.keys.contains(where: { $0.addressType == family }) {
            let spare = sorted.filter { $0.json["addressType"]?.string == family }
            if let first = spare.first {
                actions += update(first, [], [])
                actions += spare.dropFirst().map(delete)
            } else {
                let group = EndpointGroup(addressType: family, ports: [])
                actions.append(create(group, [], &names))
            }
        }
        var spare: [String: [KubeObject]] = [:]
        for slice in sorted where wanted[EndpointGroup(slice)] == nil {
            let group = EndpointGroup(slice)
            let isServed = wanted.keys.contains { $0.addressType == group.addressType }
            if isServed, group.ports.isEmpty {
                spare[group.addressType, default: []].append(slice)
            } else if isServed || !families.contains(group.addressType) {
                obsolete.append(group)
            }
        }
        for group in obsolete { wanted[group] = [] }
        for (group, endpoints) in wanted.sorted(by: { Self.text($0.key) < Self.text($1.key) }) {
            var own = sorted.filter { EndpointGroup($0) == group }
            // The first endpoints after none take the slice that stood empty: one write, and nobody sees the service without.
            if own.isEmpty, let empty = spare[group.addressType]?.popLast() { own = [empty] }
            let change = SliceReconciliation(own, wanted: endpoints)
            let written = Set((change.updates.map(\.slice) + change.deletions).map(\.name))
            for (slice, endpoints) in change.updates { actions += update(slice, endpoints, group.ports) }
            // Labels may have changed where endpoints have not.
            for slice in own where !written.contains(slice.name) {
                actions += update(slice, slice.json["endpoints"]?.array ?? [], group.ports)
            }
            for endpoints in change.creations { actions.append(create(group, endpoints, &names)) }
            actions += change.deletions.map(delete)
        }
        return actions + spare.values.joined().map(delete)
    }

    private static func text(_ group: EndpointGroup) -> String {
        group.addressType + group.ports.map { " \($0.name) \($0.transport) \($0.number)" }.joined()
    }

    private func delete(_ slice: KubeObject) -> ObjectAction {
        .delete(.endpointSlices, namespace: namespace, name: slice.name, DeletionOptions(uid: slice.uid))
    }

    private func create(
        _ group: EndpointGroup, _ endpoints: [JSONValue], _ names: inout Set<String>
    ) -> ObjectAction {
        // The name follows from what the slice is for: deciding twice from the same objects makes one slice.
        var number = 0
        var name = ""
        repeat {
            name = NameSuffix.name(service, of: "\(owner.uid) \(Self.text(group)) \(number)")
            number += 1
        } while !names.insert(name).inserted
        var slice = KubeObject(json: ["apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice"])
        slice.metadata.name = name
        slice.metadata.namespace = namespace
        slice.metadata.generateName = service + "-"
        slice.json["addressType"] = .string(group.addressType)
        return .create(.endpointSlices, fill(slice, endpoints, group.ports, isChanged: true))
    }

    private func update(_ slice: KubeObject, _ endpoints: [JSONValue], _ ports: [EndpointPort]) -> [ObjectAction] {
        let isChanged =
            (slice.json["endpoints"]?.array ?? []) != endpoints
            || (slice.json["ports"]?.array ?? []) != ports.map(\.json)
        let new = fill(slice, endpoints, ports, isChanged: isChanged)
        return new == slice ? [] : [.update(.endpointSlices, new)]
    }

    private func fill(
        _ slice: KubeObject, _ endpoints: [JSONValue], _ ports: [EndpointPort], isChanged: Bool
    ) -> KubeObject {
        var slice = slice
        if slice.metadata.labels != labels { slice.metadata.labels = labels }
        var notes = annotations
        let before = slice.metadata.annotations[Self.lastChange]
        if let time = isChanged ? now.description : before { notes[Self.lastChange] = time }
        if slice.metadata.annotations != notes { slice.metadata.annotations = notes }
        if slice.metadata.ownerReferences.map(\.uid) != [owner.uid] { slice.metadata.ownerReferences = [owner] }
        guard isChanged else { return slice }
        slice.json["endpoints"] = .array(endpoints)
        slice.json["ports"] = .array(ports.map(\.json))
        return slice
    }
}
