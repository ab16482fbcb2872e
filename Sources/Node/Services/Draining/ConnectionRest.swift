import Linux

/// Whether a connection to a pod that is to end may be cut. Pure.
///
/// A connection that has ended is no matter. One that is open may be between two requests: clients keep connections for
/// minutes. What tells is who spoke last. A server that has answered everything it was asked spoke last; one that owes
/// an answer was spoken to last, however long it takes. So a connection is at rest when nothing waits to be read or
/// acknowledged, the pod's side has spoken at all and spoke last, and nothing has moved for a while.
///
/// What this cannot know: a client that speaks without ever expecting an answer seems to wait, and is given the whole
/// time; a server that pauses in the middle of an answer for longer than `quiet` seems to have ended it; and a client may
/// begin a request in the very moment in which its resting connection is cut, as with every server that closes
/// connections it does not need.
///
/// Invariants
/// 1. A connection on which an answer is owed is never at rest. (tests: `a connection with a request under way is not at rest`,
///    `a first request that waits for its answer is under way, however long ago it came`)
/// 2. A connection that keeps silent after an answer is. (test: `a connection that was answered and is quiet is at rest`)
enum ConnectionRest {
    /// Nothing moved for so long, milliseconds.
    static let quiet: UInt32 = 250
    /// The same, where question and answer were too close to tell which came last.
    static let quietInDoubt: UInt32 = 1000

    /// Whether somebody is still being served.
    ///
    /// - Parameter ports: where the pod answers for its services.
    static func isBusy(_ socket: SocketState, ports: Set<UInt16>) -> Bool {
        guard ports.contains(socket.localPort), !socket.peer.address.isLoopback else { return false }
        switch socket.phase {
        // About to be a connection.
        case .synReceived: return true
        case .established, .closeWait: return !isAtRest(socket)
        // The program has closed it; the kernel still sends.
        case .finWait1, .closing, .lastAck: return socket.unsent > 0
        case .synSent, .finWait2, .timeWait, .closed, .listening: return false
        }
    }

    private static func isAtRest(_ socket: SocketState) -> Bool {
        guard socket.unread == 0, socket.unsent == 0 else { return false }
        // Asked and not answered at all. The times do not tell: a first request comes in the tick of the handshake.
        if socket.bytesReceived > 0, socket.bytesAcknowledged == 0 { return false }
        guard let sent = socket.sinceSent, let received = socket.sinceReceived else { return false }
        if received < sent { return false }
        return min(sent, received) >= (sent == received ? quietInDoubt : quiet)
    }
}
