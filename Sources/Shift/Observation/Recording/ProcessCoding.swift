import JSON
import Linux

extension RecordedProcess {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["kind"] = "process"
        json["number"] = number.json
        json["pid"] = pid.json
        json["parent"] = parent.json
        json["uid"] = uid?.json
        json["gid"] = gid?.json
        json["name"] = name?.json
        json["fork"] = fork?.json
        json["execs"] = execs.isEmpty ? .none : .array(execs.map(\.json))
        json["exit"] = exit?.json
        json["usage"] = usage.isEmpty ? .none : usage.json
        json["origins"] = origins.isEmpty ? .none : origins.json
        json["deep"] = deep?.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        let parent = try reader.object("parent") { parent throws(JSONShapeError) in try RecordedParent(&parent) }
        guard let parent else { throw reader.error("parent", "expected an object, found nothing") }
        self.init(
            number: try reader.required("number"), pid: try reader.required("pid"), parent: parent,
            uid: try reader.optional("uid"), gid: try reader.optional("gid"), name: try reader.optional("name"),
            fork: reader.has("fork") ? try reader.time("fork") : nil,
            execs: try reader.array("execs") { exec throws(JSONShapeError) in try RecordedExec(&exec) },
            exit: try reader.object("exit") { exit throws(JSONShapeError) in try RecordedExit(&exit) },
            usage: try reader.object("usage") { usage throws(JSONShapeError) in try RecordedUsage(&usage) }
                ?? RecordedUsage(),
            origins: try reader.list("origins"),
            deep: try reader.object("deep") { deep throws(JSONShapeError) in try DeepFacts(&deep) })
        // Asked for in any case, so that it counts as known.
        let _: Int? = try reader.optional("fork")
        try reader.refuseUnknown()
        try checkOrder(reader)
    }

    /// Fork, execs and exit follow each other in time.
    private func checkOrder(_ reader: JSONObjectReader) throws(JSONShapeError) {
        guard number > 0 else { throw reader.error("number", "processes are numbered from 1, found \(number)") }
        var before = fork
        for (index, exec) in execs.enumerated() {
            if let before, exec.at < before {
                throw reader.error("execs[\(index)].at", "\(exec.at) comes before what it follows, at \(before)")
            }
            before = exec.at
        }
        if let before, let exit, exit.at < before {
            throw reader.error("exit.at", "\(exit.at) comes before what it follows, at \(before)")
        }
    }
}

extension RecordedParent {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["pid"] = pid.json
        json["number"] = number?.json
        json["program"] = program?.json
        json["residentBytes"] = residentBytes?.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            pid: try reader.required("pid"), number: try reader.amount("number"),
            program: try reader.optional("program"),
            residentBytes: try reader.amount("residentBytes"))
        try reader.refuseUnknown()
    }
}

extension RecordedExec {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["at"] = at.json
        json["program"] = program?.json
        json["evidence"] = evidence == .seen ? .none : evidence.rawValue.json
        json["interpreter"] = interpreter?.json
        json["arguments"] = arguments?.json
        json["directory"] = directory?.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            at: try reader.time("at"), program: try reader.optional("program"),
            evidence: reader.has("evidence") ? try reader.choice("evidence") : .seen,
            interpreter: try reader.optional("interpreter"), arguments: try reader.optional("arguments"),
            directory: try reader.optional("directory"))
        // Asked for in any case, so that it counts as known.
        let _: String? = try reader.optional("evidence")
        try reader.refuseUnknown()
    }
}

extension RecordedExit {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["at"] = at.json
        switch status {
        case .exited(let code): json["status"] = code.json
        case .signaled(let number, let dumped):
            json["signal"] = number.json
            if dumped { json["coreDumped"] = true }
        case nil: break
        }
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        let code: Int32? = try reader.optional("status")
        let signal: Int32? = try reader.optional("signal")
        let dumped: Bool = try reader.optional("coreDumped") ?? false
        guard code == nil || signal == nil else {
            throw reader.error("signal", "a process ends with a status or by a signal, not with both")
        }
        if let code, !(0...255).contains(code) { throw reader.error("status", "expected 0 to 255, found \(code)") }
        if let signal, !(1...64).contains(signal) { throw reader.error("signal", "expected 1 to 64, found \(signal)") }
        let status = code.map { ExitStatus.exited($0) } ?? signal.map { ExitStatus.signaled($0, coreDumped: dumped) }
        self.init(at: try reader.time("at"), status: status)
        try reader.refuseUnknown()
    }
}

extension RecordedUsage {
    private static let fields: [(name: String, path: any WritableKeyPath<RecordedUsage, Int?> & Sendable)] = [
        ("cpuNanoseconds", \.cpuNanoseconds), ("userNanoseconds", \.userNanoseconds),
        ("systemNanoseconds", \.systemNanoseconds), ("peakMemoryBytes", \.peakMemoryBytes), ("readBytes", \.readBytes),
        ("writtenBytes", \.writtenBytes), ("minorFaults", \.minorFaults), ("majorFaults", \.majorFaults),
    ]

    var json: JSONValue {
        var json: JSONValue = [:]
        for field in Self.fields { json[field.name] = self[keyPath: field.path]?.json }
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init()
        for field in Self.fields { self[keyPath: field.path] = try reader.amount(field.name) }
        try reader.refuseUnknown()
    }
}
