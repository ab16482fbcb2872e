package import JSON

/// One quantity of a report, with where it is from. There is no fourth case: nothing is assumed.
///
/// As JSON: `{"measured": VALUE, "method": TEXT}`, `{"derived": VALUE, "formula": TEXT}` or `{"unavailable": TEXT}`.
package enum Quantity<Value: ReportValue>: ReportValue {
    /// Measured in this run, and how: "pss of an instance that waits at its first read, /proc/PID/smaps_rollup".
    case measured(Value, method: String)
    /// Computed from measured quantities, and by which formula, with the numbers put in.
    case derived(Value, formula: String)
    /// Nothing to show, and why: "a process ends with its call and is never idle".
    case unavailable(String)

    /// The value, measured or derived; nil when there is none.
    package var value: Value? {
        switch self {
        case .measured(let value, _), .derived(let value, _): value
        case .unavailable: nil
        }
    }

    /// How it was found, or why it was not.
    package var explanation: String {
        switch self {
        case .measured(_, let method): method
        case .derived(_, let formula): formula
        case .unavailable(let reason): reason
        }
    }

    package var json: JSONValue {
        switch self {
        case .measured(let value, let method): ["measured": value.json, "method": .string(method)]
        case .derived(let value, let formula): ["derived": value.json, "formula": .string(formula)]
        case .unavailable(let reason): ["unavailable": .string(reason)]
        }
    }

    package init(report json: JSONValue, path: String) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json, path: path)
        if reader.has("measured") {
            self = .measured(try reader.value("measured"), method: try reader.required("method"))
        } else if reader.has("derived") {
            self = .derived(try reader.value("derived"), formula: try reader.required("formula"))
        } else {
            self = .unavailable(try reader.required("unavailable"))
        }
    }
}

/// A number that was measured several times: its estimate over the repetitions and how far it can be trusted.
///
/// The unit is that of the quantity, which its name says. Not finite numbers are never stored: they trap.
package struct Estimate: ReportObject {
    /// The mean of the repetitions.
    package let value: Double
    /// The confidence interval of the mean, by Student's t; nil with fewer than two repetitions.
    package let interval: ConfidenceInterval?
    /// What each repetition gave, in the order in which they ran.
    package let repetitions: [Double]

    package init(value: Double, interval: ConfidenceInterval?, repetitions: [Double]) {
        precondition(value.isFinite && repetitions.allSatisfy(\.isFinite), "an estimate is a finite number")
        self.value = value
        self.interval = interval
        self.repetitions = repetitions
    }

    package var json: JSONValue {
        var object: JSONObject = ["value": value.json]
        if let interval { object["interval"] = interval.json }
        object["repetitions"] = repetitions.json
        return .object(object)
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        value = try reader.required("value")
        interval = try reader.valueIfPresent("interval")
        repetitions = try reader.list("repetitions")
    }
}

/// Between which values the true one lies, at a confidence.
package struct ConfidenceInterval: ReportObject {
    package let low: Double
    package let high: Double
    /// 0.95: of a hundred such intervals some 95 hold the true value.
    package let confidence: Double

    package init(low: Double, high: Double, confidence: Double) {
        precondition(low.isFinite && high.isFinite && low <= high, "an interval has two finite ends in order")
        self.low = low
        self.high = high
        self.confidence = confidence
    }

    package var json: JSONValue { ["low": low.json, "high": high.json, "confidence": confidence.json] }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let (low, high): (Double, Double) = (try reader.required("low"), try reader.required("high"))
        guard low <= high else { throw reader.error("high", "expected at least \"low\"") }
        self.init(low: low, high: high, confidence: try reader.required("confidence"))
    }
}
