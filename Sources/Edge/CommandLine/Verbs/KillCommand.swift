import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless kill`
struct KillCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "kill", abstract: "Sends a signal to the programs of containers.")

    @Option(
        name: [.customShort("s"), .customLong("signal")], help: ArgumentHelp("Which one (default: KILL).", valueName: "signal"))
    var signal: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let number = try signal.map { text throws(FlagError) in try SignalFlag.parse(text, flag: "--signal") } ?? Signal.kill
        let client = try await node.connect()
        try await EachContainer(containers, output.output).report { container in
            try await client.call(KillContainer(container: container, signal: number)).json
        }
    }
}
