import ArgumentParser
import Engine
import JSON

/// `forkless stop`
struct StopCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "stop", abstract: "Asks programs to end, and kills them with all their children when they do not.")

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
            try await client.call(StopContainer(container: container, timeoutSeconds: seconds, signal: number)).json
        }
    }
}

/// One request for each of several containers, many at once: a failure of one keeps none of the others from its own.
struct EachContainer {
    var containers: [String]
    var format: OutputFormat

    /// Fewer than the requests that a node takes at once on one connection.
    private static let atOnce = 64

    init(_ containers: [String], _ format: OutputFormat) {
        self.containers = containers
        self.format = format
    }

    /// Writes each container's name once its request has succeeded, in the order given; failures go to stderr.
    ///
    /// - Throws: `ProgramStatus` 1 when one has failed.
    func report(_ request: @escaping @Sendable (String) async throws -> JSONValue) async throws {
        let results = await results(of: request)
        var answers: [JSONValue] = []
        var hasFailed = false
        for (container, result) in zip(containers, results) {
            switch result {
            case .success(let answer):
                answers.append(["container": .string(container), "result": answer])
                if format == .text { try StandardStreams.write(container + "\n") }
            case .failure(let error):
                hasFailed = true
                answers.append(["container": .string(container), "error": .string("\(error)")])
                StandardStreams.writeError("forkless: \(error)\n")
            }
        }
        if format == .json { try StandardStreams.write(.array(answers)) }
        if hasFailed { throw ProgramStatus(code: ExitCodes.verbFailed) }
    }

    /// The results of a request for each container, many asked for at once, in the order of the containers.
    private func results(
        of request: @escaping @Sendable (String) async throws -> JSONValue
    ) async -> [Result<JSONValue, any Error>] {
        var results: [Result<JSONValue, any Error>] = []
        for first in stride(from: 0, to: containers.count, by: Self.atOnce) {
            let some = containers[first..<min(first + Self.atOnce, containers.count)]
            let tasks = some.map { container in Task { try await request(container) } }
            for task in tasks { results.append(await task.result) }
        }
        return results
    }
}
