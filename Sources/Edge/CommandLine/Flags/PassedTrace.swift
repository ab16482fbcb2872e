import Linux
import Traces

/// The trace that we were started in, for a program that we start: one hop further, as OpenTelemetry's carrier for environments has it.
///
/// Only a trace that is there is passed on. Docker gives a container nothing of its caller's environment, and a program that did
/// not ask to be traced gets no variable that it would not have there.
enum PassedTrace {
    /// - Parameters:
    ///   - variables: what the flags say, "NAME=value": these win.
    ///   - own: our own environment.
    static func added(
        to variables: [String], own: (String) -> String?, _ chance: inout some RandomNumberGenerator
    ) -> [String] {
        let carrier = TraceVariables.carrier(own)
        let isThere = carrier.parent.flatMap { TraceParent($0) } != nil || carrier.amazon.flatMap { AmazonTrace($0) } != nil
        guard isThere, !variables.contains(where: { TraceVariables.isOne($0) }) else { return variables }
        // A trace that is there needs no time: ids are kept.
        let hop = TraceContext(after: carrier, seconds: 0, &chance)
        return variables + TraceVariables.entries(hop, requestID: nil)
    }
}
