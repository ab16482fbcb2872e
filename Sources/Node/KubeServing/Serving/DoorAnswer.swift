internal import HTTPServing
internal import KubeObjects
internal import NodeLogs
internal import Synchronization

/// The answer to one request, given by a task that runs anywhere.
///
/// Invariants (tests in DoorTests):
/// 1. An event of a watch goes out when it comes (`a watch sends each event when it comes`).
/// 2. A client that goes ends what its request began (`a watch ends when its client has gone`).
final class DoorAnswer: Sendable {
    let auditID: String
    private let exchange: LoopBound<any HTTPExchange>
    private let line: RequestLine?

    private struct Abandonment {
        var isAbandoned = false
        var actions: [@Sendable () -> Void] = []
    }
    private let abandonment = Mutex(Abandonment())

    /// On the loop.
    init(_ exchange: any HTTPExchange, auditID: String, calls: CallLog?) {
        self.auditID = auditID
        line = calls.map { RequestLine(exchange, auditID: auditID, $0) }
        self.exchange = LoopBound(exchange, on: exchange.loop)
        exchange.onAbandoned = { [weak self] in self?.abandoned() }
    }

    var loop: ServingLoop { exchange.loop }

    /// Runs when the client goes before it has its answer; at once when it has gone.
    func whenAbandoned(_ action: @escaping @Sendable () -> Void) {
        let isLate = abandonment.withLock { state in
            if !state.isAbandoned { state.actions.append(action) }
            return state.isAbandoned
        }
        if isLate { action() }
    }

    private func abandoned() {
        let actions = abandonment.withLock { state in
            state.isAbandoned = true
            defer { state.actions = [] }
            return state.actions
        }
        for action in actions { action() }
    }

    /// Who asks is known.
    func asks(_ user: String) { line?.asks(user) }

    /// On the loop.
    func give(_ response: APIResponse) {
        line?.answered(response.status)
        exchange.value.respond(Self.response(response, auditID: auditID))
        settled()
    }

    func whole(_ response: APIResponse) async {
        line?.answered(response.status)
        let made = Self.response(response, auditID: auditID)
        loop.execute {
            self.exchange.value.respond(made)
            self.settled()
        }
    }

    /// What was to be done for a client that goes holds much, and the answer is complete.
    private func settled() { abandonment.withLock { $0.actions = [] } }

    /// Sends a head and then what comes, until its end.
    func parts(_ head: APIResponse, _ items: any APIParts, _ open: OpenAnswers) async {
        line?.answered(head.status)
        let headers = Self.fields(head, auditID: auditID)
        let sender = LoopSender(
            .init(
                isWritable: { self.exchange.value.isWritable }, send: { self.exchange.value.send($0) },
                finish: {
                    self.exchange.value.onWritable = nil
                    self.exchange.value.finish(trailers: HeaderFields())
                    self.settled()
                }), on: loop)
        loop.execute {
            self.exchange.value.begin(head.status, headers: headers)
            self.exchange.value.onWritable = { sender.becameWritable() }
            // Whoever watches and says goodbye waits for nothing more: Go's servers take it so, too.
            self.exchange.value.onInputEnd = { items.cancel() }
        }
        let number = open.add { items.cancel() }
        whenAbandoned {
            sender.gone()
            items.cancel()
        }
        if !head.body.isEmpty { _ = await sender.send(head.body) }
        while let part = await items.next() {
            guard await sender.send(part) else { break }
        }
        items.cancel()
        open.remove(number)
        sender.finish()
    }

    /// Breaks the connection off: the client sees that something is missing.
    func breakOff() { loop.execute { self.exchange.value.abort() } }

    /// Takes the connection over; nil when the client has gone.
    func upgrade(_ headers: [(name: String, value: String)]) async -> DuplexPipe? {
        var fields = HeaderFields(headers.map { ($0.name, $0.value) })
        fields.add("Audit-Id", auditID)
        line?.answered(101)
        let chosen = fields
        return await withUnsafeContinuation { (continuation: UnsafeContinuation<DuplexPipe?, Never>) in
            loop.execute {
                let duplex = self.exchange.value.upgrade(headers: chosen)
                self.settled()
                continuation.resume(returning: duplex.map { DuplexPipe($0) })
            }
        }
    }

    static func response(_ response: APIResponse, auditID: String) -> HTTPResponse {
        HTTPResponse(response.status, headers: fields(response, auditID: auditID), body: response.body)
    }

    private static func cleaned(_ value: String) -> String {
        String(decoding: value.utf8.map { $0 < 0x20 || $0 == 0x7F ? 0x20 : $0 }, as: UTF8.self)
    }

    private static func fields(_ response: APIResponse, auditID: String) -> HeaderFields {
        var fields = HeaderFields()
        fields.fields.reserveCapacity(response.headers.count + 2)
        var isCachingKnown = false
        for header in response.headers where HeaderFields.isName(header.name) {
            // A value may hold what a client sent, a Warning for instance: it must not end its line.
            let isClean = HeaderFields.isValue(header.value)
            fields.add(header.name, isClean ? header.value : Self.cleaned(header.value))
            isCachingKnown = isCachingKnown || HeaderFields.areEqual(header.name, "cache-control")
        }
        fields.add("Audit-Id", auditID)
        if !isCachingKnown { fields.add("Cache-Control", "no-cache, private") }
        return fields
    }
}
