/// A trace in environment variables, for programs: `TRACEPARENT` and `TRACESTATE` as OpenTelemetry's environment carrier names them
/// (https://opentelemetry.io/docs/specs/otel/context/env-carriers/), and `_X_AMZN_TRACE_ID` as AWS Lambda does.
package enum TraceVariables {
    package static let parent = "TRACEPARENT"
    package static let state = "TRACESTATE"
    package static let amazon = "_X_AMZN_TRACE_ID"
    /// The id of the call: what log lines and the ledger name it by.
    package static let request = "FORKLESS_REQUEST_ID"

    /// What a program's environment says of the trace that it stands in.
    package static func carrier(_ value: (String) -> String?) -> TraceCarrier {
        TraceCarrier(parent: value(parent), state: value(state), amazon: value(amazon))
    }

    /// The variables that a program is given, each "NAME=VALUE".
    package static func entries(_ context: TraceContext, requestID: String?) -> [String] {
        var entries = ["\(parent)=\(context.traceparent)"]
        if !context.state.isEmpty { entries.append("\(state)=\(context.state)") }
        entries.append("\(amazon)=\(context.amazon)")
        if let requestID { entries.append("\(request)=\(requestID)") }
        return entries
    }

    /// Whether an entry of an environment is one of these, which a new one replaces.
    package static func isOne(_ entry: some StringProtocol) -> Bool {
        let name = entry.prefix { $0 != "=" }
        return name == parent || name == state || name == amazon || name == request
    }
}
