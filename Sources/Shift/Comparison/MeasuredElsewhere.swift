/// What a system measured of itself: a row of the table that comes from a file.
///
/// The file is CSV with a heading: `start_us,call_us,cpu_us,peak_kib,status`, a line for each call. The last two may
/// be there or not; peak memory is not used, since wait4 counts the parent's memory as the child's until its exec.
package struct MeasuredElsewhere: Sendable {
    /// The row for the table.
    package let measurement: Measurement

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
        measurement = Self.measurement(name, rows, start: start, call: call, cpu: cpu, isReference: isReference)
    }

    private static func measurement(
        _ name: String, _ rows: [[Double]], start: Int, call: Int, cpu: Int, isReference: Bool
    ) -> Measurement {
        let elsewhere = "measured by the system itself, which does not tell"
        var measurement = Measurement(rung: RungLabel(name: name, title: name))
        measurement.callCount = rows.count
        if let distribution = Distribution(nanoseconds: rows.map { Int($0[start] * 1000) }) {
            measurement.start = .measured(distribution)
        }
        if let distribution = Distribution(nanoseconds: rows.map { Int($0[call] * 1000) }) {
            measurement.call = .measured(distribution)
        }
        let total = rows.reduce(0) { $0 + $1[call] }
        // One call after the other: that is how such a system works.
        measurement.callsPerSecond = .measured(Double(rows.count) * 1e6 / max(total, 1))
        measurement.cpuMicrosecondsPerCall = .measured(rows.reduce(0) { $0 + $1[cpu] } / Double(rows.count))
        measurement.idleBytesPerInstance = .unavailable("a process of it ends with its call")
        measurement.busyBytesPerInstance = .unavailable(elsewhere)
        measurement.isolation = .unavailable(elsewhere)
        measurement.results = isReference ? .reference : .unavailable(elsewhere)
        return measurement
    }
}
