import ArgumentParser
import JSON

/// `forkless version`
struct VersionCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "version", abstract: "Shows the version of this program and of the node that answers.")

    func run() async throws {
        try StandardStreams.write("forkless \(Version.number)\n")
    }
}
