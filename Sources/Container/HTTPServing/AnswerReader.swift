internal import NIOCore
internal import NIOHTTP1

/// What comes from a server, kept until somebody asks for it. Confined to its loop.
final class AnswerReader: ChannelInboundHandler {
    typealias InboundIn = HTTPClientResponsePart

    enum Event: Sendable {
        case head(HTTPResponse)
        case part([UInt8])
        case end
    }

    /// Kept at most before no more is read, bytes.
    private static let keptLimit = 1 << 20

    private let address: HTTPAddress
    private var kept = CircularBuffer<Event>()
    private var keptBytes = 0
    private var waiter: ((Result<Event, HTTPServingFailure>) -> Void)?
    private var failure: HTTPServingFailure?
    private var context: ChannelHandlerContext?
    private var isPaused = false

    init(_ address: HTTPAddress) { self.address = address }

    /// Gives the next event, now or when it comes. One at a time.
    func next(_ take: @escaping (Result<Event, HTTPServingFailure>) -> Void) {
        if let event = kept.popFirst() {
            if case .part(let bytes) = event { keptBytes -= bytes.count }
            if isPaused, keptBytes <= Self.keptLimit / 2 { setReading(true) }
            take(.success(event))
        } else if let failure {
            take(.failure(failure))
        } else {
            precondition(waiter == nil, "one at a time may wait for an answer")
            waiter = take
        }
    }

    func giveUp(after span: Duration) {
        fail(HTTPServingFailure(.timedOut, "wait for an answer of \(address): none within \(span)"))
        context?.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): give(.head(HTTPResponse(Int(head.status.code), headers: HeaderFields(head.headers))))
        case .body(let bytes): give(.part(Array(buffer: bytes)))
        case .end: give(.end)
        }
    }

    private func give(_ event: Event) {
        if let taker = waiter {
            waiter = nil
            return taker(.success(event))
        }
        kept.append(event)
        if case .part(let bytes) = event { keptBytes += bytes.count }
        if keptBytes > Self.keptLimit, !isPaused { setReading(false) }
    }

    private func setReading(_ reads: Bool) {
        isPaused = !reads
        try? context?.channel.syncOptions!.setOption(.autoRead, value: reads)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        fail(HTTPServingFailure(.broken, "wait for an answer of \(address): \(error)"))
        context.close(promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.context = nil
        fail(
            HTTPServingFailure(.broken, "wait for an answer of \(address): the connection ended before the answer did"))
        context.fireChannelInactive()
    }

    private func fail(_ reason: HTTPServingFailure) {
        guard failure == nil else { return }
        failure = reason
        waiter?(.failure(reason))
        waiter = nil
    }
}
