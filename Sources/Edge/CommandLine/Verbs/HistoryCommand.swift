import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless history`
struct HistoryCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "history", abstract: "Shows how an image came about, the last step first.")

    @Flag(name: .customLong("no-trunc"), help: "Whole ids and commands.")
    var isWhole = false

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the ids.")
    var isQuiet = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The image, by name, digest or id.") var image: String

    func run() async throws {
        let answer = try await node.connect().call(ImageHistory(image: image))
        if output.output == .json { return try StandardStreams.write(answer.json) }
        let listing = HistoryListing(steps: answer, now: Clock.now(), isWhole: isWhole).listing
        if isQuiet { return try StandardStreams.write(listing.rows.map { $0[0] + "\n" }.joined()) }
        try StandardStreams.write(listing.text(width: StandardStreams.width))
    }
}
