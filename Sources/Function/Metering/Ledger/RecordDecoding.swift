internal import JSON
internal import Linux

extension LedgerRecord {
    /// Reads canonical bytes back. What was kept of payload and answer is not in them: those are empty when they are kept, nil
    /// when they are not.
    /// - Throws: for anything that the encoding would not write so, down to the last byte.
    package init(canonicalBytes bytes: [UInt8]) throws(RecordDamage) {
        do {
            var reader = try JSONObjectReader(try JSONParser.parse(bytes))
            let kind: String = try reader.required("kind")
            sequence = try reader.required("sequence")
            recordedAt = try reader.time("recordedAt")
            switch kind {
            case "call": entry = .call(try MeteredCall(&reader))
            case "provisioned": entry = .provisioned(try ProvisionedCapacity(&reader))
            case "lost": entry = .lost(calls: try reader.required("calls"))
            default: throw reader.error("kind", "\"\(kind)\" is none that this version of Forkless knows")
            }
            try reader.refuseUnknown()
        } catch { throw RecordDamage(reason: "\(error)") }
        guard canonicalBytes == bytes else { throw RecordDamage(reason: "it is not written as the ledger writes it") }
    }
}

/// Why bytes are no record.
package struct RecordDamage: Error, Hashable, Sendable, CustomStringConvertible {
    package var reason: String

    package var description: String { reason }
}

extension JSONObjectReader {
    fileprivate mutating func time(_ key: String) throws(JSONShapeError) -> Timestamp {
        let text: String = try required(key)
        guard let time = Timestamp(text) else { throw error(key, "expected a time such as 2026-11-23T06:47:29.123456789Z") }
        return time
    }
}

extension ProvisionedCapacity {
    fileprivate init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            function: try reader.required("function"), version: try reader.required("version"),
            memoryMB: try reader.required("memoryMB"), instances: try reader.required("instances"),
            from: try reader.time("from"), to: try reader.time("to"))
    }
}

extension MeteredCall {
    fileprivate init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            requestID: try reader.required("requestId"), function: try reader.required("function"),
            version: try reader.required("version"), invokedARN: try reader.required("invokedArn"),
            source: try reader.required("source"), arrivedAt: try reader.time("arrivedAt"))
        attempt = try reader.required("attempt")
        key = try reader.optional("key")
        orderKey = try reader.optional("orderKey")
        traceID = try reader.optional("traceId")
        spanID = try reader.optional("spanId")
        outcome = try Self.outcome(&reader)
        let start: String = try reader.required("start")
        guard let known = Start(rawValue: start) else { throw reader.error("start", "\"\(start)\" is no way to start") }
        self.start = known
        instance = try reader.optional("instance")
        codeDigest = try reader.required("codeSha256")
        revision = try reader.required("revision")
        queueMicroseconds = try reader.required("queueMicroseconds")
        initMicroseconds = try reader.optional("initMicroseconds")
        durationMicroseconds = try reader.required("durationMicroseconds")
        billedMilliseconds = try reader.required("billedMilliseconds")
        cpuMicroseconds = try reader.required("cpuMicroseconds")
        memoryMB = try reader.required("memoryMB")
        ephemeralMB = try reader.required("ephemeralMB")
        peakMemoryBytes = try reader.required("peakMemoryBytes")
        payloadBytes = try reader.required("payloadBytes")
        payloadDigest = try reader.required("payloadSha256")
        answerBytes = try reader.required("answerBytes")
        answerDigest = try reader.required("answerSha256")
        if try reader.optional("payloadIsKept") == true { recordedPayload = [] }
        if try reader.optional("answerIsKept") == true { recordedAnswer = [] }
    }

    private static func outcome(_ reader: inout JSONObjectReader) throws(JSONShapeError) -> Outcome {
        let name: String = try reader.required("outcome")
        guard let outcome = Outcome(name: name, error: try reader.optional("error")) else {
            throw reader.error("outcome", "\"\(name)\" is no outcome, or its error is missing or too much")
        }
        return outcome
    }
}
