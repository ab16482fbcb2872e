import JSON
import Linux
import Networking

// Names below "svc": services, their ports, and the pods of those without an address of their own.
extension ClusterNames {
    /// - Parameter labels: what stands before "svc".
    func service(_ asked: DNSName, _ labels: ArraySlice<String>) -> Finding {
        guard let namespace = labels.last else { return .records([]) }
        if labels.count == 1 {
            let isThere =
                model.namespaces[namespace] != nil || model.services.keys.contains { $0.namespace == namespace }
            return isThere ? .records([]) : .nothing
        }
        let rest = labels.dropLast()
        let name = ServiceName(namespace: namespace, name: rest.last!)
        guard let service = model.services[name] else { return .nothing }
        if let external = service.externalName {
            guard rest.count == 1, let target = DNSName(external) else { return .nothing }
            return .alias(target)
        }
        switch rest.count {
        case 1:
            let addresses = service.isHeadless ? members(of: service).map(\.address) : service.clusterAddresses
            let records = Self.unique(addresses).map { record(asked, $0) } + ports(asked, service, service.ports)
            // A service that selects pods of which none is ready has a name all the same.
            return .records(records)
        case 2: return member(asked, service, String(rest.first!))
        case 3:
            let (port, transport) = (rest.first!, rest[rest.startIndex + 1])
            guard port.hasPrefix("_"), transport.hasPrefix("_") else { return .nothing }
            let found = service.ports.filter { "_" + $0.name == port && "_" + $0.transport.rawValue == transport }
            return found.isEmpty ? .nothing : .records(ports(asked, service, found))
        default: return .nothing
        }
    }

    /// A pod of a service by its host name, or by its address.
    private func member(_ asked: DNSName, _ service: ServiceDescription, _ label: String) -> Finding {
        if label.hasPrefix("_") {
            return service.ports.contains { "_" + $0.transport.rawValue == label } ? .records([]) : .nothing
        }
        let found = members(of: service).filter { Self.label($0) == label }
        return found.isEmpty ? .nothing : .records(Self.unique(found.map(\.address)).map { record(asked, $0) })
    }

    /// SRV records: of the service, or of each pod where the service has no address.
    private func ports(_ asked: DNSName, _ service: ServiceDescription, _ ports: [ServiceDescription.Port]) -> [DNSRecord] {
        guard service.isHeadless else {
            guard let target = name(of: service) else { return [] }
            return ports.map { record(asked, port: $0.port, of: target) }
        }
        var records: [DNSRecord] = []
        for port in ports {
            for slice in model.slices(of: service.name) {
                guard let number = slice.ports.first(where: { $0.name == port.name && $0.transport == port.transport })?.number
                else { continue }
                for endpoint in slice.endpoints where isAnswering(endpoint, service) {
                    guard let target = name(of: endpoint, in: service) else { continue }
                    let record = record(asked, port: number, of: target)
                    if !records.contains(record) { records.append(record) }
                }
            }
        }
        return records
    }

    func members(of service: ServiceDescription) -> [SliceDescription.Endpoint] {
        model.slices(of: service.name).flatMap(\.endpoints).filter { isAnswering($0, service) }
    }

    private func isAnswering(_ endpoint: SliceDescription.Endpoint, _ service: ServiceDescription) -> Bool {
        (endpoint.isReady || service.publishesNotReady) && !model.withdrawals.contains(endpoint)
    }

    /// The name that a PTR record gives: of a service, or of a pod in one without an address.
    func name(of address: IPAddress) -> DNSName? {
        if let name = model.serviceByAddress[address] { return model.services[name].flatMap(self.name(of:)) }
        for (name, slices) in model.slices where slices.values.contains(where: { $0.endpoints.contains { $0.address == address } }) {
            guard let service = model.services[name], service.isHeadless,
                let endpoint = members(of: service).first(where: { $0.address == address && $0.hostname != nil })
            else { continue }
            return self.name(of: endpoint, in: service)
        }
        return nil
    }

    private func name(of service: ServiceDescription) -> DNSName? {
        DNSName("\(service.name.name).\(service.name.namespace).svc.\(domain)")
    }

    private func name(of endpoint: SliceDescription.Endpoint, in service: ServiceDescription) -> DNSName? {
        DNSName("\(Self.label(endpoint)).\(service.name.name).\(service.name.namespace).svc.\(domain)")
    }

    private static func label(_ endpoint: SliceDescription.Endpoint) -> String {
        if let hostname = endpoint.hostname, !hostname.isEmpty { return hostname.lowercased() }
        return String("\(endpoint.address)".map { $0 == "." || $0 == ":" ? "-" : $0 })
    }

    private static func unique(_ addresses: [IPAddress]) -> [IPAddress] { Set(addresses).sorted() }
}
