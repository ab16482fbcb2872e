package import JSON
import Linux

extension RecordedProcess {
    /// As a recording's line has it.
    package var lineJSON: JSONValue { json }
}

extension ProgramOrigin {
    /// As a recording's line has it.
    package var lineJSON: JSONValue { json }
}

extension Spread {
    /// Count, sum, smallest, percentiles and largest; nil of nothing.
    package var json: JSONValue? {
        guard !isEmpty else { return nil }
        return [
            "count": count.json, "sum": sum.json, "minimum": minimum.json, "p50": p50.json, "p90": p90.json,
            "p99": p99.json,
            "maximum": maximum.json,
        ]
    }
}

extension RecordedProgram {
    /// For programs that read what a recording tells of a program.
    package var json: JSONValue {
        var json: JSONValue = [:]
        json["program"] = identity.text.json
        json["calls"] = calls.json
        json["callsPerSecond"] = callsPerSecond.json
        json["firstCall"] = firstCall.json
        json["lastCall"] = lastCall.json
        json["unfinished"] = unfinished == 0 ? .none : unfinished.json
        json["interpreter"] = interpreter?.json
        json["callers"] = .array(
            callers.map { caller in
                var json: JSONValue = ["calls": caller.calls.json]
                json["program"] = caller.program?.json
                json["residentBytes"] = caller.residentBytes.json
                if caller.withoutFork > 0 { json["withoutFork"] = caller.withoutFork.json }
                return json
            })
        for (name, spread) in [
            ("forkToExecNanoseconds", forkToExec), ("lifetimeNanoseconds", lifetime), ("cpuNanoseconds", cpu),
            ("peakMemoryBytes", peakMemory), ("readBytes", readBytes), ("writtenBytes", writtenBytes),
            ("forkLifetimeNanoseconds", forkLifetime),
        ] { json[name] = spread.json }
        json["usageIsShared"] = usageIsShared == 0 ? .none : usageIsShared.json
        var ends: JSONValue = [:]
        for (status, count) in exits {
            switch status {
            case .exited(let code): ends["\(code)"] = count.json
            case .signaled(let number, _): ends[Signal.name(of: number)] = count.json
            }
        }
        json["exits"] = ends
        json["failures"] = failures.json
        json["argumentsMissed"] = argumentsMissed == 0 ? .none : argumentsMissed.json
        json["forksWithoutExec"] = forksWithoutExec == 0 ? .none : forksWithoutExec.json
        json["children"] = children.isEmpty ? .none : children.json
        return json
    }
}
