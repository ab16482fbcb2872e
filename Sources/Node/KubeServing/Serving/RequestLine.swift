internal import HTTPServing
internal import NodeLogs
internal import Synchronization
internal import Traces

/// What the node's log says of a request to the Kubernetes API: one line when its answer begins, with its audit id.
final class RequestLine: Sendable {
    private let calls: CallLog
    private let start = ContinuousClock.now
    /// nil once it was told.
    private let event: Mutex<LogEvent?>

    init(_ exchange: any HTTPExchange, auditID: String, _ calls: @escaping CallLog) {
        self.calls = calls
        let request = exchange.request
        var event = LogEvent(.info, "kubernetes", "request", requestID: auditID)
        if let parent = request.headers.traceCarrier.parent.flatMap({ TraceParent($0) }) {
            event.traceID = parent.trace.description
        }
        event.add("method", request.method)
        event.add("path", String(request.target.prefix(512)))
        event.add("agent", request.headers["user-agent"].map { String($0.prefix(128)) })
        event.add("peer", exchange.peerAddress)
        self.event = Mutex(event)
    }

    func asks(_ user: String) { event.withLock { $0?.add("user", user) } }

    func answered(_ status: Int) {
        let told = event.withLock { event in
            defer { event = nil }
            return event
        }
        guard var told else { return }
        if status >= 500 { told.level = .warn }
        told.add("status", status)
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        told.add("duration_us", Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000))
        calls(told)
    }
}
