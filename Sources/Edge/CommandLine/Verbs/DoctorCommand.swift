import ArgumentParser
import Comparison
import JSON
import Linux

/// `forkless doctor`
struct DoctorCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "doctor", abstract: "Tells what this machine offers, what is missing and how to get it.",
        discussion: "Everything is read or tried on the spot. The status is 1 when something is missing that Forkless needs.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let report = DoctorReport(try await DoctorFacts.gather(try node.directories()))
        switch output.output {
        case .json: try StandardStreams.write(report.json)
        case .text: try StandardStreams.write(report.text(width: StandardStreams.width))
        }
        if !report.isUsable { throw ProgramStatus(code: ExitCodes.verbFailed) }
    }
}

extension DoctorReport {
    /// One line or more per check: a mark, what was looked at, what was found; below it what to do.
    func text(width: Int) -> String {
        let indent = (checks.map { DisplayWidth.of($0.name) }.max() ?? 0) + 4
        let room = max(width - indent, 24)
        var text = ""
        for check in checks {
            let name = check.name + String(repeating: " ", count: indent - 2 - DisplayWidth.of(check.name))
            let lines = DisplayWidth.wrap(DisplayWidth.printable(check.finding), to: room)
            let advice = check.advice.isEmpty ? [] : DisplayWidth.wrap("→ " + DisplayWidth.printable(check.advice), to: room)
            let rest = (lines.dropFirst() + advice).map { String(repeating: " ", count: indent) + $0 + "\n" }
            text += "\(check.outcome.mark) \(name)\(lines.first ?? "")\n" + rest.joined()
        }
        return text
    }
}

extension DoctorReport.Check.Outcome {
    fileprivate var mark: String {
        switch self {
        case .ok: "✓"
        case .limited: "!"
        case .missing: "✗"
        }
    }
}
