import ArgumentParser
import Engine

/// `forkless export`: of a container, unless the word after it says of what else.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Writes a container's files, or manifests for a cluster.",
        subcommands: [ExportFilesCommand.self, ExportKubernetesCommand.self], defaultSubcommand: ExportFilesCommand.self)
}

/// `forkless export CONTAINER`
struct ExportFilesCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "files", abstract: "Writes a container's files as one tar archive.",
        discussion: "What is in volumes is not part of it. \"forkless import\" makes an image of the archive.")

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
    var file: String?

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The container, by name or id.") var container: String

    func run() async throws {
        let client = try await node.connect()
        let request = ExportContainer(container: container)
        try await ArchiveOutput.write(to: file, what: "an archive") { descriptor in
            _ = try await client.call(request, descriptors: [descriptor])
        }
    }
}
