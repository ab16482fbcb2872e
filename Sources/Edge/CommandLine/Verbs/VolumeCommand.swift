import ArgumentParser
import Comparison
import Engine
import JSON
import Linux

/// `forkless volume`: files that outlive containers.
struct VolumeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "volume", abstract: "Keeps files for containers, by names.",
        subcommands: [
            VolumeCreateCommand.self, VolumeListCommand.self, VolumeInspectCommand.self, VolumeRemoveCommand.self,
            VolumePruneCommand.self,
        ])
}

/// `forkless volume create`
struct VolumeCreateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a volume, and prints its name; one that is there stays as it is.")

    @Option(name: .customLong("label"), help: ArgumentHelp("Attach a label.", valueName: "name=value"))
    var labels: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "Its name; one is made up when it is left out.") var name: String?

    func run() async throws {
        let request = CreateVolume(name: try nonempty(name, "the name"), labels: try LabelFlags.labels(labels))
        let volume = try await node.connect().call(request)
        switch output.output {
        case .json: try StandardStreams.write(volume.json)
        case .text: try StandardStreams.write(volume.name + "\n")
        }
    }
}

/// `forkless volume ls`
struct VolumeListCommand: Verb {
    static let configuration = CommandConfiguration(commandName: "ls", abstract: "Lists volumes.", aliases: ["list"])

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the names.")
    var isQuiet = false

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only these: name, label, dangling, driver.", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let volumes = try await node.connect().call(ListVolumes(filters: filters)).volumes
        switch (output.output, isQuiet) {
        case (.json, false): try StandardStreams.write(JSONValue.array(volumes.map(\.json)))
        case (.json, true): try StandardStreams.write(volumes.map(\.name).json)
        case (.text, true): try StandardStreams.write(volumes.map { $0.name + "\n" }.joined())
        case (.text, false):
            let listing = Listing(
                columns: [.init("DRIVER"), .init("VOLUME NAME")], rows: volumes.map { ["local", $0.name] })
            try StandardStreams.write(listing.text(width: StandardStreams.width))
        }
    }
}

/// `forkless volume inspect`
struct VolumeInspectCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows everything about volumes, as JSON.")

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The volumes, by name.") var names: [String]

    func run() async throws {
        let client = try await node.connect()
        var volumes: [JSONValue] = []
        for name in names { volumes.append(try await client.call(InspectVolume(name: name)).json) }
        try StandardStreams.write(.array(volumes))
    }
}

/// `forkless volume rm`
struct VolumeRemoveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Removes volumes that no container has, with their files.", aliases: ["remove"])

    @Flag(name: [.customShort("f"), .customLong("force")], help: "One that is not there is no error.")
    var force = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The volumes, by name.") var names: [String]

    func run() async throws {
        let client = try await node.connect()
        let force = force
        try await EachContainer(names, output.output).report { name in
            do { return try await client.call(RemoveVolume(name: name)).json } catch let failure as NodeFailure
                where force && failure.kind == .notFound { return NoValue().json }
        }
    }
}

/// `forkless volume prune`
struct VolumePruneCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "prune", abstract: "Removes the volumes that no container has.",
        discussion: "Only those without a name of their user's choice, unless -a is given.")

    @Flag(name: [.customShort("a"), .customLong("all")], help: "Also those with a name.")
    var all = false

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Do not ask first.")
    var force = false

    @Option(
        name: .customLong("filter"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only these: label, label!, all.", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let warning =
            "WARNING! This will remove \(all ? "all" : "anonymous local") volumes not used by at least one container."
        guard try force || Confirmation.isGiven(to: warning) else { return }
        let answer = try await node.connect().call(PruneVolumes(all: all, filters: filters))
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text:
            let list = answer.names.isEmpty ? "" : "Deleted Volumes:\n" + answer.names.map { $0 + "\n" }.joined() + "\n"
            try StandardStreams.write(list + "Total reclaimed space: \(FloatingText.bytes(answer.reclaimedBytes))\n")
        }
    }
}
