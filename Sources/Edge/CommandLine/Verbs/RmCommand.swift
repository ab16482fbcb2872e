import ArgumentParser
import Engine
import JSON

/// `forkless rm`
struct RmCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rm", abstract: "Removes containers that have ended, with their logs.")

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Kill those that still run.")
    var force = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let client = try await node.connect()
        let force = force
        try await EachContainer(containers, output.output).report { container in
            try await client.call(RemoveContainer(container: container, force: force)).json
        }
    }
}
