internal import Functions
internal import JSON
internal import Lambda
internal import Linux
internal import Metering

/// What a destination is told about an event that has ended: the invocation record of Lambda, version 1.0.
enum DestinationRecord {
    /// - Parameters:
    ///   - condition: "Success", "RetriesExhausted", "EventAgeExceeded".
    ///   - outcome: of the last attempt; nil when it was never run.
    ///   - executedVersion: the version that ran; nil when none did.
    static func bytes(
        of event: AsyncEvent, condition: String, outcome: InvocationOutcome?, functionARN: String,
        executedVersion: String?, at time: Timestamp
    ) -> [UInt8] {
        var record = JSONObject()
        record["version"] = "1.0"
        record["timestamp"] = .string(time.millisecondText)
        record["requestContext"] = [
            "requestId": .string(event.requestID),
            "functionArn": .string(functionARN),
            "condition": .string(condition),
            "approximateInvokeCount": .integer(Int64(event.invokes)),
        ]
        record["requestPayload"] = value(event.payload)
        switch outcome {
        case .answered(let answer):
            var context = JSONObject()
            context["statusCode"] = 200
            context["executedVersion"] = .string(executedVersion ?? answer.call.version)
            context["functionError"] = answer.functionError.map { .string($0) }
            record["responseContext"] = .object(context)
            record["responsePayload"] = value(answer.payload)
        case .failed(let failure):
            record["responseContext"] = [
                "statusCode": .integer(Int64(failure.status)),
                "executedVersion": executedVersion.map { .string($0) } ?? .null,
                "functionError": .string(failure.name),
            ]
            record["responsePayload"] = ["errorType": .string(failure.name), "errorMessage": .string(failure.message)]
        case nil: break
        }
        return JSONWriter.bytes(.object(record))
    }

    /// JSON stays JSON; what is none is text, and what is no text either stands as base64.
    private static func value(_ bytes: [UInt8]) -> JSONValue {
        if bytes.isEmpty { return .null }
        if let value = try? JSONParser.parse(bytes) { return value }
        if let text = String(validating: bytes, as: UTF8.self) { return .string(text) }
        return ["base64": .string(Base64.text(bytes))]
    }
}
