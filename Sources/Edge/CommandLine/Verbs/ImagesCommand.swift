import ArgumentParser
import Engine
import JSON
import Linux
import OCI

/// `forkless images`
struct ImagesCommand: Verb {
    static let configuration = CommandConfiguration(commandName: "images", abstract: "Lists images, the latest first.")

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the ids.")
    var isQuiet = false

    @Flag(name: .customLong("no-trunc"), help: "Whole ids.")
    var isWhole = false

    @Flag(name: .customLong("digests"), help: "Also the digests of their manifests.")
    var showsDigests = false

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Only these: before, dangling, label, reference, since.", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "Only this repository, or this name with its tag.") var name: String?

    func run() async throws {
        let answer = try await node.connect().call(ListImages(name: name, filters: filters))
        if isQuiet {
            let ids = answer.images.map { isWhole ? $0.id.description : $0.id.short }
            switch output.output {
            case .json: try StandardStreams.write(ids.json)
            case .text: try StandardStreams.write(ids.map { $0 + "\n" }.joined())
            }
            return
        }
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text:
            let listing = ImageListing(
                images: answer.images, now: Clock.now(), showsDigests: showsDigests, isWhole: isWhole)
            try StandardStreams.write(listing.listing.text(width: StandardStreams.width))
        }
    }
}
