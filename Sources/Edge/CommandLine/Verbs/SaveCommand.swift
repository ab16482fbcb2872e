import ArgumentParser
import Engine
import Linux

/// `forkless save`
struct SaveCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "save", abstract: "Writes images as one archive.",
        discussion: """
            The archive is an OCI layout that is a docker-archive, too: Docker, Podman and Skopeo load it, and digests \
            stay as they are. Older tools may want one of the two alone: --format.
            """)

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp("Write to this file instead of standard output.", valueName: "file"))
    var file: String?

    @Option(name: .customLong("format"), help: ArgumentHelp("both, oci-archive or docker-archive.", valueName: "format"))
    var format = SaveImages.Format.both

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The images: names, every name of a repository without a tag, digests or ids.") var images: [String]

    func run() async throws {
        let client = try await node.connect()
        let request = SaveImages(images: images, format: format)
        try await ArchiveOutput.write(to: file, what: "an archive") { descriptor in
            _ = try await client.call(request, descriptors: [descriptor])
        }
    }
}

extension SaveImages.Format: ExpressibleByArgument {}
