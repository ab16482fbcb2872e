package import ArgumentParser
import Linux

/// The verbs. Each is a file in `Verbs/`.
package struct ForklessCommand: AsyncParsableCommand {
    package static let configuration = CommandConfiguration(
        commandName: "forkless",
        abstract: "Runs programs beyond fork and exec: fast, isolated, measured.",
        discussion: """
            A verb that needs a node starts none: `forkless node` does. `forkless run` works without one.
            Forkless' own errors have status 125, and 1 for verbs that run no program.
            """,
        version: "forkless \(Version.number)",
        groupedSubcommands: [
            CommandGroup(name: "Machine", subcommands: [VersionCommand.self]),
        ])

    package init() {}
}

/// The version of this source.
package enum Version {
    package static let number = "0.1.0"
}
