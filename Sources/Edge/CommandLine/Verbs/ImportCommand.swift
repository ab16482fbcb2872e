import ArgumentParser
import Engine
import JSON
import OCI

/// `forkless import`
struct ImportCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Makes an image of a root filesystem as one tar archive.",
        discussion: "The archive may be compressed with gzip or zstd. Prints the image's id.")

    @OptionGroup(title: "Image") var change: ChangeFlags

    @OptionGroup var platform: PlatformFlags

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The archive; \"-\" is standard input.") var file: String
    @Argument(help: "What the image is called.") var name: String?

    func run() async throws {
        guard !file.contains("://") else {
            throw FlagError("import", file, "archives are not fetched from the web", advice: "Fetch it first, and import the file.")
        }
        let request = ImportImage(
            name: try name.map { text throws(ReferenceError) in try ImageNames.reference(text) },
            platform: try platform.platform(), message: change.message, changes: change.changes)
        let client = try await node.connect()
        let made = try await ArchiveInput.read(from: file, flag: "import") { descriptor in
            try await client.call(request, descriptors: [descriptor])
        }
        switch output.output {
        case .json: try StandardStreams.write(made.json)
        case .text: try StandardStreams.write("\(made.id)\n")
        }
    }
}

/// What an image that is made of something else gets.
struct ChangeFlags: ParsableArguments {
    @Option(
        name: [.customShort("c"), .customLong("change")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A Dockerfile instruction for its config: 'CMD [\"sh\"]'.", valueName: "instruction"))
    var changes: [String] = []

    @Option(
        name: [.customShort("m"), .customLong("message")],
        help: ArgumentHelp("What its history says of it.", valueName: "text"))
    var message: String?
}
