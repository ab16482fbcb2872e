import Foundation

/// One run of wrk, the load generator of Debian.
struct WrkRun {
    var p50Nanoseconds: Double
    var p99Nanoseconds: Double
    var requestsPerSecond: Double
    /// Requests that were answered.
    var requests: Int
    /// Answers other than 2xx and 3xx.
    var refused: Int
    /// Connections that failed, and requests that could not be sent or were not answered in time.
    var unanswered: Int
    /// What wrk calls read errors: connections that ended. Whether a request was owed an answer it does not say.
    var ended: Int

    /// All that wrk counts as an error.
    var failures: Int { refused + unanswered + ended }

    /// Sends requests to a URL for a while.
    init(
        _ url: String, script: String? = nil, connections: Int, seconds: Int, headers: [String] = [],
        through prefix: [String] = []
    ) throws {
        let words = Self.words(url, script: script, connections: connections, seconds: seconds, arguments: headers)
        try self.init(report: try Command.output(prefix + words, within: seconds + 30))
    }

    /// - Parameter arguments: for the script.
    static func words(
        _ url: String, script: String?, connections: Int, seconds: Int, arguments: [String], header: String? = nil
    ) -> [String] {
        [
            "wrk", "-t\(min(connections, 2))", "-c\(connections)", "-d\(seconds)s", "--latency", "--timeout", "10s",
        ] + (header.map { ["-H", $0] } ?? []) + (script.map { ["-s", $0] } ?? []) + [url]
            + (arguments.isEmpty ? [] : ["--"] + arguments)
    }

    /// Reads what wrk says at its end.
    init(report text: String) throws {
        func number(_ pattern: Regex<(Substring, Substring)>) -> Double? {
            text.firstMatch(of: pattern).flatMap { Double($0.1) }
        }
        func latency(_ percent: String) throws -> Double {
            guard
                let match = text.firstMatch(
                    of: try Regex<(Substring, Substring, Substring)>("\(percent)%\\s+([0-9.]+)(us|ms|s)")),
                let value = Double(match.1)
            else { throw BenchmarkError("read the latencies of wrk:\n\(text)") }
            return value * (match.2 == "us" ? 1e3 : match.2 == "ms" ? 1e6 : 1e9)
        }
        p50Nanoseconds = try latency("50")
        p99Nanoseconds = try latency("99")
        guard let rate = number(/Requests\/sec:\s+([0-9.]+)/), let count = number(/([0-9]+) requests in/) else {
            throw BenchmarkError("read the rate of wrk:\n\(text)")
        }
        requestsPerSecond = rate
        requests = Int(count)
        refused = Int(number(/Non-2xx or 3xx responses: ([0-9]+)/) ?? 0)
        let errors = text.firstMatch(of: /connect ([0-9]+), read ([0-9]+), write ([0-9]+), timeout ([0-9]+)/)
        func error(_ part: Substring?) -> Int { part.flatMap { Int($0) } ?? 0 }
        ended = error(errors?.2)
        unanswered = error(errors?.1) + error(errors?.3) + error(errors?.4)
    }
}
