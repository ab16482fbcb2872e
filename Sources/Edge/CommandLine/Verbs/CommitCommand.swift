import ArgumentParser
import Engine
import JSON
import OCI

/// `forkless commit`
struct CommitCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "commit", abstract: "Makes an image of what a container changed.",
        discussion: "What is in volumes is not part of it. A container that runs is paused meanwhile. Prints the image's id.")

    @Option(
        name: [.customShort("a"), .customLong("author")],
        help: ArgumentHelp("Who made it.", valueName: "name"))
    var author: String?

    @OptionGroup(title: "Image") var change: ChangeFlags

    @Flag(name: .customLong("no-pause"), help: "Let the container run on meanwhile.")
    var runsOn = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The container, by name or id.") var container: String
    @Argument(help: "What the image is called.") var name: String?

    func run() async throws {
        let request = CommitContainer(
            container: container, name: try name.map { text throws(ReferenceError) in try ImageNames.reference(text) },
            author: author, message: change.message, changes: change.changes, pauses: !runsOn)
        let made = try await node.connect().call(request)
        switch output.output {
        case .json: try StandardStreams.write(made.json)
        case .text: try StandardStreams.write("\(made.id)\n")
        }
    }
}
