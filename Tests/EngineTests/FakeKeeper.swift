import Engine
import Keeper
import Linux
import Spawn
import Synchronization

/// A keeper played by a test: it speaks the protocol and starts nothing.
final class FakeKeeper: KeeperAccess {
    /// What is done with a start.
    enum Manner: Sendable {
        /// It is answered: the program runs.
        case run
        /// It is answered by a failure.
        case fail(KeeperFailure)
        /// So many are answered by a failure, and those after them run.
        case refuse(KeeperFailure, times: Int)
        /// The keeper dies instead of answering, and with it what it ran.
        case die
        /// The node's connection breaks before the answer; the keeper runs the program.
        case runUnheard
    }

    private struct State {
        var isAlive: Bool
        var manner = Manner.run
        var sandboxes: [String: SandboxReport] = [:]
        var requests: [KeeperRequest] = []
        var connection: MessageChannel?
        var connections = 0
        var starts = 0
        var generation: UInt64 = 1
        var startFailure: NodeFailure?
    }

    private let state: Mutex<State>

    init(isAlive: Bool = true) { state = Mutex(State(isAlive: isAlive)) }

    var requests: [KeeperRequest] { state.withLock { $0.requests } }
    var sandboxes: [String: SandboxReport] { state.withLock { $0.sandboxes } }
    /// Whether somebody is connected.
    var isConnected: Bool { state.withLock { $0.connections > 0 } }
    /// How often a keeper was started.
    var starts: Int { state.withLock { $0.starts } }

    func set(_ manner: Manner) { state.withLock { $0.manner = manner } }
    func failToStart(_ failure: NodeFailure?) { state.withLock { $0.startFailure = failure } }
    func add(_ report: SandboxReport) { state.withLock { $0.sandboxes[report.sandbox] = report } }

    static let report = StartReport(
        pid: 4242, startedAt: Timestamp(nanoseconds: 77), startNanoseconds: 250_000, wasPrepared: true)

    static func end(_ status: Int32) -> EndReport {
        EndReport(
            status: .exited(status), usage: ResourceUsage(userMicroseconds: 5), endedAt: Timestamp(nanoseconds: 99),
            cgroup: nil, outOfMemory: false, lostLogBytes: 0)
    }

    // KeeperAccess

    func connect() async throws(NodeFailure) -> MessageChannel? {
        guard state.withLock({ $0.isAlive }) else { return nil }
        do {
            var pair = try MessageSocket.pair()
            let ours = try MessageChannel(adopting: pair.takeFirst())
            let theirs = try MessageChannel(adopting: pair.takeSecond())
            state.withLock {
                $0.connection = ours
                $0.connections += 1
            }
            Task { await self.serve(ours) }
            return theirs
        } catch { throw NodeFailure(.system, "\(error)") }
    }

    func start() async throws(NodeFailure) {
        try state.withLock { state throws(NodeFailure) in
            if let failure = state.startFailure { throw failure }
            state.isAlive = true
            state.starts += 1
            state.generation += 1
        }
    }

    // What the test lets happen.

    /// A program ends.
    func end(_ sandbox: String, status: Int32) async throws {
        let connection = state.withLock { state in
            state.sandboxes[sandbox]?.end = Self.end(status)
            return state.connection
        }
        try await connection?.send(KeeperReply.ended(sandbox: sandbox, Self.end(status)).encoded(number: 0))
    }

    /// The keeper dies with all that it ran.
    func die() {
        let connection = state.withLock { state in
            state.isAlive = false
            state.sandboxes = [:]
            return state.connection
        }
        connection?.end()
    }

    /// The connection breaks; the keeper lives.
    func cutOff() { state.withLock { $0.connection }?.end() }

    // The protocol.

    private func serve(_ channel: MessageChannel) async {
        defer { state.withLock { $0.connections -= 1 } }
        var buffer = ReceiveBuffer()
        while var message = try? await channel.receive(&buffer) {
            guard (try? KeeperProtocol.unfold(&message)) != nil,
                let (request, number) = try? KeeperRequest.decode(message.bytes)
            else { return channel.end() }
            state.withLock { $0.requests.append(request) }
            guard let reply = answer(request) else { continue }
            try? await channel.send(reply.encoded(number: number))
        }
    }

    private func answer(_ request: KeeperRequest) -> KeeperReply? {
        switch request {
        case .hello:
            return .hello(KeeperIdentity(pid: 1, generation: state.withLock { $0.generation }, build: "fake"))
        case .define: return .template(1)
        case .list: return .list(state.withLock { Array($0.sandboxes.values) })
        case .start(let start): return self.start(start.sandbox)
        case .acknowledge(let sandbox):
            state.withLock { $0.sandboxes[sandbox] = nil }
            return .done
        default: return .done
        }
    }

    private func start(_ sandbox: String) -> KeeperReply? {
        let manner = state.withLock { state -> Manner in
            guard case .refuse(let failure, let times) = state.manner else { return state.manner }
            state.manner = times > 1 ? .refuse(failure, times: times - 1) : .run
            return .fail(failure)
        }
        switch manner {
        case .run, .refuse: break
        case .fail(let failure): return .failed(failure)
        case .die:
            die()
            return nil
        case .runUnheard:
            add(SandboxReport(sandbox: sandbox, parent: nil, start: Self.report, isFrozen: false, end: nil))
            cutOff()
            return nil
        }
        add(SandboxReport(sandbox: sandbox, parent: nil, start: Self.report, isFrozen: false, end: nil))
        return .started(Self.report)
    }
}
