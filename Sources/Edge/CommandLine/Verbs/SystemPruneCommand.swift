import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless system prune`
struct SystemPruneCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes stopped containers, networks and images that nothing uses, and what builds keep.")

    @Flag(name: [.customShort("a"), .customLong("all")], help: "Also images with a name that no container uses.")
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
        let filters = try FilterFlags.resolved(filters, now: Clock.now())
        guard try force || Confirmation.isGiven(to: warning) else { return }
        let client = try await node.connect()
        // Containers first: with them go the last uses of networks and images.
        let containers = try await client.call(PruneContainers(filters: filters))
        let networks = try await client.call(PruneNetworks(filters: filters)).networks
        let images = try await client.call(PruneImages(all: all, filters: filters))
        var freed = containers.reclaimedBytes + images.freedBytes
        // What builds keep has no labels: a filter for them means nothing of it.
        if !filters.contains(where: { $0.hasPrefix("label") }) {
            let until = filters.compactMap { $0.hasPrefix("until=") ? Timestamp(String($0.dropFirst(6))) : nil }.min()
            freed += try await client.call(PruneBuildCache(unusedSince: until)).freedBytes
        }
        switch output.output {
        case .json:
            try StandardStreams.write([
                "containers": containers.json, "networks": networks.json, "images": images.json, "freedBytes": freed.json,
            ])
        case .text:
            var text = containers.ids.isEmpty ? "" : "Deleted Containers:\n" + containers.ids.map { $0 + "\n" }.joined() + "\n"
            if !networks.isEmpty { text += "Deleted Networks:\n" + networks.map { $0 + "\n" }.joined() + "\n" }
            let lines = RemovalText.lines(images)
            if !lines.isEmpty { text += "Deleted Images:\n\(lines)\n" }
            try StandardStreams.write(text + RemovalText.reclaimed(freed))
        }
    }

    private var warning: String {
        """
        WARNING! This will remove:
          - all stopped containers
          - all networks not used by at least one container
          - all \(all ? "images without at least one container associated to them" : "dangling images")
          - what builds keep for later builds
        """
    }
}
