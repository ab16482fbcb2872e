package import JSON
package import Metering

/// What one run of a call took.
package struct RunMeasure: Hashable, Sendable {
    /// From the arrival of the call to the end.
    package var microseconds: Int
    /// It ended with a status other than 0, by a signal, or nobody knows how.
    package var isFailure: Bool
    /// nil where nobody counted.
    package var cpuMicroseconds: Int?
    package var peakBytes: Int?

    package init(microseconds: Int, isFailure: Bool, cpuMicroseconds: Int? = nil, peakBytes: Int? = nil) {
        self.microseconds = microseconds
        self.isFailure = isFailure
        self.cpuMicroseconds = cpuMicroseconds
        self.peakBytes = peakBytes
    }
}

/// Runs added up.
package struct RunTally: Hashable, Sendable {
    package private(set) var runs = 0
    package private(set) var failures = 0
    package private(set) var microseconds = 0
    package private(set) var cpuMicroseconds = 0
    package private(set) var peakBytes = 0
    package private(set) var durations = DurationHistogram()

    package init() {}

    package mutating func add(_ run: RunMeasure) {
        runs += 1
        if run.isFailure { failures += 1 }
        microseconds += max(0, run.microseconds)
        cpuMicroseconds += max(0, run.cpuMicroseconds ?? 0)
        peakBytes = max(peakBytes, run.peakBytes ?? 0)
        durations.add(microseconds: run.microseconds)
    }

    package var failureShare: Double { runs == 0 ? 0 : Double(failures) / Double(runs) }

    package var json: JSONValue {
        var object = JSONObject()
        object["runs"] = runs.json
        object["failures"] = failures.json
        object["microseconds"] = microseconds.json
        object["cpuMicroseconds"] = cpuMicroseconds.json
        object["peakBytes"] = peakBytes.json
        object["p50Microseconds"] = durations.percentile(50)?.json
        object["p95Microseconds"] = durations.percentile(95)?.json
        object["p99Microseconds"] = durations.percentile(99)?.json
        object["histogram"] = .string(Hexadecimal.text(durations.packed))
        return .object(object)
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        runs = try reader.required("runs")
        failures = try reader.required("failures")
        microseconds = try reader.required("microseconds")
        cpuMicroseconds = try reader.required("cpuMicroseconds")
        peakBytes = try reader.required("peakBytes")
        let text: String = try reader.required("histogram")
        guard let bytes = Hexadecimal.bytes(text), let histogram = DurationHistogram(packed: bytes) else {
            throw reader.error("histogram", "it is damaged")
        }
        durations = histogram
    }
}
