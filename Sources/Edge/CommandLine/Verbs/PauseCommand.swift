import ArgumentParser
import Engine
import JSON

/// `forkless pause`
struct PauseCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Freezes everything that runs in containers, where it stands.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let client = try await node.connect()
        try await EachContainer(containers, output.output).report { container in
            try await client.call(PauseContainer(container: container)).json
        }
    }
}
