import ArgumentParser
import Engine
import JSON
import OCI

/// `forkless load`
struct LoadCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "load", abstract: "Takes in the images of an archive: a docker-archive or an OCI layout.",
        discussion: "The archive may be compressed with gzip or zstd. Of several images all are taken in, or none.")

    @Option(
        name: [.customShort("i"), .customLong("input")],
        help: ArgumentHelp("Read this file instead of standard input.", valueName: "file"))
    var file: String?

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Say nothing of what was loaded.")
    var isQuiet = false

    @OptionGroup var platform: PlatformFlags

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let request = LoadImages(platform: try platform.platform())
        let client = try await node.connect()
        let answer = try await ArchiveInput.read(from: file, flag: "--input") { descriptor in
            try await client.call(request, descriptors: [descriptor])
        }
        guard output.output == .text else { return try StandardStreams.write(answer.json) }
        guard !isQuiet else { return }
        for image in answer.images {
            let lines = image.names.map { "Loaded image: \($0)\n" }
            try StandardStreams.write(lines.isEmpty ? "Loaded image ID: \(image.id)\n" : lines.joined())
        }
    }
}
