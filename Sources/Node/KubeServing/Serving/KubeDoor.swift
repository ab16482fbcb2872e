package import HTTPServing
package import KubeObjects
internal import Linux
package import NodeLogs

/// The HTTPS door of the Kubernetes API: HTTP/1.1 by TLS 1.2 and 1.3 (every client of Kubernetes speaks it; HTTP/2 is
/// not offered), requests to an `APIService`, streams of pods to a `PodAccess`.
package final class KubeDoor: Sendable {
    /// How often the door's certificate is looked at.
    private static let renewalCheck = Duration.seconds(6 * 3600)

    /// Where it listens, with the real port when 0 was asked for; nil for a socket made elsewhere.
    package var address: HTTPAddress? { listener.address }
    private let listener: HTTPListener
    private let parts: DoorParts
    private let renewing: Task<Void, Never>

    private init(_ listener: HTTPListener, _ parts: DoorParts, _ renewing: Task<Void, Never>) {
        self.listener = listener
        self.parts = parts
        self.renewing = renewing
    }

    /// Begins to serve.
    ///
    /// - Parameters:
    ///   - tokens: what `authenticator` knows service accounts by: published for others (OpenID Connect discovery).
    ///   - health: what has to be well besides "ping".
    ///   - heartbeat: how often the client of an exec or attach is asked whether it is there.
    ///   - counts: counts what is answered; several doors may share it.
    ///   - calls: takes a line for each request; nil: nobody wants them.
    ///   - report: told when the door's certificate could not be renewed.
    package static func listen(
        on place: consuming HTTPListenPlace, authority: NodeAuthority, service: any APIService, pods: any PodAccess,
        authenticator: Authenticator, tokens: ServiceAccountTokens?, health: [HealthCheck] = [], loops: ServingLoops,
        limits: HTTPLimits = HTTPLimits(), heartbeat: Duration = .seconds(30),
        counts: RequestCounts = RequestCounts(), calls: CallLog? = nil,
        report: @escaping @Sendable (AuthorityFailure) -> Void = { _ in }
    ) async throws(HTTPServingFailure) -> KubeDoor {
        let parts = DoorParts(
            service, pods, authenticator, HealthAnswers(health), tokens.map { OpenIDDocuments($0) },
            heartbeat: heartbeat, counts: counts, calls: calls)
        let listener = try await HTTPListener.listen(on: place, loops: loops, tls: authority.identity, limits: limits) {
            _ in
            DoorService(parts)
        }
        let renewing = Task {
            while true {
                do { try await Task.sleep(for: renewalCheck) } catch { return }
                let outcome = try? await BlockingPool.shared.run { () throws(SystemError) in
                    Result { () throws(AuthorityFailure) in try authority.renewIfDue() }
                }
                if case .failure(let failure) = outcome { report(failure) }
            }
        }
        return KubeDoor(listener, parts, renewing)
    }

    /// Watches, logs and pod streams that are under way.
    package var openAnswers: Int { parts.open.count }
    package var connections: Int { get async { await listener.connectionCount } }

    /// Takes no more connections, ends watches and streams, lets other answers be completed for a while, then ends.
    package func close(after grace: Duration) async {
        renewing.cancel()
        parts.open.closeAll()
        await listener.close(after: grace)
    }
}
