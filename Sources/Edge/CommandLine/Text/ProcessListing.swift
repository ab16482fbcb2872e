import Comparison
import Engine
import Linux

/// `top`: the columns of `ps -ef`, as Docker shows them.
struct ProcessListing {
    var processes: [ProcessSummary]
    var now: Timestamp

    var listing: Listing {
        Listing(
            columns: [
                .init("UID"), .init("PID"), .init("PPID"), .init("C"), .init("STIME"), .init("TTY"), .init("TIME"),
                .init("CMD"),
            ],
            rows: processes.map { process in
                [
                    process.user, "\(process.pid)", "\(process.parent)", "\(share(process))", Self.start(process, now),
                    process.terminal ?? "?", Self.span(process.cpuMilliseconds / 1000), process.command,
                ]
            })
    }

    /// CPU time over the time since its start, in percent.
    private func share(_ process: ProcessSummary) -> Int {
        let alive = max(1, (now.nanoseconds - process.startedAt.nanoseconds) / 1_000_000)
        return min(99, process.cpuMilliseconds * 100 / alive)
    }

    /// The hour and minute of the start (UTC); for what is older than a day its date.
    static func start(_ process: ProcessSummary, _ now: Timestamp) -> String {
        // 2026-11-23T06:00:00Z
        let text = process.startedAt.description
        let isOld = now.nanoseconds - process.startedAt.nanoseconds >= 86_400_000_000_000
        return String(isOld ? text.prefix(10).suffix(5) : text.dropFirst(11).prefix(5))
    }

    private static func span(_ seconds: Int) -> String {
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(two(seconds / 3600)):\(two(seconds / 60 % 60)):\(two(seconds % 60))"
    }
}
