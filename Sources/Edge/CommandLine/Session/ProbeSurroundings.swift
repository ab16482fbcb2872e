import Linux

/// What the probe is given to try from inside: a process, a local service and a file of the machine's.
final class ProbeSurroundings: Sendable {
    private let service: SharedFD
    private let marker: String
    let environment: [String]

    init() async throws {
        let listening = try Loopback.listen()
        service = SharedFD(try listening.descriptor.duplicate())
        marker = "/tmp/forkless-probe-\(OwnProcess.pid)-" + String(UInt64.random(in: .min ... .max), radix: 36)
        try Files.replace(marker, with: Array("a file of the machine\n".utf8), mode: 0o644)
        environment = [
            "FORKLESS_PROBE_OUTSIDE_PID=\(OwnProcess.pid)", "FORKLESS_PROBE_PORT=\(listening.port)",
            "FORKLESS_PROBE_MARKER=\(marker)",
            "FORKLESS_PROBE_MEMORY_MIB=\((CompareCommand.memoryBytes >> 20) + 128)",
            "FORKLESS_PROBE_FORKS=\(CompareCommand.pidsLimit * 2)",
        ]
    }

    deinit { try? Files.remove(marker) }
}

/// One line on a terminal that tells what is being done, replaced as it goes; nothing elsewhere.
final class ProgressLine: Sendable {
    private let isShown = Terminal.isTerminal(StandardStreams.errors)

    func show(_ text: String) {
        guard isShown else { return }
        StandardStreams.writeError("\r\u{1b}[K" + text)
    }

    func end() {
        guard isShown else { return }
        StandardStreams.writeError("\r\u{1b}[K")
    }
}
