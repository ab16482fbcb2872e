internal import HTTPServing
internal import Lambda

/// An answer that a task writes part by part, no faster than the client takes it.
///
/// Invariant: the task is cancelled, and `send` throws, once the client has gone
/// (`a follower whose client goes ends`, `a follower ends whose client is found gone by a write`).
package struct DoorStream: Sendable {
    private let pace: LoopBound<Pace>

    fileprivate init(_ pace: LoopBound<Pace>) { self.pace = pace }

    /// Sends the head, if that has not been done, so that the client knows that it will be answered.
    package func begin() async throws(CancellationError) { try await send([]) }

    /// Sends a part; returns when the next one may come.
    ///
    /// - Throws: when nobody is there any more.
    package func send(_ bytes: [UInt8]) async throws(CancellationError) {
        let isThere = await withCheckedContinuation { continuation in
            pace.loop.execute { pace.value.send(bytes) { continuation.resume(returning: $0) } }
        }
        if !isThere { throw CancellationError() }
    }
}

extension DoorRequest {
    /// Answers in parts with what work sends. A failure before the first part is an answer like any other, a later one
    /// breaks the connection off.
    package func stream(
        contentType: String, _ work: @escaping Sending
    ) {
        let pace = LoopBound(Pace(exchange, contentType: contentType, requestID: requestID), on: exchange.loop)
        let task = Task {
            let failure: LambdaFailure?
            do throws(LambdaFailure) {
                try await work(DoorStream(pace))
                failure = nil
            } catch { failure = error }
            pace.loop.execute { pace.value.end(failure) }
        }
        exchange.onWritable = { pace.value.goOn() }
        exchange.onAbandoned = {
            task.cancel()
            pace.value.goOn()
        }
    }
}

/// Holds a sender back while the client does not take what was sent. Confined to the exchange's loop.
private final class Pace {
    private let exchange: any HTTPExchange
    private let contentType: String
    private let requestID: String
    private var hasBegun = false
    private var isOver = false
    private var waiter: ((Bool) -> Void)?

    init(_ exchange: any HTTPExchange, contentType: String, requestID: String) {
        self.exchange = exchange
        self.contentType = contentType
        self.requestID = requestID
    }

    func send(_ bytes: [UInt8], _ done: @escaping (Bool) -> Void) {
        guard !isOver else { return done(false) }
        if !hasBegun {
            hasBegun = true
            exchange.begin(
                200, headers: HeaderFields([("Content-Type", contentType), ("x-amzn-RequestId", requestID)]))
        }
        if !bytes.isEmpty { exchange.send(bytes) }
        // A write finds out that the client has gone before it returns.
        if isOver { done(false) } else if exchange.isWritable { done(true) } else { waiter = done }
    }

    /// It can take more, or nobody is there: that the next `send` tells.
    func goOn() {
        if !exchange.isWritable { isOver = true }
        let done = waiter
        waiter = nil
        done?(!isOver)
    }

    func end(_ failure: LambdaFailure?) {
        guard !isOver else { return }
        isOver = true
        switch failure {
        case nil:
            if !hasBegun {
                exchange.begin(
                    200, headers: HeaderFields([("Content-Type", contentType), ("x-amzn-RequestId", requestID)]))
            }
            exchange.finish(trailers: HeaderFields())
        case let failure?:
            if hasBegun {
                exchange.abort()
            } else {
                exchange.respond(DoorAnswer.failure(failure, requestID: requestID))
            }
        }
    }
}
