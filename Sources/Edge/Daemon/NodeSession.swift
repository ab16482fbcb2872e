import Engine
import JSON
import Linux
import Synchronization

/// One connection to the node: reads requests, serves each in a task of its own, and writes the replies.
final class NodeSession: Sendable {
    private let channel: MessageChannel
    private let routes: [String: NodeRoute]
    private let note: @Sendable (String) -> Void
    private let requests = Mutex<[Int: Task<Void, Never>]>([:])

    init(_ channel: MessageChannel, routes: [String: NodeRoute], note: @escaping @Sendable (String) -> Void) {
        self.channel = channel
        self.routes = routes
        self.note = note
    }

    /// Ends the connection; `serve` returns.
    func end() { channel.end() }

    /// Reads and serves until the caller goes away or breaks the protocol.
    func serve() async {
        var buffer = ReceiveBuffer()
        do throws(NodeFailure) {
            while let received = try await channel.receiveFrame(&buffer) { try take(received) }
        } catch {
            // A caller that is just gone is no news; one that breaks the protocol hears why.
            if error.kind == .protocolError {
                note("a connection was ended: \(error)")
                try? await channel.send(NodeFrame(id: 0, .failure(error)))
            }
        }
        channel.end()
        let open = requests.withLock { Array($0.values) }
        for task in open { task.cancel() }
    }

    private func take(_ received: ReceivedFrame) throws(NodeFailure) {
        let id = received.frame.id
        switch received.frame.body {
        case .request(let operation, let parameters):
            try start(id, operation, parameters, received.descriptors)
        case .cancel:
            // One that has been answered meanwhile is not there any more: nothing is left to cancel.
            requests.withLock { $0[id] }?.cancel()
        case .item, .result, .failure:
            throw NodeFailure(.protocolError, "a caller sends requests, not answers")
        }
    }

    private func start(
        _ id: Int, _ operation: String, _ parameters: JSONValue, _ descriptors: [SharedFD]
    ) throws(NodeFailure) {
        try requests.withLock { requests throws(NodeFailure) in
            guard requests[id] == nil else { throw NodeFailure(.protocolError, "request \(id) is under way already") }
            let isFull = requests.count >= NodeServer.requestLimit
            // Made under the lock: the task takes itself out of the table at its end, which must not come before.
            requests[id] = Task {
                await self.answer(id, isFull ? .failure(Self.full) : self.serve(id, operation, parameters, descriptors))
            }
        }
    }

    private static let full = NodeFailure(
        .conflict, "\(NodeServer.requestLimit) requests are under way on this connection; open another one")

    private func serve(
        _ id: Int, _ operation: String, _ parameters: JSONValue, _ descriptors: [SharedFD]
    ) async -> Result<JSONValue, NodeFailure> {
        guard let route = routes[operation] else {
            return .failure(NodeFailure(.unsupported, "this node has no operation \"\(operation)\""))
        }
        let channel = channel
        let exchange = NodeExchange(descriptors: descriptors) { (item, descriptors) async throws(NodeFailure) in
            do { try await channel.send(NodeFrame(id: id, .item(item)), descriptors: descriptors) } catch {
                throw NodeFailure(.cancelled, "the caller is gone: \(error)")
            }
        }
        do throws(NodeFailure) {
            return .success(try await route.serve(parameters, exchange))
        } catch { return .failure(error) }
    }

    private func answer(_ id: Int, _ result: Result<JSONValue, NodeFailure>) async {
        // The id is free before the answer is out: the caller may use it again at once.
        requests.withLock { $0[id] = nil }
        let body: NodeFrame.Body =
            switch result {
            case .success(let value): .result(value)
            case .failure(let failure): .failure(failure)
            }
        let channel = channel
        // In a task that is not cancelled: who took the request back is still told so.
        await Task { try? await channel.send(NodeFrame(id: id, body)) }.value
    }
}
