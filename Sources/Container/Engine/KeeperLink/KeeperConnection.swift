package import Keeper
package import Linux
import Synchronization

/// One connection to a keeper: numbered requests with their answers, and events in the order in which they came.
///
/// Invariants
/// 1. Every request ends: answered, or failed when the connection ends.
///    (test: `a keeper that dies in the middle of a start fails the request, not the node`)
/// 2. Events are handed over one after the other, those before an answer before it.
package final class KeeperConnection: Sendable {
    /// An answer with the descriptors that came with it.
    package struct Answer: Sendable {
        package var reply: KeeperReply
        package var descriptors: [SharedFD]
    }

    /// A request that the keeper may or may not have carried out: its connection ended first.
    package struct Ended: Error, Hashable, Sendable, CustomStringConvertible {
        package var reason: String
        package var description: String { "the connection to the keeper ended: \(reason)" }
    }

    /// Why there is no answer of the wanted kind.
    package enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// The keeper refused or failed: nothing was changed.
        case failed(KeeperFailure)
        /// Nobody knows whether it was done.
        case unanswered(Ended)

        package var description: String {
            switch self {
            case .failed(let failure): failure.description
            case .unanswered(let ended): ended.description
            }
        }
    }

    private struct State {
        var nextNumber: UInt64 = 0
        var waiting: [UInt64: CheckedContinuation<Result<Answer, Problem>, Never>] = [:]
        var ended: Ended?
        var endWaiters: [CheckedContinuation<Void, Never>] = []
    }

    private let channel: MessageChannel
    private let state = Mutex(State())

    /// - Parameter onEvent: called for each event, in order; it must not wait for answers of this connection.
    package init(_ channel: MessageChannel, onEvent: @escaping @Sendable (String, EndReport) -> Void) {
        self.channel = channel
        // The reader holds this object until the connection ends, which `close` brings about.
        Task { await self.read(onEvent) }
    }

    /// Asks and waits for the answer.
    package func request(_ request: KeeperRequest, descriptors: [CInt] = []) async throws(Problem) -> Answer {
        let number = state.withLock { state in
            state.nextNumber += 1
            return state.nextNumber
        }
        let result = await withCheckedContinuation { continuation in
            let ended = state.withLock { state -> Ended? in
                if let ended = state.ended { return ended }
                state.waiting[number] = continuation
                return nil
            }
            if let ended { return continuation.resume(returning: .failure(.unanswered(ended))) }
            Task { await self.send(request, number, descriptors) }
        }
        return try result.get()
    }

    /// Ends the connection.
    package func close() { channel.end() }

    /// Waits until the connection has ended.
    package func untilEnded() async -> Ended {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.ended == nil { state.endWaiters.append(continuation) }
                return state.ended != nil
            }
            if isOver { continuation.resume() }
        }
        return state.withLock { $0.ended! }
    }

    private func send(_ request: KeeperRequest, _ number: UInt64, _ descriptors: [CInt]) async {
        do {
            let message = try KeeperProtocol.fold(request.encoded(number: number))
            try await channel.send(message.bytes, descriptors: descriptors + (message.file.map { [$0.raw] } ?? []))
        } catch {
            let failure = KeeperFailure(.system, "ask the keeper: \(error)", code: error.code.rawValue)
            // What was not sent was not done, unless the keeper is going: then its end decides.
            let waiter = state.withLock { $0.waiting.removeValue(forKey: number) }
            waiter?.resume(returning: .failure(.failed(failure)))
        }
    }

    private func read(_ onEvent: @Sendable (String, EndReport) -> Void) async {
        var buffer = ReceiveBuffer()
        do {
            while var message = try await channel.receive(&buffer) {
                try KeeperProtocol.unfold(&message)
                let (reply, number) = try KeeperReply.decode(message.bytes)
                if case .ended(let sandbox, let report) = reply, number == 0 {
                    onEvent(sandbox, report)
                    continue
                }
                let waiter = state.withLock { $0.waiting.removeValue(forKey: number) }
                if case .failed(let failure) = reply {
                    waiter?.resume(returning: .failure(.failed(failure)))
                } else {
                    waiter?.resume(returning: .success(Answer(reply: reply, descriptors: message.descriptors)))
                }
            }
            end(Ended(reason: "it closed"))
        } catch { end(Ended(reason: "\(error)")) }
    }

    private func end(_ ended: Ended) {
        channel.end()
        let (waiting, endWaiters) = state.withLock { state in
            state.ended = ended
            let all = (state.waiting, state.endWaiters)
            state.waiting = [:]
            state.endWaiters = []
            return all
        }
        for waiter in waiting.values { waiter.resume(returning: .failure(.unanswered(ended))) }
        for waiter in endWaiters { waiter.resume() }
    }
}

extension KeeperConnection {
    /// Asks what is answered with nothing but success.
    package func perform(_ request: KeeperRequest) async throws(Problem) {
        let answer = try await self.request(request)
        guard case .done = answer.reply else { throw Self.strange(answer, "done") }
    }

    /// The failure of an answer that is of another kind than its request allows.
    static func strange(_ answer: Answer, _ wanted: String) -> Problem {
        .failed(KeeperFailure(.protocolError, "the keeper answered something else than \"\(wanted)\": \(answer.reply)"))
    }
}
