package import Engine
import JSON
package import Linux
import Synchronization

/// Serves the local API on a unix socket: one task for each connection, one for each request.
///
/// Invariants
/// 1. Only our own user and root are served; the socket's mode says the same. (test: `the socket is for its owner only`)
/// 2. A caller that misbehaves harms nobody else: one that does not read waits alone, one that sends what is no
///    message is told so and cut off. (test: `a caller that does not read holds nobody else up`,
///    `bytes that are no message end their connection and no other`)
/// 3. A request ends with its connection: what it started runs on.
///    (test: `a caller that goes away takes its requests along and nothing else`)
package final class NodeServer: Sendable {
    /// Connections at once: people, scripts and doors on one machine, with room. One more waits in the backlog.
    package static let connectionLimit = 512
    /// Requests at once on one connection; one more is refused, so that a request to cancel is still read.
    package static let requestLimit = 256
    /// The pause when there are no more descriptors: somebody has to close some first.
    private static let shortagePause = Duration.milliseconds(100)

    private let routes: [String: NodeRoute]
    private let listener: SharedFD
    private let note: @Sendable (String) -> Void

    private struct State {
        var connections: [ObjectIdentifier: NodeSession] = [:]
        var isStopping = false
    }

    private let state = Mutex(State())
    private let room = Published(0)

    /// - Parameters:
    ///   - listener: a listening, non-blocking SOCK_SEQPACKET socket.
    ///   - routes: what is served; two for one operation are a programmer error.
    package init(listener: consuming OwnedFD, routes: [NodeRoute], note: @escaping @Sendable (String) -> Void) {
        self.listener = SharedFD(listener)
        self.routes = Dictionary(uniqueKeysWithValues: routes.map { ($0.operation.rawValue, $0) })
        self.note = note
    }

    /// Serves until `stop`, or until the task is cancelled.
    package func run() async {
        while !state.withLock({ $0.isStopping }) {
            guard await room.wait(until: { $0 < Self.connectionLimit }) != nil else { return }
            do {
                try await Readiness.shared.readable(listener.raw)
                try accept()
            } catch where error.code == .again {
                continue
            } catch where error.code == .canceled {
                return
            } catch {
                if state.withLock({ $0.isStopping }) { return }
                note("accept a connection: \(error)")
                do { try await Task.sleep(for: Self.shortagePause) } catch { return }
            }
        }
    }

    /// Accepts no more, ends every connection and lets go of their requests.
    package func stop() {
        let sessions = state.withLock { state in
            state.isStopping = true
            return Array(state.connections.values)
        }
        MessageSocket.end(listener.raw)
        for session in sessions { session.end() }
    }

    private func accept() throws(SystemError) {
        let socket = try MessageSocket.accept(from: listener.raw)
        let peer = try MessageSocket.peer(of: socket.raw)
        guard peer.uid == 0 || peer.uid == OwnProcess.effectiveUser else {
            note("a process of user \(peer.uid) (pid \(peer.pid)) was turned away")
            return
        }
        let session = NodeSession(try MessageChannel(adopting: socket), routes: routes, note: note)
        let id = ObjectIdentifier(session)
        let count = state.withLock { state in
            state.connections[id] = session
            return state.connections.count
        }
        room.set(count)
        Task {
            await session.serve()
            let count = state.withLock { state in
                state.connections[id] = nil
                return state.connections.count
            }
            room.set(count)
        }
    }
}
