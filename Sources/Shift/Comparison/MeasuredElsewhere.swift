/// What a system measured of itself: a row of the table that comes from a file.
///
/// The file is CSV with a heading: `start_us,call_us,cpu_us,peak_kib,status`, a line for each call. The last two may
/// be there or not; peak memory is not used, since wait4 counts the parent's memory as the child's until its exec.
package struct MeasuredElsewhere: Sendable {
    /// What the report says of it.
    package let report: RungReport

    /// - Parameter expected: whether its results are what the other rungs are compared with.
    /// - Throws: `ComparisonError` that names the line.
    package init(name: String, csv text: String, isReference: Bool) throws(ComparisonError) {
        var lines = text.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        guard let heading = lines.first else { throw ComparisonError("read the timings of \(name): the file is empty") }
        lines.removeFirst()
        let columns = heading.split(separator: ",").map(String.init)
        guard let start = columns.firstIndex(of: "start_us"), let call = columns.firstIndex(of: "call_us"),
            let cpu = columns.firstIndex(of: "cpu_us")
        else {
            throw ComparisonError("read the timings of \(name): the heading must have start_us, call_us and cpu_us, not \"\(heading)\"")
        }
        var rows: [[Double]] = []
        for (index, line) in lines.enumerated() {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false).map { Double(String($0)) }
            guard fields.count == columns.count, let row = fields.filter({ $0 != nil }) as? [Double], row.count == columns.count
            else { throw ComparisonError("read the timings of \(name): line \(index + 2) is not \(columns.count) numbers") }
            rows.append(row)
        }
        guard !rows.isEmpty else { throw ComparisonError("read the timings of \(name): there is no call in the file") }
        report = Self.report(name, rows, start: start, call: call, cpu: cpu, isReference: isReference)
    }

    private static func report(
        _ name: String, _ rows: [[Double]], start: Int, call: Int, cpu: Int, isReference: Bool
    ) -> RungReport {
        let elsewhere = "measured by the system itself, which does not tell"
        var report = RungReport(RungLabel(name: name, title: name), setUp: "measured by the system itself, from a file")
        let method = "measured by the system itself: \(FloatingText.grouped(rows.count)) calls, read from a file"
        report.calls = rows.count
        if let start = Statistics.summary([LatencyHistogram(rows.map { nanoseconds($0[start]) })]) {
            report.start = .measured(start, method: method)
        }
        if let call = Statistics.summary([LatencyHistogram(rows.map { nanoseconds($0[call]) })]) {
            report.latency = .measured(call, method: method)
        }
        if let mean = Statistics.estimate([Statistics.mean(rows.map { $0[cpu] })]) {
            report.cpuPerCall = .measured(mean, method: method)
        }
        report.idleMemory = .unavailable("a process of it ends with its call")
        report.busyMemory = .unavailable(elsewhere)
        report.underLoad = .unavailable(elsewhere)
        report.knee = .unavailable(elsewhere)
        report.density = .unavailable(elsewhere)
        report.scale = .unavailable(elsewhere)
        report.recovery = .unavailable(elsewhere)
        report.deploySteps = .unavailable(elsewhere)
        report.rollBackSteps = .unavailable(elsewhere)
        report.costPerMillion = .unavailable(elsewhere)
        report.isolation = .unavailable(elsewhere)
        report.results = isReference ? .reference : .unavailable(elsewhere)
        return report
    }

    /// Of a day at most, as the histograms have it.
    private static func nanoseconds(_ microseconds: Double) -> Int {
        Int(min(max(microseconds * 1000, 0), Double(LatencyHistogram.longest)))
    }
}
