import Foundation

/// One run of wrk, the load generator of Debian.
struct WrkRun {
    var p50Nanoseconds: Double
    var p99Nanoseconds: Double
    var requestsPerSecond: Double
    /// Answers other than 2xx and 3xx, and broken connections.
    var failures: Int

    /// Sends events to a URL for a while.
    init(
        _ url: String, script: String, connections: Int, seconds: Int, headers: [String] = []
    ) throws {
        let threads = min(connections, 2)
        let text = try Command.output(
            [
                "wrk", "-t\(threads)", "-c\(connections)", "-d\(seconds)s", "--latency", "--timeout", "10s", "-s",
                script, url,
                "--",
            ] + headers)
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
        guard let rate = number(/Requests\/sec:\s+([0-9.]+)/) else {
            throw BenchmarkError("read the rate of wrk:\n\(text)")
        }
        requestsPerSecond = rate
        var failures = number(/Non-2xx or 3xx responses: ([0-9]+)/) ?? 0
        if let match = text.firstMatch(of: /connect ([0-9]+), read ([0-9]+), write ([0-9]+), timeout ([0-9]+)/) {
            failures += [match.1, match.2, match.3, match.4].compactMap { Double($0) }.reduce(0, +)
        }
        self.failures = Int(failures)
    }
}
