package import JSON
package import Linux

/// A whole comparison: the same work on several rungs, on one machine, in one run. Values only: the driver that measures
/// fills them in, tables and pages render them.
package struct ComparisonReport: ReportObject {
    /// The form of the JSON: raised when a member changes its meaning. Members may be added without.
    package static let version = 1

    /// When it began, and how long it took.
    package var began: Timestamp
    package var nanoseconds: Int
    /// Why it ended before everything was measured: "interrupted by SIGINT". nil: it is complete.
    package var incomplete: String?
    package var machine: MachineStatement
    package var noise = NoiseStatement()
    package var workload: WorkloadDescription
    package var method: MethodDescription
    package var driver = DriverStatement()
    /// Where the prices are from: the book's name and source.
    package var prices = ""
    /// In the order in which they are shown; the first one is what the others are compared with.
    package var rungs: [RungReport] = []
    /// Rungs that were asked for and could not be used, and why: a sentence each.
    package var leftOut: [String] = []

    package init(began: Timestamp, machine: MachineStatement, workload: WorkloadDescription, method: MethodDescription)
    {
        self.began = began
        nanoseconds = 0
        self.machine = machine
        self.workload = workload
        self.method = method
    }

    /// Whether any call failed, any result differs or varies, or any rung is incomplete.
    package var hasFaults: Bool { incomplete != nil || rungs.contains(where: \.hasFaults) }

    package var json: JSONValue {
        var object: JSONObject = [
            "forklessComparison": Self.version.json, "began": .integer(Int64(began.nanoseconds)),
            "beganAt": .string("\(began)"),
            "nanoseconds": nanoseconds.json,
        ]
        if let incomplete { object["incomplete"] = incomplete.json }
        object["machine"] = machine.json
        object["noise"] = noise.json
        object["workload"] = workload.json
        object["method"] = method.json
        object["driver"] = driver.json
        object["prices"] = prices.json
        object["rungs"] = rungs.reportJSON
        object["leftOut"] = leftOut.json
        return .object(object)
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let version: Int = try reader.required("forklessComparison")
        guard version == Self.version else {
            throw reader.error(
                "forklessComparison",
                "the report has form \(version), and this version of Forkless reads form \(Self.version)")
        }
        began = Timestamp(nanoseconds: try reader.required("began"))
        nanoseconds = try reader.required("nanoseconds")
        incomplete = try reader.optional("incomplete")
        machine = try reader.value("machine")
        noise = try reader.value("noise")
        workload = try reader.value("workload")
        method = try reader.value("method")
        driver = try reader.value("driver")
        prices = try reader.required("prices")
        rungs = try reader.values("rungs")
        leftOut = try reader.list("leftOut")
    }

    /// Reads what `json` writes.
    package init(json: JSONValue) throws(JSONShapeError) { try self.init(report: json, path: "") }
}

/// What was run.
package struct WorkloadDescription: ReportObject {
    /// The workload's name: that of its file, or of the program.
    package var name: String
    package var programs: [Program]
    /// How calls arrived under load, in words: "Poisson arrivals (seed 1), 200/s for 5 s".
    package var arrivals: String
    /// Memory that the calling process held, bytes: what fork has to copy the page tables of.
    package var parentBytes: Int

    /// One program of a workload.
    package struct Program: ReportObject {
        package var name: String
        /// The path and the arguments.
        package var command: [String]
        /// Inputs that calls get in turn, and their bytes together.
        package var inputs: Int
        package var inputBytes: Int
        /// Its part of all calls, 0 to 1.
        package var share: Share

        package init(name: String, command: [String], inputs: Int, inputBytes: Int, share: Share) {
            self.name = name
            self.command = command
            self.inputs = inputs
            self.inputBytes = inputBytes
            self.share = share
        }

        package var json: JSONValue {
            [
                "name": name.json, "command": command.json, "inputs": inputs.json, "inputBytes": inputBytes.json,
                "share": share.json,
            ]
        }

        package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
            name = try reader.required("name")
            command = try reader.list("command")
            inputs = try reader.required("inputs")
            inputBytes = try reader.required("inputBytes")
            share = try reader.value("share")
        }
    }

    package init(name: String, programs: [Program], arrivals: String, parentBytes: Int) {
        self.name = name
        self.programs = programs
        self.arrivals = arrivals
        self.parentBytes = parentBytes
    }

    package var json: JSONValue {
        [
            "name": name.json, "programs": programs.reportJSON, "arrivals": arrivals.json,
            "parentBytes": parentBytes.json,
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        name = try reader.required("name")
        programs = try reader.values("programs")
        arrivals = try reader.required("arrivals")
        parentBytes = try reader.required("parentBytes")
    }
}

/// How it was measured: what somebody needs to do it again.
package struct MethodDescription: ReportObject {
    /// "quick", "default" or "thorough".
    package var effort: String
    package var repetitions: Int
    /// Calls one at a time in each repetition.
    package var callsPerRepetition: Int
    /// When warming up ended, in words.
    package var warmUp: String
    /// Of arrivals and of the bootstrap.
    package var seed: Int
    /// After how long a call counts as hanging, nanoseconds.
    package var timeoutNanoseconds: Int
    /// Calls at once, at most.
    package var concurrency: Int
    /// The rules in words: confidence intervals, knee, density, recovery. One sentence or two each.
    package var rules: [String]

    package init(
        effort: String, repetitions: Int, callsPerRepetition: Int, warmUp: String, seed: Int, timeoutNanoseconds: Int,
        concurrency: Int, rules: [String]
    ) {
        self.effort = effort
        self.repetitions = repetitions
        self.callsPerRepetition = callsPerRepetition
        self.warmUp = warmUp
        self.seed = seed
        self.timeoutNanoseconds = timeoutNanoseconds
        self.concurrency = concurrency
        self.rules = rules
    }

    package var json: JSONValue {
        [
            "effort": effort.json, "repetitions": repetitions.json, "callsPerRepetition": callsPerRepetition.json,
            "warmUp": warmUp.json, "seed": seed.json, "timeoutNanoseconds": timeoutNanoseconds.json,
            "concurrency": concurrency.json, "rules": rules.json,
        ]
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        effort = try reader.required("effort")
        repetitions = try reader.required("repetitions")
        callsPerRepetition = try reader.required("callsPerRepetition")
        warmUp = try reader.required("warmUp")
        seed = try reader.required("seed")
        timeoutNanoseconds = try reader.required("timeoutNanoseconds")
        concurrency = try reader.required("concurrency")
        rules = try reader.list("rules")
    }
}
