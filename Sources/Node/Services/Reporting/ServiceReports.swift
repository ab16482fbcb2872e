import HTTPServing
import JSON
import KubeObjects
import KubeStore
import Linux
import Networking
import Synchronization

// What the router says of services, policies and ingresses: statuses, events, the health of services.
extension ServiceRouter {
    func report() async {
        await reportHealth()
        await reportPolicies()
        await reportServices()
        if gateway != nil { await reportIngresses() }
    }

    /// Says to load balancers how many endpoints services have here, and in events where that cannot be asked.
    private func reportHealth() async {
        let wanted = state.withLock { state in
            state.model.services.values.reduce(into: [UInt16: EndpointHealth]()) { wanted, service in
                guard let port = service.healthPort else { return }
                let ready = state.model.slices(of: service.name).flatMap(\.endpoints).filter(\.isReady)
                wanted[port] = EndpointHealth(service: service.name, endpoints: Set(ready.map(\.address)).count)
            }
        }
        let failures: [UInt16: String]
        if let health {
            failures = await health.keep(wanted)
        } else {
            failures = wanted.mapValues { _ in "nobody serves it" }
        }
        for (port, why) in failures {
            guard let name = wanted[port]?.service,
                let stored = cache.get(.services, namespace: name.namespace, name.name)
            else { continue }
            await events.warn(
                KubeObject(stored), .services, "HealthCheckNotServed", "healthCheckNodePort \(port) is not served: \(why)")
        }
    }

    /// Says in events that policies do not hold here.
    private func reportPolicies() async {
        let (hold, names) = state.withLock { ($0.holdsPolicies, Array($0.policies.policies.keys)) }
        guard !hold else { return }
        for name in names {
            guard let stored = cache.get(.networkPolicies, namespace: name.namespace, name.name) else { continue }
            await events.warn(
                KubeObject(stored), .networkPolicies, "NotEnforced",
                "The policy does not hold between pods of this node: its kernel has no br_netfilter. Load that module "
                    + "(modprobe br_netfilter) and start the node anew")
        }
    }

    /// Says in services' statuses where their load balancers are, and in events what is not served.
    private func reportServices() async {
        let (services, claims, nodeAddresses) = state.withLock {
            ($0.model.services.values, $0.claims, $0.model.nodeAddresses)
        }
        for service in services {
            guard let stored = cache.get(.services, namespace: service.name.namespace, service.name.name) else { continue }
            let object = KubeObject(stored)
            if !service.unservedPorts.isEmpty {
                let ports = service.unservedPorts.joined(separator: ", ")
                await events.warn(object, .services, "UnsupportedProtocol", "Ports \(ports) have no way: only TCP and UDP are served")
            }
            let hasAddresses = claims.balancers.contains(service.name)
            // One that came since the last plan is neither.
            if claims.refused.contains(service.name) {
                await events.warn(
                    object, .services, "PortInUse",
                    "The node's ports are taken by an older load balancer or by the node itself: choose others")
            }
            let status = BalancerStatus.correction(
                of: object, service, hasAddresses: hasAddresses, nodeAddresses: nodeAddresses)
            guard status != nil else { continue }
            do throws(APIFailure) {
                try await client.modify(
                    .services, namespace: service.name.namespace, service.name.name, subresource: "status"
                ) { current throws(APIFailure) in
                    let status = BalancerStatus.correction(
                        of: current, service, hasAddresses: hasAddresses, nodeAddresses: nodeAddresses)
                    if let status { current.status = status }
                    return status != nil
                }
            } catch where error.code == 404 {} catch {
                settings.report("the status of service \(service.name) could not be written: \(error)")
            }
        }
    }

    /// Says in ingresses' statuses where they are served, and in events what of them is not.
    private func reportIngresses() async {
        let (plan, nodeAddresses) = state.withLock { ($0.ingresses, $0.model.nodeAddresses) }
        let places = ingressPlaces(nodeAddresses)
        for (name, ingress) in plan.ingresses {
            guard let stored = cache.get(.ingresses, namespace: name.namespace, name.name) else { continue }
            let object = KubeObject(stored)
            for refusal in ingress.refusals { await events.warn(object, .ingresses, "UnsupportedBackend", refusal) }
            for trouble in plan.troubles(of: ingress) { await events.warn(object, .ingresses, "CertificateNotUsed", trouble) }
            guard BalancerStatus.correction(of: object, places: places) != nil else { continue }
            do throws(APIFailure) {
                try await client.modify(.ingresses, namespace: name.namespace, name.name, subresource: "status") {
                    current throws(APIFailure) in
                    let status = BalancerStatus.correction(of: current, places: places)
                    if let status { current.status = status }
                    return status != nil
                }
            } catch where error.code == 404 {} catch {
                settings.report("the status of ingress \(name) could not be written: \(error)")
            }
        }
    }

    private func ingressPlaces(_ nodeAddresses: [IPAddress]) -> [JSONValue] {
        guard let settings = settings.ingress else { return [] }
        let isAny = settings.address == .anyIPv4 || settings.address == .anyIPv6
        let (http, https) = ingressPorts
        return BalancerStatus.places(isAny ? nodeAddresses : [settings.address], http: http, https: https)
    }
}
