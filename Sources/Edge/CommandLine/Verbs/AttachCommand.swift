import ArgumentParser
import Engine
import Linux

/// `forkless attach`
struct AttachCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Takes part in the streams of a running container, to its end.",
        discussion: """
            For containers that were started with -d or on a terminal. The keys of --detach-keys leave one on a terminal \
            to itself. One may be attached at a time: whoever comes next takes over. When the node ends, so does this; \
            the container runs on, and its output goes on into its log.
            """)

    static func blockSignals() throws { try SignalFD.block(ForwardedSignals.all) }

    @Option(
        name: .customLong("detach-keys"),
        help: ArgumentHelp("What leaves the container to itself (default: ctrl-p,ctrl-q).", valueName: "keys"))
    var detachKeys: String?

    @Flag(name: .customLong("no-stdin"), help: "Do not pass your standard input on.")
    var isWithoutInput = false

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The container, by name or id.") var container: String

    func run() async throws {
        let keys = try DetachKeys.parse(detachKeys)
        let client = try await node.connect()
        let foreground = try ForegroundProgram()
        let (container, takesInput) = (container, !isWithoutInput)
        let answer = try await foreground.run {
            let terminal = LentTerminal()
            let streams = Published<AttachedStreams?>(nil)
            do {
                let answer = try await client.stream(AttachContainer(container: container)) { started, descriptors in
                    foreground.runs(.container(container, client, hasTerminal: started.hasTerminal))
                    guard descriptors.count >= 2 else { throw NodeFailure(.protocolError, "the streams did not come") }
                    if started.hasTerminal {
                        try terminal.lend(output: descriptors[0], input: takesInput ? descriptors[1] : nil, keys: keys) {
                            foreground.detach()
                        }
                        if let size = TerminalSession.size() {
                            _ = try await client.call(ResizeContainer(container: container, size: size))
                        }
                    } else {
                        let input = started.hasInput && takesInput ? descriptors.dropFirst(2).first : nil
                        streams.set(try AttachedStreams(output: descriptors[0], errors: descriptors[1], input: input))
                    }
                }
                await streams.value?.untilEnded()
                await terminal.takeBack()
                return answer
            } catch {
                await terminal.takeBack()
                throw error
            }
        }
        try EndReport.leave(answer.end, name: container)
    }
}
