import ArgumentParser
import Comparison
import Engine
import JSON
import Linux

/// `forkless container`: what concerns all containers at once.
struct ContainerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "container", abstract: "Does something with all containers at once.",
        subcommands: [ContainerPruneCommand.self])
}

/// `forkless container prune`
struct ContainerPruneCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes every container that does not run.")

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Do not ask first.")
    var force = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only these: label, label!, until (a time, or so long ago).", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let request = PruneContainers(filters: try FilterFlags.resolved(filters, now: Clock.now()))
        guard try force || Confirmation.isGiven(to: "WARNING! This will remove all stopped containers.") else { return }
        let answer = try await node.connect().call(request)
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text:
            let list = answer.ids.isEmpty ? "" : "Deleted Containers:\n" + answer.ids.map { $0 + "\n" }.joined() + "\n"
            try StandardStreams.write(list + "Total reclaimed space: \(FloatingText.bytes(answer.reclaimedBytes))\n")
        }
    }
}
