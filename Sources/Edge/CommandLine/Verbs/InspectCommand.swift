import ArgumentParser
import Engine
import JSON

/// `forkless inspect`
struct InspectCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Shows everything about containers and images, as JSON.",
        discussion: """
            The answer is a list in the order of the arguments, as with Docker, in either output format. A name that a \
            container has means the container.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable { case container, image }

    @Option(name: .customLong("type"), help: ArgumentHelp("Only what is of this type: container or image.", valueName: "type"))
    var type: Kind?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "Containers or images, by name or id.") var names: [String]

    func run() async throws {
        let client = try await node.connect()
        var details: [JSONValue] = []
        for name in names { details.append(try await inspect(name, client)) }
        try StandardStreams.write(.array(details))
    }

    private func inspect(_ name: String, _ client: NodeClient) async throws(NodeFailure) -> JSONValue {
        if type != .image {
            do throws(NodeFailure) { return try await client.call(InspectContainer(container: name)).json } catch {
                guard error.kind == .notFound, type == nil else { throw error }
            }
        }
        do throws(NodeFailure) { return try await client.call(InspectImage(image: name)).json } catch {
            guard error.kind == .noImage, type == nil else { throw error }
            throw NodeFailure(.notFound, "there is no container and no image \"\(name)\"")
        }
    }
}
