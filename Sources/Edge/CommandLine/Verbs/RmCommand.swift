import ArgumentParser
import Engine
import JSON

/// `forkless rm`
struct RmCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Removes containers that have ended, with their logs.")

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Kill those that still run.")
    var force = false

    @Flag(name: [.customShort("v"), .customLong("volumes")], help: "Also remove the volumes without a name that are theirs alone.")
    var volumes = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let client = try await node.connect()
        let (force, volumes) = (force, volumes)
        try await EachContainer(containers, output.output).report { container in
            try await client.call(RemoveContainer(container: container, force: force, volumes: volumes)).json
        }
    }
}
