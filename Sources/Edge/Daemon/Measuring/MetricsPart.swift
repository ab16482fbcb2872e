import Engine
import HTTPServing
import Linux
import Metrics

/// What the node measures, as a part of it: /metrics for Prometheus, and the history.
package enum MetricsPart {
    /// Makes the part for a node.
    package static let maker: NodePart.Maker = { node in
        let history = await HistoryWork.open(node)
        let (measurements, door) = (node.measurements, node.http)
        var part = NodePart(owner: nil, routes: []) { await history?.close() }
        part.pages = [
            NodePage(.exactly("/metrics")) { await MetricsPage(door: door.address).answer($0, measurements) }
        ]
        part.sources = [
            ProcessMetrics(version: node.settings.version), SandboxMetrics(node.link), ContainerMetrics(node.engine, node.journal),
            DiskMetrics(node.images, state: node.settings.state),
        ] + (history?.sources ?? [])
        part.begin = { offers in
            measurements.open(offers.sources)
            history?.begin()
        }
        return part
    }
}

/// /metrics: what Prometheus scrapes.
///
/// Invariants
/// 1. Who is on this machine reads it without a token, nobody else does. (test: `who is on another machine reads no metrics`)
struct MetricsPage: Sendable {
    /// Where the node is served: who comes from that address is here.
    let door: HTTPAddress?

    func answer(_ asked: PageRequest, _ measurements: Measurements) async -> HTTPResponse {
        let request = asked.request
        guard isHere(asked.peer) else {
            return .plain(
                403,
                "/metrics is read on the node's own machine, without a token. Run Prometheus there, or lead it there by a proxy or "
                    + "a tunnel that asks who comes.")
        }
        guard request.method == "GET" || request.method == "HEAD" else {
            var response = HTTPResponse.plain(405, "/metrics is read with GET or HEAD; \(request.method) changes nothing here.")
            response.headers.add("Allow", "GET, HEAD")
            return response
        }
        let format = PrometheusText.Format(accept: request.headers["accept"])
        let families = await measurements.families()
        return HTTPResponse(
            200,
            headers: HeaderFields([
                ("Content-Type", format.contentType), ("Cache-Control", "no-store"), ("Vary", "Accept"),
                ("X-Content-Type-Options", "nosniff"),
            ]),
            body: PrometheusText.bytes(families, format))
    }

    private func isHere(_ peer: String?) -> Bool {
        guard let address = peer.flatMap({ IPAddress($0) }) else { return false }
        if address.isLoopback { return true }
        guard case .tcp(let host, _) = door else { return false }
        return address == IPAddress(host)
    }
}
