import ArgumentParser
import Engine
import JSON

/// `forkless version`
struct VersionCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Shows the versions of this program and of the node, if one answers.")

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let answer = try await nodeVersion()
        switch output.output {
        case .json:
            try StandardStreams.write(["forkless": .string(Version.number), "node": answer?.json ?? .null])
        case .text:
            try StandardStreams.write("forkless \(Version.number)\n")
            try StandardStreams.write(answer.map { "node     \($0.version), API \($0.api)\n" } ?? "node     none answers\n")
        }
    }

    /// nil when no node runs, which is no error here.
    private func nodeVersion() async throws -> NodeVersion? {
        do { return try await node.connect().call(GetVersion()) } catch let failure as NodeFailure
            where failure.kind == .unavailable { return nil }
    }
}
