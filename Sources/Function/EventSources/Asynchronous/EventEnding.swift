internal import Functions
internal import JSON
internal import Lambda
internal import Linux
internal import Metering

/// What the end of an event brings: letters to its function's destinations, and what was to be done afterwards. Pure.
struct EventEnding: Sendable {
    var letters: [Letter] = []

    init(
        _ event: AsyncEvent, _ verdict: RetryRule.Verdict, _ outcome: InvocationOutcome?, _ function: DeployedFunction?,
        _ settings: EventInvokeSettings, _ now: Timestamp
    ) {
        var id = event.requestID
        if case .answered(let answer) = outcome, let key = answer.call.key { id = key }
        func record(_ condition: String) -> [UInt8] {
            DestinationRecord.bytes(
                of: event, condition: condition, outcome: outcome, functionARN: Self.qualified(event, function),
                executedVersion: function?.version, at: now)
        }
        switch verdict {
        case .succeeded:
            add(settings.onSuccess, id, event, record("Success"))
            if let afterwards = event.afterwards { letters.append(Letter(afterwards, [])) }
        case .failed(let condition):
            add(settings.onFailure, id, event, record(condition.rawValue))
            add(settings.deadLetter, id, event, event.payload, Self.deadLetterAttributes(event, outcome, condition))
        case .retry, .postpone: break
        }
    }

    private mutating func add(
        _ destination: Destination?, _ id: String, _ event: AsyncEvent, _ payload: [UInt8],
        _ attributes: [String: MessageAttribute] = [:]
    ) {
        guard let destination else { return }
        letters.append(
            Letter(Delivery(to: destination, id: id, orderKey: event.orderKey), payload, attributes: attributes,
                trace: event.trace.isEmpty ? nil : event.trace))
    }

    /// The ARN with the version that was asked for: as the service writes it, `$LATEST` where there was none.
    private static func qualified(_ event: AsyncEvent, _ function: DeployedFunction?) -> String {
        event.target == event.function ? event.target + ":$LATEST" : event.target
    }

    /// As the service sets them on a message in a dead-letter queue.
    private static func deadLetterAttributes(
        _ event: AsyncEvent, _ outcome: InvocationOutcome?, _ condition: RetryRule.Condition
    ) -> [String: MessageAttribute] {
        var code = 200
        var message = condition.rawValue
        switch outcome {
        case .answered(let answer):
            message =
                (try? JSONParser.parse(answer.payload))?["errorMessage"]?.string ?? answer.functionError ?? message
        case .failed(let failure):
            code = failure.status
            message = failure.message
        case nil: break
        }
        return [
            "RequestID": MessageAttribute(type: "String", text: event.requestID),
            "ErrorCode": MessageAttribute(type: "Number", text: "\(code)"),
            // The service cuts it at 1 KB.
            "ErrorMessage": MessageAttribute(
                type: "String",
                text: String(
                    decoding: message.isEmpty ? Array(" ".utf8) : Array(message.utf8.prefix(1024)), as: UTF8.self)),
        ]
    }
}
