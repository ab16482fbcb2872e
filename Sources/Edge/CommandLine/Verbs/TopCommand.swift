import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless top`
struct TopCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Lists the processes of a running container.",
        discussion: "The columns are those of Docker's `ps -ef`; pids and users are the machine's. Nothing runs inside for it.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The container, by name or id.") var container: String

    func run() async throws {
        let answer = try await node.connect().call(TopContainer(container: container))
        switch output.output {
        case .json: try StandardStreams.write(answer.json)
        case .text:
            let listing = ProcessListing(processes: answer.processes, now: Clock.now())
            try StandardStreams.write(listing.listing.text(width: StandardStreams.width))
        }
    }
}
