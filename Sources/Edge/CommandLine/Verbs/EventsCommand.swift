import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless events`
struct EventsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Shows what happens on the node as it happens, until interrupted.",
        discussion: """
            Docker's types, actions and attributes. The node keeps about a thousand events of the past, \
            which --since asks for; they end with it.
            """)

    @Option(
        name: .customLong("since"),
        help: ArgumentHelp("Also what happened since a time (RFC 3339, or 10m ago).", valueName: "time"))
    var since: String?

    @Option(name: .customLong("until"), help: ArgumentHelp("Only until a time; then end.", valueName: "time"))
    var until: String?

    @Option(
        name: [.customShort("f"), .customLong("filter")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "Only these: type, event, container, image, label, volume, network.", valueName: "key=value"))
    var filters: [String] = []

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let now = Clock.now()
        let request = ReadEvents(
            since: try since.map { text throws(FlagError) in try TimeFlag.parse(text, flag: "--since", now: now) },
            until: try until.map { text throws(FlagError) in try TimeFlag.parse(text, flag: "--until", now: now) },
            filters: filters)
        let format = output.output
        _ = try await node.connect().stream(request) { event, _ in
            switch format {
            case .json: try StandardStreams.write(event.json, inStream: true)
            case .text: try StandardStreams.write(EventText.line(event) + "\n")
            }
        }
    }
}
