import Dashboard
import Engine
import HTTPServing

/// The dashboard as a part of the node: pages below /dashboard, and the addresses that log a browser in.
package enum DashboardPart {
    /// Makes the part for a node.
    package static let maker: NodePart.Maker = { node async throws(NodeFailure) in
        guard let address = node.http.address else { return without("the node serves no HTTP: its port was taken, or --http-listen is off") }
        let token: DashboardToken
        do throws(DashboardFailure) { token = try DashboardToken.open(state: node.settings.state) } catch {
            // Functions and containers work without; who wants to see it hears why.
            node.note("The dashboard is not served: \(error.description)")
            return without(error.description)
        }
        let door = DashboardDoor(NodeDashboard(node), token: token)
        var part = NodePart(
            owner: nil,
            routes: [
                NodeRoute(OpenDashboard.self) { _, _ async throws(NodeFailure) in
                    DashboardAddress(url: url(address) + door.loginPath())
                }
            ])
        part.pages = [
            NodePage(.below(Place.root), limit: DashboardDoor.bodyLimit) { asked in
                await door.answer(asked.request, body: asked.body, peer: asked.peer)
            },
            NodePage(.exactly("/")) { _ in
                HTTPResponse(303, headers: HeaderFields([("Location", Place.root), ("Cache-Control", "no-store")]))
            },
        ]
        return part
    }

    /// Where a browser on this machine finds the node.
    private static func url(_ address: HTTPAddress) -> String {
        guard case .tcp(let host, let port) = address else { return "http://127.0.0.1" }
        switch host {
        case "0.0.0.0": return "http://127.0.0.1:\(port)"
        case "::": return "http://[::1]:\(port)"
        default: return "http://\(address)"
        }
    }

    private static func without(_ why: String) -> NodePart {
        let route = NodeRoute(OpenDashboard.self) { _, _ async throws(NodeFailure) in
            throw NodeFailure(.unavailable, "open the dashboard: \(why)")
        }
        return NodePart(owner: nil, routes: [route])
    }
}
