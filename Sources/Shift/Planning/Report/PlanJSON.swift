import Comparison
package import JSON
import Linux
import Observation

extension RecordingPlan {
    /// What `forkless plan --output json` writes. Times are nanoseconds, sizes bytes.
    package var json: JSONValue {
        var json: JSONValue = [:]
        json["recording"] = [
            "machine": header.machine.json, "mode": header.mode.rawValue.json, "start": header.start.description.json,
            "durationNanoseconds": durationNanoseconds.json,
        ]
        json["caveats"] = caveats.json
        json["calibration"] = calibration.json
        json["programs"] = .array(programs.map(\.json))
        return json
    }
}

extension ProgramPlan {
    package var json: JSONValue {
        var json: JSONValue = [:]
        json["program"] = program.identity.text.json
        json["recommended"] = recommended.rawValue.json
        json["isProvisional"] = isProvisional.json
        json["calls"] = program.calls.json
        json["callsPerSecond"] = program.callsPerSecond.json
        json["speedup"] = speedup?.json
        json["savedSecondsPerSecond"] = savedShare?.json
        json["reasons"] = reasons.json
        json["findings"] = .array(
            findings.map { finding in
                [
                    "rule": finding.rule.json, "kind": finding.kind.rawValue.json,
                    "rungs": finding.rungs.sorted().map(\.rawValue).json, "sentence": finding.sentence.json,
                    "evidence": finding.evidence.json,
                ]
            })
        json["origins"] = subject.origins.map(\.title).json
        json["now"] = Self.json(now)
        var rungs: JSONValue = [:]
        for rung in PlannedRung.allCases {
            var entry = Self.json(predictions[rung] ?? .unavailable("it was not predicted"))
            entry["isBlocked"] = (!blockers(of: rung).isEmpty).json
            rungs[rung.rawValue] = entry
        }
        json["rungs"] = rungs
        return json
    }

    private static func json(_ reading: Reading<Prediction>) -> JSONValue {
        switch reading {
        case .unavailable(let why): return ["unavailable": why.json]
        case .measured(let prediction):
            return [
                "latency": prediction.latency.json, "cpu": json(prediction.cpu), "memory": json(prediction.memory),
            ]
        }
    }

    private static func json(_ reading: Reading<Formula>) -> JSONValue {
        switch reading {
        case .unavailable(let why): ["unavailable": why.json]
        case .measured(let formula): formula.json
        }
    }
}

extension Formula {
    fileprivate var json: JSONValue {
        [
            unit.rawValue: total.json, "formula": text.json,
            "terms": .array(terms.map { ["what": $0.what.json, "amount": $0.amount.json] }),
        ]
    }
}
