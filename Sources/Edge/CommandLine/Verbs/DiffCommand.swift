import ArgumentParser
import Engine
import JSON

/// `forkless diff`
struct DiffCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "diff", abstract: "Shows what a container changed in the files of its image.",
        discussion: "A: added, C: changed, D: deleted. A line for each path, directories before what is in them.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The container, by name or id.") var container: String

    func run() async throws {
        let answer = try await node.connect().call(ContainerChanges(container: container))
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text: try StandardStreams.write(answer.changes.map { "\($0.kind.rawValue) \($0.path)\n" }.joined())
        }
    }
}
