import JSON

/// What travels from the probe, inside, to the driver, outside: one JSON object per line and attempt.
///
/// The bytes come out of the sandbox, from a program that has just tried everything: they are checked like
/// any other input.
package enum ProbeOutput {
    /// Longest output that is looked at, in bytes; a probe's is below 8 KiB.
    package static let bytesLimit = 1 << 20

    /// One report as a line, with its newline.
    package static func line(_ report: ProbeReport) -> [UInt8] {
        JSONWriter.bytes(report.json) + [UInt8(ascii: "\n")]
    }

    /// The reports in what a probe wrote.
    ///
    /// A last line without its newline is that of a probe that was killed while it wrote and counts for nothing.
    package static func parse(_ bytes: [UInt8]) throws(ProbeOutputError) -> [ProbeReport] {
        guard bytes.count <= bytesLimit else {
            throw ProbeOutputError(line: 0, problem: "\(bytes.count) bytes are more than \(bytesLimit)")
        }
        let complete = bytes.lastIndex(of: UInt8(ascii: "\n")).map { bytes[...$0] } ?? []
        var reports: [ProbeReport] = []
        let lines = complete.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty {
            let report: ProbeReport
            do {
                report = try ProbeReport(try JSONParser.parse(Array(line)))
            } catch { throw ProbeOutputError(line: index + 1, problem: "\(error)") }
            guard !reports.contains(where: { $0.name == report.name }) else {
                throw ProbeOutputError(line: index + 1, problem: "a second report on \(report.name)")
            }
            reports.append(report)
        }
        return reports
    }

    /// The reports in the order of the attempts, with "unknown" for each attempt that was not reported.
    package static func completed(_ reports: [ProbeReport], missing reason: String) -> [ProbeReport] {
        IsolationProbe.attempts.map { attempt in
            reports.first { $0.name == attempt.name }
                ?? ProbeReport(name: attempt.name, question: attempt.question, outcome: .unknown(reason))
        }
    }
}

/// An output that no probe writes.
package struct ProbeOutputError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Counted from 1; 0 is the whole.
    package var line: Int
    package var problem: String

    package var description: String {
        "read what the isolation probe wrote\(line > 0 ? ", line \(line)" : ""): \(problem). "
            + "The program that ran was not the probe of this version, or something else wrote to its output"
    }
}
