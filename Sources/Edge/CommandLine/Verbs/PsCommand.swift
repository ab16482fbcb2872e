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

    @Option(name: .customLong("label"), help: ArgumentHelp("Only those with this label.", valueName: "name=value"))
    var labels: [String] = []

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only these: id, name, label, status, exited, ancestor, before, since, volume, network, health, publish.",
            valueName: "key=value"))
    var filters: [String] = []

    @Option(name: [.customShort("n"), .customLong("last")], help: ArgumentHelp("Only the newest, whatever their state.", valueName: "number"))
    var last: String?

    @Flag(name: [.customShort("l"), .customLong("latest")], help: "Only the newest, whatever its state.")
    var isLatest = false

    @Flag(name: [.customShort("s"), .customLong("size")], help: "Also what each takes on the disk beyond its image.")
    var showsSizes = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        var request = ListContainers(all: all, labels: try LabelFlags.labels(labels), filters: filters, sizes: showsSizes)
        if let last {
            guard let number = Int(last), number >= 0 else {
                throw FlagError("--last", last, "not a number", advice: "Write how many to show.")
            }
            request.limit = number
        }
        if isLatest { request.limit = 1 }
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
            let listing = ContainerListing(containers: answer.containers, now: Clock.now(), isWhole: isWhole, showsSizes: showsSizes)
            try StandardStreams.write(listing.listing.text(width: StandardStreams.width))
        }
    }
}
