import ArgumentParser
import Engine
import JSON

/// `forkless wait`
struct WaitCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Waits until containers have ended and prints their exit statuses.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let client = try await node.connect()
        var ends: [JSONValue] = []
        // One after the other is as fast as at once: the last end is what is waited for.
        for container in containers {
            let end = try await client.call(WaitForContainer(container: container))
            switch output.output {
            case .json: ends.append(["container": .string(container), "end": end.json])
            case .text: try StandardStreams.write((end.exitStatus.map { "\($0)" } ?? "unknown") + "\n")
            }
        }
        if output.output == .json { try StandardStreams.write(.array(ends)) }
    }
}
