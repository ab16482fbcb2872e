import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless stats`
struct StatsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "stats", abstract: "Shows what containers use, once a second until interrupted.")

    @Flag(name: .customLong("no-stream"), help: "Show it once.")
    var once = false

    @Option(name: .customLong("interval"), help: ArgumentHelp("Seconds between two rounds (default: 1).", valueName: "seconds"))
    var interval: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id; all that run when there is none.") var containers: [String] = []

    func run() async throws {
        var request = ReadStatistics(containers: containers, follow: !once)
        if let interval {
            let seconds = try SecondsFlag.parse(interval, flag: "--interval")
            guard seconds > 0 else { throw FlagError("--interval", interval, "there must be a second between two rounds") }
            request.intervalMilliseconds = seconds * 1000
        }
        let format = output.output
        let isOneRound = once
        // A terminal shows one table that changes; a file gets every round.
        let redraws = !once && format == .text && Terminal.isTerminal(StandardStreams.output)
        _ = try await node.connect().stream(request) { round, _ in
            switch format {
            case .json: try StandardStreams.write(round.json, inStream: !isOneRound)
            case .text:
                let table = StatisticsListing(containers: round.containers).listing.text(width: StandardStreams.width)
                try StandardStreams.write((redraws ? Self.home : "") + table)
            }
        }
    }

    /// Cursor to the top left, and everything below it erased (ECMA-48 CUP, ED).
    private static let home = "\u{1B}[H\u{1B}[J"
}
