import ArgumentParser
import Comparison
import Engine
import JSON
import Linux

/// `forkless builder`
struct BuilderCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "builder", abstract: "Clears away what builds keep.", subcommands: [BuilderPruneCommand.self])
}

/// `forkless builder prune`
struct BuilderPruneCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Forgets the results of build steps; images stay.")

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Do not ask first.")
    var force = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only until (not used since a time, or for so long).", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        var request = PruneBuildCache()
        for filter in filters {
            guard filter.hasPrefix("until=") else {
                throw FlagError("--filter", filter, "only until is known here", advice: "Write until=24h.")
            }
            request.unusedSince = try TimeFlag.parse(String(filter.dropFirst(6)), flag: "--filter until", now: Clock.now())
        }
        guard try force || Confirmation.isGiven(to: "WARNING! This will remove all build cache.") else { return }
        let answer = try await node.connect().call(request)
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text:
            try StandardStreams.write(
                "Forgotten steps: \(answer.records)\nTotal reclaimed space: \(FloatingText.bytes(answer.freedBytes))\n")
        }
    }
}
