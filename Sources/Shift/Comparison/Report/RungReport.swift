package import JSON

/// A rung as reports show it.
package struct RungLabel: ReportObject {
    /// One word, as on the command line: "process".
    package var name: String
    /// What it is in this comparison: "fork + exec", "container, host root".
    package var title: String

    package init(name: String, title: String) {
        self.name = name
        self.title = title
    }

    package var json: JSONValue { ["name": name.json, "title": title.json] }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        name = try reader.required("name")
        title = try reader.required("title")
    }
}

/// Everything that was found out about one rung.
package struct RungReport: ReportObject {
    package var rung: RungLabel
    /// How it was set up, in a sentence: "4 instances kept ready, 512 MiB each".
    package var setUp: String
    /// Why nothing or not everything was measured: what went wrong, or that the run was interrupted. nil: all of it was.
    package var incomplete: String?

    /// From the request to start until the program could run with its input, one call at a time.
    package var start: Quantity<LatencySummary> = .unavailable(notMeasured)
    /// From the request until the result was complete and the end known, one call at a time.
    package var latency: Quantity<LatencySummary> = .unavailable(notMeasured)
    /// At the load that all rungs were given.
    package var underLoad: Quantity<LoadPoint> = .unavailable(notMeasured)
    /// The parts of a mixed workload under that load.
    package var streams: [StreamReport] = []
    /// Throughput against latency, by rising offered rate.
    package var curve: [LoadPoint] = []
    package var knee: Quantity<Knee> = .unavailable(notMeasured)
    /// User and system time of one call, microseconds.
    package var cpuPerCall: Quantity<Estimate> = .unavailable(notMeasured)
    /// Memory that one instance costs while it waits for a call, bytes.
    package var idleMemory: Quantity<Estimate> = .unavailable(notMeasured)
    /// The most that one instance holds while it works, bytes.
    package var busyMemory: Quantity<Estimate> = .unavailable(notMeasured)
    package var density: Quantity<Density> = .unavailable(notMeasured)
    package var scale: Quantity<ScaleUp> = .unavailable(notMeasured)
    /// From the kill -9 of an instance until a call was answered again, nanoseconds.
    package var recovery: Quantity<Estimate> = .unavailable(notMeasured)
    /// What a person does to put the program there, and to go back: shell commands, one for each step.
    package var deploySteps: Quantity<ReportList<String>> = .unavailable(notMeasured)
    package var rollBackSteps: Quantity<ReportList<String>> = .unavailable(notMeasured)
    package var costPerMillion: Quantity<Cost> = .unavailable(notMeasured)
    package var isolation: Quantity<ReportList<IsolationFinding>> = .unavailable(notMeasured)
    package var results: ResultAgreement = .unavailable("not compared")
    /// Calls that gave something else than the first one with the same input; nil: none did, or nobody looked.
    package var inconsistent: ResultInconsistency?
    /// Calls one at a time, and how many of them failed.
    package var calls = 0
    package var failures = FailureTally()

    package static let notMeasured = "not measured"

    /// Whether calls failed, one at a time or under the load that all rungs get, results differ or vary, or not everything
    /// was measured.
    package var hasFaults: Bool {
        !failures.isEmpty || !(underLoad.value?.faults.isEmpty ?? true) || results.isDifferent || inconsistent != nil
            || incomplete != nil
    }

    package init(_ rung: RungLabel, setUp: String = "") {
        self.rung = rung
        self.setUp = setUp
    }

    package var json: JSONValue {
        var object: JSONObject = ["rung": rung.json, "setUp": setUp.json]
        if let incomplete { object["incomplete"] = incomplete.json }
        object["start"] = start.json
        object["latency"] = latency.json
        object["underLoad"] = underLoad.json
        object["streams"] = streams.reportJSON
        object["curve"] = curve.reportJSON
        object["knee"] = knee.json
        object["cpuMicrosecondsPerCall"] = cpuPerCall.json
        object["idleBytesPerInstance"] = idleMemory.json
        object["busyBytesPerInstance"] = busyMemory.json
        object["density"] = density.json
        object["scale"] = scale.json
        object["recoveryNanoseconds"] = recovery.json
        object["deploySteps"] = deploySteps.json
        object["rollBackSteps"] = rollBackSteps.json
        object["costPerMillionCalls"] = costPerMillion.json
        object["isolation"] = isolation.json
        object["results"] = results.json
        if let inconsistent { object["inconsistent"] = inconsistent.json }
        object["calls"] = calls.json
        object["failures"] = failures.json
        return .object(object)
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        rung = try reader.value("rung")
        setUp = try reader.required("setUp")
        incomplete = try reader.optional("incomplete")
        start = try reader.value("start")
        latency = try reader.value("latency")
        underLoad = try reader.value("underLoad")
        streams = try reader.values("streams")
        curve = try reader.values("curve")
        knee = try reader.value("knee")
        cpuPerCall = try reader.value("cpuMicrosecondsPerCall")
        idleMemory = try reader.value("idleBytesPerInstance")
        busyMemory = try reader.value("busyBytesPerInstance")
        density = try reader.value("density")
        scale = try reader.value("scale")
        recovery = try reader.value("recoveryNanoseconds")
        deploySteps = try reader.value("deploySteps")
        rollBackSteps = try reader.value("rollBackSteps")
        costPerMillion = try reader.value("costPerMillionCalls")
        isolation = try reader.value("isolation")
        results = try reader.value("results")
        inconsistent = try reader.valueIfPresent("inconsistent")
        calls = try reader.required("calls")
        failures = try reader.value("failures")
    }
}

/// One part of a mixed workload under load.
package struct StreamReport: ReportObject {
    /// As the workload names it.
    package var name: String
    package var load: LoadPoint

    package init(name: String, load: LoadPoint) {
        self.name = name
        self.load = load
    }

    package var json: JSONValue { ["name": name.json, "load": load.json] }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        name = try reader.required("name")
        load = try reader.value("load")
    }
}

extension IsolationFinding: ReportValue {
    package init(report json: JSONValue, path: String) throws(JSONShapeError) {
        do { try self.init(json) } catch {
            throw JSONShapeError(path: error.path.isEmpty ? path : "\(path).\(error.path)", problem: error.problem)
        }
    }
}
