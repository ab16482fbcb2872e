import ArgumentParser
import Engine

/// `forkless rename`
struct RenameCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rename", abstract: "Gives a container another name, whether it runs or not.")

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The container, by name or id.") var container: String
    @Argument(help: "Its new name.") var name: String

    func run() async throws {
        _ = try await node.connect().call(RenameContainer(container: container, name: name))
    }
}
