internal import JSON
internal import Lambda
internal import Linux

/// What the service says of an instance, as the Telemetry API and JSON logs have it (schema 2022-12-13).
struct PlatformEvent: Sendable {
    var type: String
    var record: JSONValue
    var time: Timestamp

    init(_ type: String, _ record: JSONValue, at time: Timestamp) {
        self.type = type
        self.record = record
        self.time = time
    }

    /// `{"time":"2026-11-29T03:31:58.123Z","type":"platform.start","record":{...}}`
    var json: JSONValue {
        ["time": .string(Self.time(time)), "type": .string(type), "record": record]
    }

    /// A time of day with milliseconds.
    static func time(_ time: Timestamp) -> String { String(time.description.prefix(23)) + "Z" }
}

extension PlatformEvent {
    static func initStart(_ function: String, version: String, kind: String, at time: Timestamp) -> PlatformEvent {
        PlatformEvent(
            "platform.initStart",
            [
                "initializationType": .string(kind), "phase": "init", "functionName": .string(function),
                "functionVersion": .string(version),
            ], at: time)
    }

    static func initRuntimeDone(kind: String, status: String, errorType: String?, at time: Timestamp) -> PlatformEvent {
        PlatformEvent(
            "platform.initRuntimeDone",
            withError(["initializationType": .string(kind), "phase": "init", "status": .string(status)], errorType), at: time)
    }

    static func initReport(
        kind: String, status: String, errorType: String?, microseconds: Int, at time: Timestamp
    ) -> PlatformEvent {
        var record: JSONObject = [
            "initializationType": .string(kind), "phase": "init", "status": .string(status),
        ]
        if let errorType { record["errorType"] = .string(errorType) }
        record["metrics"] = ["durationMs": milliseconds(microseconds)]
        return PlatformEvent("platform.initReport", .object(record), at: time)
    }

    static func start(requestID: String, version: String, at time: Timestamp) -> PlatformEvent {
        PlatformEvent("platform.start", ["requestId": .string(requestID), "version": .string(version)], at: time)
    }

    static func runtimeDone(
        requestID: String, status: String, errorType: String?, microseconds: Int, bytes: Int, at time: Timestamp
    ) -> PlatformEvent {
        var record: JSONObject = ["requestId": .string(requestID), "status": .string(status)]
        if let errorType { record["errorType"] = .string(errorType) }
        record["metrics"] = ["durationMs": milliseconds(microseconds), "producedBytes": .integer(Int64(bytes))]
        return PlatformEvent("platform.runtimeDone", .object(record), at: time)
    }

    static func report(
        requestID: String, status: String, errorType: String?, metrics: JSONObject, at time: Timestamp
    ) -> PlatformEvent {
        var record: JSONObject = ["requestId": .string(requestID), "metrics": .object(metrics), "status": .string(status)]
        if let errorType { record["errorType"] = .string(errorType) }
        return PlatformEvent("platform.report", .object(record), at: time)
    }

    static func extensionState(
        name: String, state: String, events: [String], errorType: String? = nil, at time: Timestamp
    ) -> PlatformEvent {
        PlatformEvent(
            "platform.extension",
            withError(
                ["name": .string(name), "state": .string(state), "events": .array(events.map { .string($0) })], errorType),
            at: time)
    }

    static func subscription(name: String, kinds: [String], at time: Timestamp) -> PlatformEvent {
        PlatformEvent(
            "platform.telemetrySubscription",
            ["name": .string(name), "state": "Subscribed", "types": .array(kinds.map { .string($0) })], at: time)
    }

    static func logsDropped(records: Int, bytes: Int, at time: Timestamp) -> PlatformEvent {
        PlatformEvent(
            "platform.logsDropped",
            [
                "droppedBytes": .integer(Int64(bytes)), "droppedRecords": .integer(Int64(records)),
                "reason": "Consumer seems to have fallen behind as it has not acknowledged receipt of logs.",
            ], at: time)
    }

    /// Milliseconds with three decimals.
    static func milliseconds(_ microseconds: Int) -> JSONValue { .number(JSONNumber(Double(microseconds) / 1000)) }

    private static func withError(_ object: JSONObject, _ errorType: String?) -> JSONValue {
        var object = object
        if let errorType { object["errorType"] = .string(errorType) }
        return .object(object)
    }
}

extension DeployedFunction {
    /// A line of the log about an event of the platform, in JSON; nil where `SystemLogLevel` WARN leaves it out. What goes
    /// wrong is told at every level.
    func text(of event: PlatformEvent) -> String? { systemLogLevel == "WARN" ? nil : JSONWriter.text(event.json) }
}
