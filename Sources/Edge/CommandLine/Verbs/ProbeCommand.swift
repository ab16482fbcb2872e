import ArgumentParser
import Comparison
import Linux

/// `forkless probe`: what `compare` runs inside each rung to see what is possible there. Hidden: its output is for
/// programs.
struct ProbeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Attempts what an isolated program must not be able to do, and reports.",
        shouldDisplay: false)

    @Flag(name: .customLong("after-input"), help: "Read standard input to its end first, as a standby does.")
    var waitsForInput = false

    func run() async throws {
        if waitsForInput { _ = try Files.readAll(StandardStreams.input, name: "standard input") }
        // Each line at once: an attempt may be the end of us.
        IsolationProbe.run(.ofProcess()) { report in
            try? Files.writeAll(ProbeOutput.line(report), to: StandardStreams.output, name: "standard output")
        }
    }
}
