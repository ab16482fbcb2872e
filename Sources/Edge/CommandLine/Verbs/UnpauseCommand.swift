import ArgumentParser
import Engine
import JSON

/// `forkless unpause`
struct UnpauseCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "unpause", abstract: "Lets paused containers go on.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let client = try await node.connect()
        try await EachContainer(containers, output.output).report { container in
            try await client.call(ResumeContainer(container: container)).json
        }
    }
}
