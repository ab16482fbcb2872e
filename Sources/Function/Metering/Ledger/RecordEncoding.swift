internal import Linux

extension LedgerRecord {
    /// The canonical bytes: what the chain's hashes are made over, and what `export` shows.
    ///
    /// A JSON object that begins `{"sequence":7,"recordedAt":"2026-11-23T06:47:29.123456789Z","kind":"call",...`; the order of
    /// the members is the one below; a member without a value is left out. Times are RFC 3339 with nine decimals.
    package var canonicalBytes: [UInt8] {
        var text = RecordText()
        text.add("sequence", sequence)
        text.add("recordedAt", recordedAt)
        switch entry {
        case .call(let call): call.write(to: &text)
        case .provisioned(let capacity):
            text.add("kind", "provisioned")
            text.add("function", capacity.function)
            text.add("version", capacity.version)
            text.add("memoryMB", capacity.memoryMB)
            text.add("instances", capacity.instances)
            text.add("from", capacity.from)
            text.add("to", capacity.to)
        case .lost(let calls):
            text.add("kind", "lost")
            text.add("calls", calls)
        }
        return text.ended()
    }
}

extension MeteredCall {
    fileprivate func write(to text: inout RecordText) {
        text.add("kind", "call")
        text.add("requestId", requestID)
        text.add("function", function)
        text.add("version", version)
        text.add("invokedArn", invokedARN)
        text.add("source", source)
        text.add("arrivedAt", arrivedAt)
        text.add("attempt", attempt)
        text.add("key", ifAny: key)
        text.add("orderKey", ifAny: orderKey)
        text.add("traceId", ifAny: traceID)
        text.add("spanId", ifAny: spanID)
        text.add("outcome", outcome.name)
        text.add("error", ifAny: outcome.error)
        text.add("start", start.rawValue)
        text.add("instance", ifAny: instance)
        text.add("codeSha256", codeDigest)
        text.add("revision", revision)
        text.add("queueMicroseconds", queueMicroseconds)
        text.add("initMicroseconds", ifAny: initMicroseconds)
        text.add("durationMicroseconds", durationMicroseconds)
        text.add("billedMilliseconds", billedMilliseconds)
        text.add("cpuMicroseconds", cpuMicroseconds)
        text.add("memoryMB", memoryMB)
        text.add("ephemeralMB", ephemeralMB)
        text.add("peakMemoryBytes", peakMemoryBytes)
        text.add("payloadBytes", payloadBytes)
        text.add("payloadSha256", payloadDigest)
        text.add("answerBytes", answerBytes)
        text.add("answerSha256", answerDigest)
        if recordedPayload != nil { text.add("payloadIsKept", true) }
        if recordedAnswer != nil { text.add("answerIsKept", true) }
    }
}

extension MeteredCall.Outcome {
    /// One word, as records, filters and reports show it.
    package var name: String {
        switch self {
        case .success: "success"
        case .functionError: "function-error"
        case .timedOut: "timed-out"
        case .outOfMemory: "out-of-memory"
        case .refused: "refused"
        case .replayed: "replayed"
        }
    }

    /// All names, for messages.
    package static let names = ["success", "function-error", "timed-out", "out-of-memory", "refused", "replayed"]

    /// The type of the function's error, or the name of the API's.
    package var error: String? {
        switch self {
        case .functionError(let error), .refused(let error): error
        default: nil
        }
    }

    init?(name: String, error: String?) {
        switch (name, error) {
        case ("success", nil): self = .success
        case ("function-error", let error?): self = .functionError(error)
        case ("timed-out", nil): self = .timedOut
        case ("out-of-memory", nil): self = .outOfMemory
        case ("refused", let error?): self = .refused(error)
        case ("replayed", nil): self = .replayed
        default: return nil
        }
    }
}
