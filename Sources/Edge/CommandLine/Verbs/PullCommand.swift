import ArgumentParser
import Engine
import JSON
import OCI

/// `forkless pull`
struct PullCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "pull", abstract: "Gets an image from a registry.",
        discussion: """
            A name begins with its registry's host, as in registry.example:5000/team/app:1; one without comes from the \
            registry that the node was started with (--registry). User and password are those of Docker's config.json \
            (`forkless login`).
            A pull that fails or is interrupted leaves the images as they were.
            """)

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the image's name.")
    var isQuiet = false

    @OptionGroup var platform: PlatformFlags
    @OptionGroup var registry: RegistryFlags
    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: ArgumentHelp("The image's name.", valueName: "image")) var image: String

    func run() async throws {
        let isShown = !isQuiet && output.output == .text
        let pulling = ImagePulling(
            try await node.connect(), plainHosts: registry.plainHosts, platform: try platform.platform(),
            display: isShown ? StandardStreams.output : nil)
        let pulled = try await pulling.pull(image)
        switch output.output {
        case .json: try StandardStreams.write(pulled.json)
        case .text:
            if isShown {
                let news = pulled.isNew ? "Downloaded newer image for" : "Image is up to date for"
                try StandardStreams.write("Digest: \(pulled.digest)\nStatus: \(news) \(pulled.name)\n")
            }
            try StandardStreams.write("\(pulled.name)\n")
        }
    }
}
