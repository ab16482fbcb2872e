import ArgumentParser

/// `forkless network`
struct NetworkCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "network", abstract: "Networks of this node and who is in them.",
        subcommands: [
            NetworkCreateCommand.self, NetworkListCommand.self, NetworkInspectCommand.self, NetworkConnectCommand.self,
            NetworkDisconnectCommand.self, NetworkRemoveCommand.self, NetworkPruneCommand.self,
        ])
}
