internal import Linux
internal import Metering
internal import Traces

/// Calls of shifted programs as the ledger records them.
///
/// The function is `shift:ID`, the version says who answered: `original`, `container`, `standby`, `function` or `service`. The
/// source is `exec` for what answered a caller, `shadow` for the other side of a comparison, `control` for an original that was
/// run a second time. Billed is what the call took, and its memory is what it had at its peak: what a function of the right
/// size would be billed for.
package enum ShiftLedger {
    static func entries(of record: CallRecord, shift: String, program: String, target: ShiftTarget?, isControl: Bool)
        -> [MeteredCall]
    {
        let rung = target?.rung.rawValue ?? "target"
        var entries: [MeteredCall] = []
        if let answer = record.answer {
            let isTarget = record.way == .target && record.detour == nil
            entries.append(
                entry(
                    record, answer, shift, program, version: isTarget ? rung : original, source: "exec",
                    start: start(isTarget ? target : nil)))
        }
        if let shadow = record.shadow?.outcome {
            entries.append(
                entry(
                    record, shadow, shift, program, version: isControl ? original : rung,
                    source: isControl ? "control" : "shadow",
                    start: start(isControl ? nil : target)))
        }
        return entries
    }

    static let original = "original"

    package static func functionName(of shift: String) -> String { "shift:\(shift)" }

    private static func start(_ target: ShiftTarget?) -> MeteredCall.Start {
        switch target?.rung {
        case .container: .cold
        case .standby: .standby
        case .function, .service: .warm
        case nil: .none
        }
    }

    private static func entry(
        _ record: CallRecord, _ outcome: CallOutcome, _ shift: String, _ program: String, version: String,
        source: String,
        start: MeteredCall.Start
    ) -> MeteredCall {
        var call = MeteredCall(
            requestID: record.head.requestID,
            function: functionName(of: shift),
            version: version, invokedARN: program, source: source, arrivedAt: record.head.arrivedAt)
        call.queueMicroseconds = record.decisionNanoseconds / 1000
        call.durationMicroseconds = outcome.wallNanoseconds / 1000
        call.billedMilliseconds = (outcome.wallNanoseconds + 999_999) / 1_000_000
        call.cpuMicroseconds = outcome.usage?.cpuMicroseconds ?? 0
        call.peakMemoryBytes = outcome.usage?.peakResidentBytes ?? 0
        call.memoryMB = max(1, (call.peakMemoryBytes + 1 << 20 - 1) >> 20)
        let trace = record.head.trace
        (call.traceID, call.spanID) = (trace.trace.description, trace.spanText)
        call.start = start
        call.outcome =
            switch outcome.status {
            case .exited(0)?: .success
            case .exited(let status)?: .functionError("exit \(status)")
            case .signaled(let number, _)?: .functionError(Signal.name(of: number))
            case nil: .functionError("unknown end")
            }
        return call
    }
}

extension RunMeasure {
    init(_ outcome: CallOutcome) {
        self.init(
            microseconds: outcome.wallNanoseconds / 1000, isFailure: outcome.status?.isSuccess != true,
            cpuMicroseconds: outcome.usage?.cpuMicroseconds, peakBytes: outcome.usage?.peakResidentBytes)
    }
}

extension ResourceUsage {
    fileprivate var cpuMicroseconds: Int { userMicroseconds + systemMicroseconds }
}
