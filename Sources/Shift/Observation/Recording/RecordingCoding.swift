import JSON
import Linux

// The lines of a recording as JSON. What is nil, empty or zero is left out; what is not known here is refused, so that a
// misspelt name in an edited recording does not silently mean "not known".

extension RecordingHeader {
    /// The version of the format that this source writes, and the only one that it reads.
    package static let formatVersion = 1
    static let formatKey = "forkless-recording"

    var json: JSONValue {
        var json: JSONValue = [:]
        json[Self.formatKey] = Self.formatVersion.json
        json["mode"] = mode.rawValue.json
        json["machine"] = machine.json
        json["kernel"] = kernel.json
        json["architecture"] = architecture.json
        json["processors"] = processors?.json
        json["memoryBytes"] = memoryBytes?.json
        json["start"] = start.description.json
        if !hasTimes { json["hasTimes"] = false }
        json["sources"] = sources.json
        json["command"] = command.isEmpty ? .none : command.json
        json["uid"] = uid?.json
        json["writer"] = writer.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        let version: Int = try reader.required(Self.formatKey)
        guard version == Self.formatVersion else {
            throw reader.error(Self.formatKey, "format \(version) is not known here; this program reads format 1")
        }
        let text: String = try reader.required("start")
        guard let start = Timestamp(text) else {
            throw reader.error("start", "expected a time such as 2026-01-31T23:59:59.5Z, found \"\(text)\"")
        }
        self.init(
            mode: try reader.choice("mode"), machine: try reader.required("machine"),
            kernel: try reader.required("kernel"),
            architecture: try reader.required("architecture"), processors: try reader.amount("processors"),
            memoryBytes: try reader.amount("memoryBytes"), start: start, sources: try reader.list("sources"),
            command: try reader.list("command"), uid: try reader.optional("uid"), writer: try reader.required("writer"))
        hasTimes = try reader.optional("hasTimes") ?? true
        try reader.refuseUnknown()
    }
}

extension RecordingEnd {
    /// With what the reader checks: how many lines there are, and the checksum of all bytes before.
    func json(lines: Int, checksum: String) -> JSONValue {
        var json: JSONValue = [:]
        json["kind"] = "end"
        json["at"] = at.json
        json["reason"] = reason.rawValue.json
        var counts: JSONValue = [:]
        for field in RecordingLosses.fields where losses[keyPath: field.path] != 0 {
            counts[field.name] = losses[keyPath: field.path].json
        }
        json["losses"] = counts
        json["lines"] = lines.json
        json["checksum"] = checksum.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        let losses = try reader.object("losses") { losses throws(JSONShapeError) in
            var result = RecordingLosses()
            for field in RecordingLosses.fields { result[keyPath: field.path] = try losses.amount(field.name) ?? 0 }
            try losses.refuseUnknown()
            return result
        }
        self.init(at: try reader.time("at"), reason: try reader.choice("reason"), losses: losses ?? RecordingLosses())
        guard at >= 0 else { throw reader.error("at", "a recording does not end before it begins") }
    }
}

extension RecordingLosses {
    /// What is counted, by the names in the file.
    package static let fields: [(name: String, path: any WritableKeyPath<RecordingLosses, Int> & Sendable)] = [
        ("eventOverruns", \.eventOverruns), ("accountingOverruns", \.accountingOverruns),
        ("unreadableEvents", \.unreadableEvents), ("argumentsMissed", \.argumentsMissed),
        ("programsMissed", \.programsMissed), ("usageMissed", \.usageMissed),
        ("parentSizesMissed", \.parentSizesMissed),
        ("untraced", \.untraced), ("badLines", \.badLines),
    ]

    package var isEmpty: Bool { self == RecordingLosses() }
}

extension ProgramOrigin {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["kind"] = "origin"
        json["from"] = kind.rawValue.json
        json["file"] = file.json
        json["line"] = line?.json
        json["name"] = name.json
        json["schedule"] = schedule.isEmpty ? .none : schedule.json
        json["user"] = user?.json
        json["command"] = command.json
        json["programs"] = programs.isEmpty ? .none : programs.json
        return json
    }

    init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            kind: try reader.choice("from"), file: try reader.required("file"), line: try reader.amount("line"),
            name: try reader.required("name"), schedule: try reader.optional("schedule") ?? "",
            user: try reader.optional("user"), command: try reader.required("command"),
            programs: try reader.list("programs"))
        try reader.refuseUnknown()
    }
}

extension JSONObjectReader {
    /// A field that is one of the words of an enumeration.
    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ key: String
    ) throws(JSONShapeError) -> Choice {
        let word: String = try required(key)
        if let choice = Choice(rawValue: word) { return choice }
        let words = Choice.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        throw error(key, "expected one of \(words), found \"\(word)\"")
    }

    /// A field that is a time: nanoseconds after the start, within 36 years of it, so that differences never overflow.
    mutating func time(_ key: String) throws(JSONShapeError) -> Int {
        let value: Int = try required(key)
        guard (-(1 << 60)...(1 << 60)).contains(value) else { throw error(key, "\(value) is no time of a recording") }
        return value
    }

    /// A field that counts something: not negative.
    mutating func amount(_ key: String) throws(JSONShapeError) -> Int? {
        guard let value: Int = try optional(key) else { return nil }
        guard value >= 0 else { throw error(key, "expected a number that is not negative, found \(value)") }
        return value
    }
}
