import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless ps`
struct PsCommand: Verb {
    static let configuration = CommandConfiguration(commandName: "ps", abstract: "Lists containers, the newest first.")

    @Flag(name: [.customShort("a"), .customLong("all")], help: "Also those that do not run.")
    var all = false

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the ids.")
    var isQuiet = false

    @Flag(name: .customLong("no-trunc"), help: "Whole ids and commands.")
    var isWhole = false

    @Option(name: [.customShort("l"), .customLong("label")], help: ArgumentHelp("Only those with this label.", valueName: "name=value"))
    var labels: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let request = ListContainers(all: all, labels: try LabelFlags.labels(labels))
        let answer = try await node.connect().call(request)
        if isQuiet {
            let ids = answer.containers.map { isWhole ? $0.id : String($0.id.prefix(ContainerListing.shortIDLength)) }
            switch output.output {
            case .json: try StandardStreams.write(ids.json)
            case .text: try StandardStreams.write(ids.map { $0 + "\n" }.joined())
            }
            return
        }
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text:
            let listing = ContainerListing(containers: answer.containers, now: Clock.now(), isWhole: isWhole)
            try StandardStreams.write(listing.listing.text(width: StandardStreams.width))
        }
    }
}
