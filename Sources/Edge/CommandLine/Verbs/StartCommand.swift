import ArgumentParser
import Engine
import JSON

/// `forkless start`
struct StartCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "start", abstract: "Starts containers that were created or have ended; their output is logged.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let client = try await node.connect()
        try await EachContainer(containers, output.output).report { container in
            try await client.call(StartContainer(container: container)).json
        }
    }
}

/// `forkless restart`
struct RestartCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "restart", abstract: "Stops containers as `stop` does and starts them again.")

    @Option(
        name: [.customShort("t"), .customLong("time")],
        help: ArgumentHelp("Seconds to wait before SIGKILL (default: the container's).", valueName: "seconds"))
    var timeout: String?

    @Option(name: [.customShort("s"), .customLong("signal")], help: ArgumentHelp("What to send first.", valueName: "signal"))
    var signal: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let seconds = try timeout.map { text throws(FlagError) in try SecondsFlag.parse(text, flag: "--time") }
        let number = try signal.map { text throws(FlagError) in try SignalFlag.parse(text, flag: "--signal") }
        let client = try await node.connect()
        try await EachContainer(containers, output.output).report { container in
            // One that does not run is only started, as with Docker.
            if try await client.call(InspectContainer(container: container)).summary.phase.isActive {
                _ = try await client.call(StopContainer(container: container, timeoutSeconds: seconds, signal: number))
            }
            return try await client.call(StartContainer(container: container)).json
        }
    }
}
