import HTTPServing
import NodeLogs
import Traces

/// What the node's log says of a request that the gateway has passed on: one line at its end.
struct GatewayLine: Sendable {
    private let calls: CallLog
    private var event: LogEvent

    /// nil when nobody wants lines.
    ///
    /// - Parameter onward: the request as it is passed on, with its id.
    init?(
        _ gateway: IngressGateway, _ exchange: any HTTPExchange, _ place: RequestPlace, _ onward: HTTPRequest,
        _ trace: TraceContext? = nil
    ) {
        guard let calls = gateway.settings.calls else { return nil }
        self.calls = calls
        event = LogEvent(.info, "ingress", "request", requestID: onward.headers["x-request-id"])
        event.traceID = trace?.trace.description
        event.spanID = trace?.spanText
        event.add("method", onward.method)
        event.add("host", place.host)
        event.add("path", String(onward.rawPath.prefix(512)))
        event.add("peer", exchange.peerAddress)
    }

    /// - Parameter status: nil: the client went away before.
    func end(_ service: ServiceName, status: Int?, server: HTTPAddress?, after span: Duration) {
        var event = event
        event.add("service", "\(service.namespace)/\(service.name)")
        event.add("server", server.map { "\($0)" })
        tell(event, status, span)
    }

    /// The function's call has an id of its own: two clients may send one id, and calls are told apart by theirs.
    func end(_ service: ServiceName, function: String, _ response: HTTPResponse, after span: Duration) {
        var event = event
        event.add("service", "\(service.namespace)/\(service.name)")
        event.add("function", function)
        event.add("call_id", response.headers["x-amzn-RequestId"])
        tell(event, response.status, span)
    }

    private func tell(_ event: LogEvent, _ status: Int?, _ span: Duration) {
        var event = event
        if status.map({ $0 >= 500 }) ?? true { event.level = .warn }
        event.add("status", status ?? 499)
        let (seconds, attoseconds) = span.components
        event.add("duration_us", Int(seconds) * 1_000_000 + Int(attoseconds / 1_000_000_000_000))
        calls(event)
    }
}
