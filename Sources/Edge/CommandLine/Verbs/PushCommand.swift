import ArgumentParser
import Engine
import JSON
import OCI

/// `forkless push`
struct PushCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "push", abstract: "Sends an image to the registry of its name.",
        discussion: """
            `forkless tag IMAGE HOST/NAME:TAG` gives an image such a name. User and password are those of Docker's \
            config.json (`forkless login`).
            """)

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the image's name.")
    var isQuiet = false

    @OptionGroup var registry: RegistryFlags
    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: ArgumentHelp("The image's name.", valueName: "image")) var image: String

    func run() async throws {
        let isShown = !isQuiet && output.output == .text
        let client = try await node.connect()
        let reference = try ImageWord.reference(image)
        let access = try await RegistryCredentials.access(to: reference, registry.plainHosts, client)
        let display = isShown ? TransferDisplay(.push, on: StandardStreams.output) : nil
        display?.say("The push refers to repository [\(reference.repository)]")
        let pushed = try await TransferDisplay.during(display) {
            try await client.stream(PushImage(reference, access: access)) { progress, _ in display?.take(progress) }
        }
        switch output.output {
        case .json: try StandardStreams.write(pushed.json)
        case .text:
            try StandardStreams.write(
                isShown
                    ? "\(pushed.name.tag ?? ""): digest: \(pushed.digest) size: \(pushed.size)\n" : "\(pushed.name)\n")
        }
    }
}
