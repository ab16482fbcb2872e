import ArgumentParser
import Engine
import OCI

/// `forkless tag`
struct TagCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "tag", abstract: "Gives an image one more name.",
        discussion: "A name without a tag gets \":latest\". Another image that has the name loses it.")

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The image, by name, digest or id.") var image: String
    @Argument(help: "The name it gets.") var name: String

    func run() async throws {
        let name = try ImageNames.reference(name)
        _ = try await node.connect().call(TagImage(image: image, name: name))
    }
}

/// Names of images as they are written on the command line.
enum ImageNames {
    /// - Throws: `ReferenceError`, a sentence that says what is wrong with it.
    static func reference(_ text: String) throws(ReferenceError) -> Reference { try Reference(text) }
}
