import JSON
import KubeObjects
import Linux

/// What the status of a service says about its load balancer. Pure.
///
/// The machine itself is the load balancer, as with k3s: a service that has the ports of its addresses says them.
enum BalancerStatus {
    /// Where ingresses are served: the addresses, with the ports where these are not those that everybody knows.
    ///
    /// - Parameter ports: 0 for one that is not served.
    static func places(_ addresses: [IPAddress], http: UInt16, https: UInt16) -> [JSONValue] {
        guard http != 0 else { return [] }
        let ports = [http, https].filter { $0 != 0 }
        let areUsual = http == 80 && (https == 0 || https == 443)
        return addresses.map { address in
            var place: JSONValue = ["ip": .string("\(address)")]
            if !areUsual {
                place["ports"] = .array(ports.map { ["port": .integer(Int64($0)), "protocol": "TCP"] })
            }
            return place
        }
    }

    /// The status of an ingress that is served here; nil when it is right.
    static func correction(of ingress: KubeObject, places wanted: [JSONValue]) -> JSONValue? {
        guard (ingress.status["loadBalancer", "ingress"]?.array ?? []) != wanted else { return nil }
        var status = ingress.status
        status["loadBalancer"] = wanted.isEmpty ? .object([:]) : ["ingress": .array(wanted)]
        return status
    }

    /// The status of a service as it is to be; nil when it is right.
    static func correction(
        of object: KubeObject, _ service: ServiceDescription, hasAddresses: Bool, nodeAddresses: [IPAddress]
    ) -> JSONValue? {
        guard !service.hasForeignBalancer else { return nil }
        let ingress: [JSONValue] =
            service.isLoadBalancer && hasAddresses
            ? nodeAddresses.map { ["ip": .string("\($0)"), "ipMode": "VIP"] } : []
        let present = object.status["loadBalancer", "ingress"]?.array ?? []
        guard present != ingress else { return nil }
        var status = object.status
        status["loadBalancer"] = ingress.isEmpty ? .object([:]) : ["ingress": .array(ingress)]
        return status
    }
}
