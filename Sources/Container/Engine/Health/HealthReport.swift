package import JSON
package import Linux
package import OCI

/// How well a container is, with what its last checks said: a part of `inspect`.
package struct HealthReport: NodeValue {
    package var status: HealthStatus
    /// Failures in a row that count.
    package var failingStreak: Int
    /// The last checks, the oldest first, at most `logLimit`.
    package var log: [ProbeResult]

    /// As many as Docker keeps.
    package static let logLimit = 5

    package init(status: HealthStatus = .starting, failingStreak: Int = 0, log: [ProbeResult] = []) {
        self.status = status
        self.failingStreak = failingStreak
        self.log = log
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            status: try reader.word("status"), failingStreak: try reader.required("failingStreak"),
            log: try reader.nestedList("log"))
    }

    package var json: JSONValue {
        .members(
            ("status", .string(status.rawValue)), ("failingStreak", failingStreak.json),
            ("log", .array(log.map(\.json))))
    }
}

/// What one check said.
package struct ProbeResult: NodeValue {
    package var start: Timestamp
    package var end: Timestamp
    /// The check's status; nil: it had none, because it took too long or could not be run.
    package var exitStatus: Int32?
    /// The beginning of what it wrote, or why it has no status.
    package var output: String

    /// Bytes of output that are kept, as Docker does.
    static let outputLimit = 4096

    package var isSuccess: Bool { exitStatus == 0 }

    package init(start: Timestamp, end: Timestamp, exitStatus: Int32?, output: String) {
        self.start = start
        self.end = end
        self.exitStatus = exitStatus
        self.output = output
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            start: try reader.required("start"), end: try reader.required("end"),
            exitStatus: try reader.optional("exitStatus"), output: try reader.required("output"))
    }

    package var json: JSONValue {
        .members(("start", start.json), ("end", end.json), ("exitStatus", exitStatus?.json), ("output", output.json))
    }
}

extension HealthStatus: CaseIterable {
    package static var allCases: [HealthStatus] { [.starting, .healthy, .unhealthy] }
}

extension Healthcheck {
    /// The program of the check and its arguments; nil: there is none.
    package func words(shell: [String] = ["/bin/sh", "-c"]) -> [String]? {
        switch test {
        case .inherited, .none: nil
        case .command(let words): words.isEmpty ? nil : words
        case .shell(let line): shell + [line]
        }
    }

    /// When it is asked, with the defaults for what is not said.
    package var schedule: HealthSchedule {
        var schedule = HealthSchedule()
        if interval > 0 { schedule.interval = Int(interval) }
        if timeout > 0 { schedule.timeout = Int(timeout) }
        schedule.startPeriod = Int(startPeriod)
        if startInterval > 0 { schedule.startInterval = Int(startInterval) }
        if retries > 0 { schedule.retries = retries }
        return schedule
    }
}
