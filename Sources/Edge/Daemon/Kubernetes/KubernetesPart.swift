import Engine
import Linux

/// The Kubernetes door with the cluster behind it, as a part of the node.
package enum KubernetesPart {
    /// Makes the part for a node.
    package static let maker: NodePart.Maker = { node async throws(NodeFailure) in
        guard let wish = node.settings.kubernetes.api else { return without("the node was started with --kubernetes-listen off") }
        let socket: OwnedFD
        do throws(SystemError) {
            socket = try InternetSocket.bind(
                .stream, to: InternetEndpoint(IPAddress(wish.host)!, wish.port), backlog: 1024)
        } catch {
            guard !wish.isAsked else { throw NodeFailure(.unavailable, "--kubernetes-listen \(wish): \(error).") }
            node.note("The Kubernetes API is not served: \(error). --kubernetes-listen chooses another port.")
            return without("its usual address \(wish) was taken")
        }
        let cluster = try await KubeCluster.start(node, socket)
        node.dashboard.add { $0.cluster = cluster }
        let routes = [
            NodeRoute(MakeKubeconfig.self) { request, _ async throws(NodeFailure) in try cluster.kubeconfig(request) }
        ]
        var part = NodePart(owner: nil, routes: routes) { await cluster.close() }
        part.sources = cluster.sources
        return part
    }

    private static func without(_ why: String) -> NodePart {
        let route = NodeRoute(MakeKubeconfig.self) { _, _ async throws(NodeFailure) in
            throw NodeFailure(.unavailable, "make a kubeconfig: this node serves no Kubernetes API, since \(why)")
        }
        return NodePart(owner: nil, routes: [route])
    }
}
