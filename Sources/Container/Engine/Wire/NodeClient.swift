package import Linux
import JSON
import Synchronization

/// A connection to a node's local API, for the command line and for tests.
///
///     let node = try await NodeClient.connect(to: "/run/forkless/node.sock")
///     let list = try await node.call(ListContainers(all: true))
///     let answer = try await node.stream(RunContainer(spec, attachment: .passed, waits: true), descriptors: [0, 1, 2]) {
///         started, _ in print(started.pid)
///     }
///
/// Requests may overlap. Items that nobody takes stop the reading of the whole connection, so a stream whose reader
/// is slow belongs on a connection of its own.
///
/// Invariants
/// 1. Every call ends: by an answer, a failure, or the end of the connection. (test: `a node that goes away fails every call`)
/// 2. A cancelled call is taken back at the node. (test: `a cancelled call is taken back`)
package final class NodeClient: Sendable {
    /// Items of one stream that wait to be taken.
    private static let itemLimit = 16

    private let core: Core
    private let reading: Task<Void, Never>

    /// Connects to the node whose socket is at `path`.
    ///
    /// - Throws: `NodeFailure` of kind `unavailable` that says how to start a node.
    package static func connect(to path: String) async throws(NodeFailure) -> NodeClient {
        do {
            return NodeClient(try await MessageChannel.connect(to: path))
        } catch where error.code == .noEntry || error.code == .connectionRefused {
            throw NodeFailure(
                .unavailable,
                "no node listens at \(path). Start one: \"forkless node\", or \"forkless node --detach\" in the background.")
        } catch where error.code == .accessDenied || error.code == .notPermitted {
            throw NodeFailure(
                .unavailable, "\(error). The node at \(path) is another user's: use sudo, or your own with --run.")
        } catch {
            throw NodeFailure(.unavailable, "\(error)")
        }
    }

    /// A client of whoever is at the other end.
    package init(_ channel: MessageChannel) {
        let core = Core(channel)
        self.core = core
        reading = Task { await core.read() }
    }

    deinit { core.channel.end() }

    /// Asks for one answer.
    package func call<Request: NodeRequest>(
        _ request: Request, descriptors: [CInt] = []
    ) async throws(NodeFailure) -> Request.Answer {
        try await stream(request, descriptors: descriptors) { _, _ in }
    }

    /// Asks, hands over every item with the descriptors that came with it, and returns the answer.
    ///
    /// The descriptors given stay the caller's, who may close them once the first item or the answer is there.
    package func stream<Request: NodeRequest>(
        _ request: Request, descriptors: [CInt] = [], isolation: isolated (any Actor)? = #isolation,
        _ take: (Request.Item, [SharedFD]) async throws -> Void
    ) async throws(NodeFailure) -> Request.Answer {
        let replies = BoundedQueue<ReceivedFrame>(limit: Self.itemLimit)
        let id = try core.register(replies)
        defer { core.forget(id) }
        do throws(SystemError) {
            let body = NodeFrame.Body.request(operation: Request.operation.rawValue, parameters: request.json)
            try await core.channel.send(NodeFrame(id: id, body), descriptors: descriptors)
        } catch {
            throw NodeFailure(error.code == .canceled ? .cancelled : .unavailable, "ask the node: \(error)")
        }
        while let reply = await replies.take() {
            switch reply.frame.body {
            case .item(let item):
                do { try await take(try Request.Item(lenient: item), reply.descriptors) } catch {
                    await core.takeBack(id)
                    throw Self.failure(error)
                }
            case .result(let result):
                do { return try Request.Answer(lenient: result) } catch { throw Self.failure(error) }
            case .failure(let failure): throw failure
            case .request, .cancel: throw NodeFailure(.protocolError, "the node answered with a request")
            }
        }
        if Task.isCancelled {
            await core.takeBack(id)
            throw NodeFailure(.cancelled, "the request was taken back")
        }
        throw core.ending
    }

    private static func failure(_ error: any Error) -> NodeFailure {
        switch error {
        case let failure as NodeFailure: failure
        case let error as JSONShapeError: NodeFailure(.protocolError, "the node's answer: \(error)")
        default: NodeFailure(.system, "\(error)")
        }
    }
}

/// What the reading task and the calls share; the client itself is not held by its reader, so that letting go of it
/// ends the connection.
private final class Core: Sendable {
    let channel: MessageChannel

    private struct State {
        var calls: [Int: BoundedQueue<ReceivedFrame>] = [:]
        var nextID = 0
        var ending: NodeFailure?
    }

    private let state = Mutex(State())

    init(_ channel: MessageChannel) { self.channel = channel }

    /// Why the connection ended.
    var ending: NodeFailure { state.withLock { $0.ending } ?? NodeFailure(.unavailable, "the node's answer never came") }

    func register(_ queue: BoundedQueue<ReceivedFrame>) throws(NodeFailure) -> Int {
        try state.withLock { state throws(NodeFailure) in
            if let ending = state.ending { throw ending }
            state.nextID += 1
            state.calls[state.nextID] = queue
            return state.nextID
        }
    }

    /// Whatever still comes for this call is dropped, also what the reader is about to hand over.
    func forget(_ id: Int) { state.withLock { $0.calls.removeValue(forKey: id) }?.finish() }

    /// Tells the node that nobody waits any more. It may be gone itself, which is as good.
    func takeBack(_ id: Int) async {
        let frame = NodeFrame(id: id, .cancel)
        let channel = channel
        // A task of its own: the caller's is cancelled, and would not wait for room in the socket.
        await Task { try? await channel.send(frame) }.value
    }

    func read() async {
        var buffer = ReceiveBuffer()
        do throws(NodeFailure) {
            while let received = try await channel.receiveFrame(&buffer) {
                let call = state.withLock { $0.calls[received.frame.id] }
                // What comes after its call was given up is nobody's.
                await call?.put(received)
            }
            end(NodeFailure(.unavailable, "the node closed the connection; what it was asked to run runs on"))
        } catch { end(error) }
    }

    private func end(_ failure: NodeFailure) {
        let calls = state.withLock { state in
            state.ending = failure
            return Array(state.calls.values)
        }
        for call in calls { call.finish() }
    }
}
