import ArgumentParser
import Engine
import JSON

/// `forkless inspect`
struct InspectCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows everything about containers, as JSON.",
        discussion: "The answer is a list in the order of the arguments, as with Docker, in either output format.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let client = try await node.connect()
        var details: [JSONValue] = []
        for container in containers { details.append(try await client.call(InspectContainer(container: container)).json) }
        try StandardStreams.write(.array(details))
    }
}
