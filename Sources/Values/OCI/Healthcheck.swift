package import JSON

/// How an image says whether a container of it is well. Not in the OCI specification: Docker's, and written by its
/// builders (image config, "Healthcheck").
package struct Healthcheck: Hashable, Sendable {
    /// What is run.
    package enum Test: Hashable, Sendable {
        /// What the image below said (an empty list).
        case inherited
        /// No check, whatever the image below said ("NONE").
        case none
        /// A program with its arguments ("CMD").
        case command([String])
        /// A line for the image's shell ("CMD-SHELL").
        case shell(String)
    }

    package var test: Test
    /// Nanoseconds between checks; 0 is the default.
    package var interval: Int64
    /// Nanoseconds one check may take; 0 is the default.
    package var timeout: Int64
    /// Nanoseconds in which a failure does not count; 0 is the default.
    package var startPeriod: Int64
    /// Nanoseconds between checks in the start period; 0 is the default.
    package var startInterval: Int64
    /// Failures in a row that make a container unhealthy; 0 is the default.
    package var retries: Int

    package init(
        test: Test, interval: Int64 = 0, timeout: Int64 = 0, startPeriod: Int64 = 0, startInterval: Int64 = 0,
        retries: Int = 0
    ) {
        self.test = test
        self.interval = interval
        self.timeout = timeout
        self.startPeriod = startPeriod
        self.startInterval = startInterval
        self.retries = retries
    }

    package init(reading reader: inout JSONObjectReader) throws(JSONShapeError) {
        let words: [String] = try reader.list("Test")
        switch words.first {
        case nil: test = .inherited
        case "NONE": test = .none
        case "CMD": test = .command(Array(words.dropFirst()))
        case "CMD-SHELL" where words.count == 2: test = .shell(words[1])
        default: throw reader.error("Test", "expected NONE, CMD and its words, or CMD-SHELL and one line")
        }
        interval = try Self.duration(&reader, "Interval")
        timeout = try Self.duration(&reader, "Timeout")
        startPeriod = try Self.duration(&reader, "StartPeriod")
        startInterval = try Self.duration(&reader, "StartInterval")
        retries = try reader.optional("Retries") ?? 0
        guard retries >= 0 else { throw reader.error("Retries", "expected 0 or more, found \(retries)") }
    }

    private static func duration(_ reader: inout JSONObjectReader, _ key: String) throws(JSONShapeError) -> Int64 {
        let value: Int64 = try reader.optional(key) ?? 0
        guard value >= 0 else { throw reader.error(key, "expected 0 or more nanoseconds, found \(value)") }
        return value
    }

    package var json: JSONValue {
        var json: JSONValue = [:]
        switch test {
        case .inherited: break
        case .none: json["Test"] = ["NONE"]
        case .command(let words): json["Test"] = (["CMD"] + words).json
        case .shell(let line): json["Test"] = ["CMD-SHELL", .string(line)]
        }
        let durations = [
            ("Interval", interval), ("Timeout", timeout), ("StartPeriod", startPeriod), ("StartInterval", startInterval),
        ]
        for (key, value) in durations where value != 0 { json[key] = .integer(value) }
        if retries != 0 { json["Retries"] = .integer(Int64(retries)) }
        return json
    }
}
