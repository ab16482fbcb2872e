package import JSON

// The forms in which `forkless compare --output json` prints measurements: units stand in the names, and a value
// that was not measured is {"unavailable": why}.

extension ComparisonTable {
    /// Every rung with everything that was measured of it.
    package var json: JSONValue {
        ["rungs": .array(measurements.map(\.json))]
    }
}

extension Measurement {
    package var json: JSONValue {
        [
            "rung": .string(rung.name),
            "title": .string(rung.title),
            "startNanoseconds": start.json(\.json),
            "callNanoseconds": call.json(\.json),
            "callsPerSecond": callsPerSecond.json(JSONValue.number),
            "cpuMicrosecondsPerCall": cpuMicrosecondsPerCall.json(JSONValue.number),
            "idleBytesPerInstance": idleBytesPerInstance.json(\.json),
            "busyBytesPerInstance": busyBytesPerInstance.json(\.json),
            "results": results.json,
            "isolation": isolation.json { findings in
                let summary = IsolationSummary(findings)
                return [
                    "stopped": summary.stopped.json, "possible": summary.possible.json,
                    "unknown": summary.unknown.json, "findings": .array(findings.map(\.json)),
                ]
            },
            "calls": callCount.json,
            "failures": .array(
                failures.map { ["call": $0.call.json, "reason": .string($0.reason)] as JSONValue }),
        ]
    }
}

extension Distribution {
    package var json: JSONValue {
        var object: JSONObject = [
            "count": count.json, "min": minimum.json, "p50": p50.nanoseconds.json, "p90": p90.nanoseconds.json,
            "p99": p99.nanoseconds.json, "max": maximum.json, "mean": .number(mean),
        ]
        let caveats = [p50, p90, p99].compactMap(\.caveat)
        if !caveats.isEmpty { object["caveats"] = caveats.json }
        return .object(object)
    }
}

extension ResultAgreement {
    package var json: JSONValue {
        switch self {
        case .reference: ["agreement": "reference"]
        case .identical: ["agreement": "identical"]
        case .different(let calls, let first):
            ["agreement": "different", "calls": calls.json, "firstCall": first.json]
        case .unavailable(let reason): ["unavailable": .string(reason)]
        }
    }
}

extension IsolationFinding {
    package var json: JSONValue {
        var object: JSONObject = [
            "name": .string(name), "question": .string(question), "outcome": .string(outcome.word),
        ]
        if case .unknown(let reason) = outcome { object["reason"] = .string(reason) }
        if !detail.isEmpty { object["detail"] = .string(detail) }
        return .object(object)
    }

    /// Reads what `json` writes.
    package init(_ value: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(value)
        name = try reader.required("name")
        question = try reader.required("question")
        let word: String = try reader.required("outcome")
        let reason: String = try reader.optional("reason") ?? ""
        detail = try reader.optional("detail") ?? ""
        guard let outcome = Outcome(word: word, reason: reason) else {
            throw reader.error("outcome", "expected \"stopped\", \"possible\" or \"unknown\", found \"\(word)\"")
        }
        self.outcome = outcome
        try reader.refuseUnknown()
    }
}

extension Reading {
    /// The value as JSON, or why there is none.
    fileprivate func json(_ write: (Value) -> JSONValue) -> JSONValue {
        switch self {
        case .measured(let value): write(value)
        case .unavailable(let reason): ["unavailable": .string(reason)]
        }
    }
}

extension JSONValue {
    /// JSON knows no infinity: a rate over no time at all is no number.
    fileprivate static func number(_ value: Double) -> JSONValue {
        value.isFinite ? value.json : ["unavailable": "not a finite number"]
    }
}
