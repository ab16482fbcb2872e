import ArgumentParser
import Engine
import JSON

/// `forkless rmi`
struct RmiCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "rmi", abstract: "Removes names of images, and images with their last name.",
        discussion: "An image that a container uses stays; with --force it loses its names and goes with the container.")

    @Flag(name: [.customShort("f"), .customLong("force")], help: "Also one that is in use, or has several names.")
    var force = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The images, by name, digest or id.") var images: [String]

    func run() async throws {
        let client = try await node.connect()
        var answers: [JSONValue] = []
        var hasFailed = false
        for image in images {
            do throws(NodeFailure) {
                let removed = try await client.call(RemoveImage(image: image, force: force))
                answers.append(["image": .string(image), "result": removed.json])
                if output.output == .text { try? StandardStreams.write(RemovalText.lines(removed)) }
            } catch {
                hasFailed = true
                answers.append(["image": .string(image), "error": .string(error.message)])
                StandardStreams.writeError("forkless: \(error)\n")
            }
        }
        if output.output == .json { try StandardStreams.write(.array(answers)) }
        if hasFailed { throw ProgramStatus(code: ExitCodes.verbFailed) }
    }
}

/// What went, as Docker says it.
enum RemovalText {
    static func lines(_ removed: ImagesRemoved) -> String {
        removed.untagged.map { "Untagged: \($0)\n" }.joined() + removed.deleted.map { "Deleted: \($0)\n" }.joined()
    }

    static func reclaimed(_ bytes: Int) -> String { "Total reclaimed space: \(DecimalSize.text(bytes))\n" }
}
