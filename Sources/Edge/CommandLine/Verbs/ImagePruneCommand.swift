import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless image`
struct ImageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "image", abstract: "Clears away images.", subcommands: [ImagePruneCommand.self])
}

/// `forkless image prune`
struct ImagePruneCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes images that have no name and that nothing uses.")

    @Flag(name: [.customShort("a"), .customLong("all")], help: "Also those with a name that no container uses.")
    var all = false

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Do not ask.")
    var force = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only these: label, label!, until (a time, or 24h for older than that).", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let what = all ? "all images without at least one container associated to them" : "all dangling images"
        guard try force || Confirmation.isGiven(to: "WARNING! This will remove \(what).") else { return }
        let filters = try FilterFlags.resolved(filters, now: Clock.now())
        let removed = try await node.connect().call(PruneImages(all: all, filters: filters))
        switch output.output {
        case .json: try StandardStreams.write(removed.json)
        case .text:
            let lines = RemovalText.lines(removed)
            let head = lines.isEmpty ? "" : "Deleted Images:\n\(lines)\n"
            try StandardStreams.write(head + RemovalText.reclaimed(removed.freedBytes))
        }
    }
}
