import Linux
import Networking

/// Waits for the connections of a pod that nobody new can reach.
///
/// The pod's own sockets are asked, through sock_diag(7) in its network namespace, and not the kernel's table of tracked
/// connections: that one says neither who spoke last nor what a program has not read yet, and counts bytes only where
/// the administrator has switched that on.
struct PodDrain: Sendable {
    /// The network namespace that the pod is in.
    let place: MachineNetwork
    let ports: Set<UInt16>

    private static let pause = Duration.milliseconds(10)
    private static let longestPause = Duration.milliseconds(50)

    /// Returns when all connections are at rest, at the deadline, or when the task is cancelled.
    func wait(until deadline: ContinuousClock.Instant) async {
        var pause = Self.pause
        while !Task.isCancelled, ContinuousClock.now < deadline {
            // A kernel that cannot tell, and a namespace that is gone, have nothing to wait for.
            guard let sockets = try? await sockets(), sockets.contains(where: { ConnectionRest.isBusy($0, ports: ports) })
            else { return }
            try? await Task.sleep(until: min(.now + pause, deadline), clock: .continuous)
            pause = min(pause * 2, Self.longestPause)
        }
    }

    private func sockets() async throws(SystemError) -> [SocketState] {
        try await place.run { () throws(SystemError) in try SocketDiagnosis.tcpSockets() }
    }
}

/// Connections without an end of their own: what a client of UDP sends goes where its last datagram went, until nothing
/// was sent for minutes. So the kernel is made to forget those to endpoints that are gone.
enum DatagramClients {
    /// - Parameters:
    ///   - lost: endpoints that answer for a service no longer.
    ///   - opened: where services had nobody who answers, and have now.
    static func forget(
        lost: Set<InternetEndpoint>, opened: Set<InternetEndpoint>, on machine: MachineNetwork
    ) async throws(SystemError) {
        if lost.isEmpty, opened.isEmpty { return }
        let families = Set((lost.union(opened)).map(\.address.isIPv6))
        try await machine.run { () throws(SystemError) in
            let tracking = try ConnectionTracking()
            for isIPv6 in families {
                for connection in try tracking.list(isIPv6: isIPv6) where connection.transport == TrackedConnection.udp {
                    let answering = InternetEndpoint(connection.reply.source, connection.reply.sourcePort)
                    let asked = InternetEndpoint(connection.original.target, connection.original.targetPort)
                    if connection.isRedirected ? lost.contains(answering) : opened.contains(asked) {
                        try tracking.remove(connection)
                    }
                }
            }
        }
    }
}
