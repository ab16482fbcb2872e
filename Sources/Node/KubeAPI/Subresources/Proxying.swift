import JSON
import KubeObjects
import KubeSchema
import KubeStore
import KubeViews
import Linux

/// The name of an object whose proxy is asked for: "NAME", "NAME:PORT" or "SCHEME:NAME:PORT".
struct ProxiedName: Hashable, Sendable {
    var isSecure = false
    var name: String
    /// A number or a name; empty: whatever there is.
    var port = ""
}

extension ProxiedName {
    /// nil for what has not this form (`SplitSchemeNamePort`).
    init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        switch parts.count {
        case 1: name = parts[0]
        case 2: (name, port) = (parts[0], parts[1])
        case 3:
            guard ["", "http", "https"].contains(parts[0]) else { return nil }
            isSecure = parts[0] == "https"
            (name, port) = (parts[1], parts[2])
        default: return nil
        }
        if name.isEmpty { return nil }
    }
}

extension APIServer {
    /// Where the proxy of a pod or a service leads, as `ResourceLocation` of both finds it.
    func answerProxy(
        _ request: APIRequest, _ target: RequestInfo.Target, _ call: Call
    ) async throws(APIFailure) -> APIAnswer {
        let word = target.plural == "pods" ? "pod" : "service"
        guard let asked = ProxiedName(call.name ?? "") else {
            throw .badRequest("invalid \(word) request \((call.name ?? "").goQuoted)")
        }
        let object = KubeObject(
            try await get(Call(call.user, call.served, namespace: call.namespace, name: asked.name)))
        let place =
            target.plural == "pods"
            ? try place(of: object, asked) : try await place(ofService: object, asked, call)
        // What stands behind the subresource is the target's own.
        let path = request.path.filter { !$0.isEmpty }
        let parts = path.count - target.rest.count
        let prefix = "/" + path.prefix(parts).joined(separator: "/")
        return .proxy(
            ProxyTarget(
                isSecure: asked.isSecure, host: place.host, port: place.port, prefix: prefix, prefixParts: parts))
    }

    private typealias Place = (host: String, port: UInt16)

    private func place(of pod: KubeObject, _ asked: ProxiedName) throws(APIFailure) -> Place {
        var port = asked.port
        if port.isEmpty {
            let first = (pod.spec["containers"]?.array ?? []).compactMap { $0["ports"]?[0]?["containerPort"]?.integer }
                .first
            port = first.map { "\($0)" } ?? (asked.isSecure ? "443" : "80")
        }
        guard let number = UInt16(port), number > 0 else {
            throw .badRequest("invalid pod request \((pod.name + ":" + port).goQuoted)")
        }
        return (try Self.allowed(pod.status["podIP"]?.string), number)
    }

    private func place(
        ofService service: KubeObject, _ asked: ProxiedName, _ call: Call
    ) async throws(APIFailure) -> Place {
        var name = asked.port
        if let number = Int64(asked.port) {
            let port = (service.spec["ports"]?.array ?? []).first { $0["port"]?.integer == number }
            guard let port else {
                throw Self.unavailable("no service port \(number) found for service \(service.name.goQuoted)")
            }
            name = port["name"]?.string ?? ""
        }
        var places: [Place] = []
        for slice in try await slices(of: service, call) {
            guard let port = (slice.json["ports"]?.array ?? []).first(where: { ($0["name"]?.string ?? "") == name }),
                let number = port["port"]?.integer.flatMap(UInt16.init(exactly:))
            else { continue }
            for endpoint in slice.json["endpoints"]?.array ?? [] where endpoint["conditions", "ready"]?.bool != false {
                if let address = endpoint["addresses"]?[0]?.string { places.append((address, number)) }
            }
        }
        guard !places.isEmpty else {
            throw Self.unavailable("no endpoints available for service \((call.name ?? "").goQuoted)")
        }
        let chosen = places[Int(chance.below(UInt64(places.count)))]
        return (try Self.allowed(chosen.host), chosen.port)
    }

    private func slices(of service: KubeObject, _ call: Call) async throws(APIFailure) -> [KubeObject] {
        let scope = Resource.endpointSlices.scope(namespace: call.namespace)
        do throws(ObjectStoreFailure) {
            return try await store.list(ListRequest(scope)).objects.map(KubeObject.init).filter {
                $0.metadata.labels["kubernetes.io/service-name"] == service.name
            }
        } catch { throw failure(error, call) }
    }

    /// As the API server lets it: an address of somebody in particular, and not of the machine's inside.
    private static func allowed(_ text: String?) throws(APIFailure) -> String {
        guard let text, let address = IPAddress(text), !address.isUnspecified, !address.isMulticast,
            !address.isLoopback,
            !isLinkLocal(address)
        else { throw .badRequest("address not allowed") }
        return text
    }

    private static func isLinkLocal(_ address: IPAddress) -> Bool {
        address.isIPv6
            ? address.bytes[0] == 0xfe && address.bytes[1] & 0xc0 == 0x80
            : address.bytes[0] == 169 && address.bytes[1] == 254
    }

    private static func unavailable(_ message: String) -> APIFailure { APIFailure(503, "ServiceUnavailable", message) }
}
