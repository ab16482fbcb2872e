internal import JSON
internal import Lambda
internal import Linux

/// The event of a scheduled run, as EventBridge has it.
enum ScheduledEvent {
    /// The same for the same run: with a key it has one effect.
    static func runID(_ mapping: EventSourceMapping, _ time: Timestamp) -> String { "\(mapping.id)/\(time.secondText)" }

    static func bytes(_ mapping: EventSourceMapping, _ time: Timestamp, _ account: LambdaAccount) -> [UInt8] {
        JSONWriter.bytes([
            "version": "0", "id": .string(Identifiers.named(runID(mapping, time))), "detail-type": "Scheduled Event",
            "source": "aws.events", "account": .string(account.id), "time": .string(time.secondText),
            "region": .string(account.region), "resources": [.string(mapping.sourceARN)], "detail": [:],
        ])
    }
}
