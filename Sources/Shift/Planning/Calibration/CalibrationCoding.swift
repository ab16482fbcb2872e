import Comparison
package import JSON
import Linux

/// A calibration's file: one JSON object, sizes in bytes, times in nanoseconds. What could not be measured is an object
/// with the reason, so that nobody takes its absence for zero.
extension Calibration {
    package static let formatVersion = 1
    private static let formatKey = "forkless-calibration"

    package var json: JSONValue {
        var json: JSONValue = [:]
        json[Self.formatKey] = Self.formatVersion.json
        json["at"] = at.description.json
        json["machine"] = machine.json
        json["spawn"] = spawn.json
        json["emptyLifeNanoseconds"] = emptyLifeNanoseconds.json
        json["forks"] = .array(
            forks.map { fork in
                var json = fork.timing.json
                json["residentBytes"] = fork.residentBytes.json
                return json
            })
        json["container"] = Self.json(container) { $0.json }
        json["standby"] = Self.json(standby) { $0.json }
        json["standbyIdle"] = Self.json(standbyIdleBytes) { ["bytes": $0.json] }
        json["runtime"] = Self.json(runtime) { $0.json }
        json["runtimeFirst"] = Self.json(runtimeFirst) { $0.json }
        json["interpreters"] = .array(
            interpreters.map { interpreter in
                var json = interpreter.timing.json
                json["name"] = interpreter.name.json
                json["path"] = interpreter.path.json
                return json
            })
        return json
    }

    package init(_ json: JSONValue) throws(JSONShapeError) {
        var reader = try JSONObjectReader(json)
        let version: Int = try reader.required(Self.formatKey)
        guard version == Self.formatVersion else {
            throw reader.error(Self.formatKey, "format \(version) is not known here; measure again with --calibrate")
        }
        let text: String = try reader.required("at")
        guard let at = Timestamp(text) else { throw reader.error("at", "expected a time, found \"\(text)\"") }
        let machine = try reader.object("machine") { facts throws(JSONShapeError) in try MachineFacts(&facts) }
        guard let machine else { throw reader.error("machine", "expected an object, found nothing") }
        let spawn = try reader.object("spawn") { timing throws(JSONShapeError) in try Timing(closing: &timing) }
        guard let spawn else { throw reader.error("spawn", "expected an object, found nothing") }
        self.init(
            machine: machine, at: at, spawn: spawn,
            emptyLifeNanoseconds: try reader.positive("emptyLifeNanoseconds"),
            forks: try reader.array("forks") { fork throws(JSONShapeError) in
                let bytes = try fork.positive("residentBytes")
                return ForkTiming(residentBytes: bytes, timing: try Timing(closing: &fork))
            },
            container: try Self.timing("container", &reader), standby: try Self.timing("standby", &reader),
            standbyIdleBytes: try Self.reading("standbyIdle", &reader) { idle throws(JSONShapeError) in
                let bytes = try idle.positive("bytes")
                try idle.refuseUnknown()
                return bytes
            },
            runtime: try Self.timing("runtime", &reader), runtimeFirst: try Self.timing("runtimeFirst", &reader),
            interpreters: try reader.array("interpreters") { one throws(JSONShapeError) in
                let (name, path): (String, String) = (try one.required("name"), try one.required("path"))
                return InterpreterTiming(name: name, path: path, timing: try Timing(closing: &one))
            })
        try reader.refuseUnknown()
    }

    private static func json<Value>(_ reading: Reading<Value>, _ write: (Value) -> JSONValue) -> JSONValue {
        switch reading {
        case .measured(let value): write(value)
        case .unavailable(let why): ["unavailable": why.json]
        }
    }

    private static func timing(_ key: String, _ reader: inout JSONObjectReader) throws(JSONShapeError) -> Reading<
        Timing
    > {
        try reading(key, &reader) { timing throws(JSONShapeError) in try Timing(closing: &timing) }
    }

    private static func reading<Value>(
        _ key: String, _ reader: inout JSONObjectReader,
        _ read: (inout JSONObjectReader) throws(JSONShapeError) -> Value
    ) throws(JSONShapeError) -> Reading<Value> {
        let found = try reader.object(key) { object throws(JSONShapeError) -> Reading<Value> in
            guard let why: String = try object.optional("unavailable") else { return .measured(try read(&object)) }
            try object.refuseUnknown()
            return .unavailable(why)
        }
        guard let found else { throw reader.error(key, "expected an object, found nothing") }
        return found
    }
}

extension Calibration.Timing {
    var json: JSONValue {
        var json: JSONValue = [:]
        json["nanoseconds"] = nanoseconds.json
        json["samples"] = samples.json
        json["cpuNanoseconds"] = cpuNanoseconds?.json
        return json
    }

    /// Reads the fields and refuses any other.
    fileprivate init(closing reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            nanoseconds: try reader.positive("nanoseconds"), samples: try reader.positive("samples"),
            cpuNanoseconds: try reader.has("cpuNanoseconds") ? reader.positive("cpuNanoseconds") : nil)
        try reader.refuseUnknown()
    }
}

extension MachineFacts {
    package var json: JSONValue {
        [
            "name": name.json, "kernel": kernel.json, "processor": processor.json, "processors": processors.json,
            "memoryBytes": memoryBytes.json, "hugePages": hugePages.json,
        ]
    }

    fileprivate init(_ reader: inout JSONObjectReader) throws(JSONShapeError) {
        self.init(
            name: try reader.required("name"), kernel: try reader.required("kernel"),
            processor: try reader.required("processor"), processors: try reader.positive("processors"),
            memoryBytes: try reader.positive("memoryBytes"), hugePages: try reader.required("hugePages"))
        try reader.refuseUnknown()
    }
}

extension JSONObjectReader {
    fileprivate mutating func positive(_ key: String) throws(JSONShapeError) -> Int {
        let number: Int = try required(key)
        guard number >= 0 else { throw error(key, "expected 0 or more, found \(number)") }
        return number
    }
}
