import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless logs`
struct LogsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Shows what a container wrote: its stdout on stdout, its stderr on stderr.")

    @Flag(name: [.customShort("f"), .customLong("follow")], help: "Go on until the program has ended.")
    var follow = false

    @Option(name: [.customShort("n"), .customLong("tail")], help: ArgumentHelp("Only the last lines.", valueName: "number|all"))
    var tail: String?

    @Option(
        name: .customLong("since"),
        help: ArgumentHelp("Only lines since a time (RFC 3339), or since so long ago (30s, 10m, 2h).", valueName: "time"))
    var since: String?

    @Flag(name: [.customShort("t"), .customLong("timestamps")], help: "Put the time before every line.")
    var showsTimes = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The container, by name or id.") var container: String

    func run() async throws {
        var request = ReadLogs(container: container, follow: follow)
        if let tail { request.tail = try TailFlag.parse(tail) }
        if let since { request.since = try TimeFlag.parse(since, flag: "--since", now: Clock.now()) }
        let format = output.output
        var text = LogText(showsTimes: showsTimes)
        _ = try await node.connect().stream(request) { item, _ in
            for line in item.lines {
                switch format {
                case .json: try StandardStreams.write(line.json, inStream: true)
                case .text:
                    let fd = line.stream == .stdout ? StandardStreams.output : StandardStreams.errors
                    try Files.writeAll(text.bytes(of: line), to: fd, name: "standard output")
                }
            }
        }
    }
}
