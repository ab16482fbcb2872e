import ArgumentParser

/// The verbs. Each is a file in `Verbs/`.
struct ForklessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forkless",
        abstract: "Runs programs beyond fork and exec: fast, isolated, measured.",
        discussion: """
            A verb that needs a node starts none: `forkless node` does. `forkless run` works without one.
            The status of a mistake in the flags is 125, as with Docker; that of a verb that failed is 1.
            `forkless --generate-completion-script bash|zsh|fish` prints completions for your shell.
            """,
        version: "forkless \(Version.number)",
        groupedSubcommands: [
            CommandGroup(name: "Run", subcommands: [RunCommand.self, CreateCommand.self, StartCommand.self, ExecCommand.self]),
            CommandGroup(
                name: "Container",
                subcommands: [
                    PsCommand.self, LogsCommand.self, StatsCommand.self, InspectCommand.self, EventsCommand.self,
                    WaitCommand.self, StopCommand.self, RestartCommand.self, KillCommand.self, RmCommand.self,
                    PauseCommand.self, UnpauseCommand.self, RenameCommand.self, UpdateCommand.self, TopCommand.self,
                    ContainerCommand.self, AttachCommand.self, CpCommand.self,
                ]),
            CommandGroup(name: "Function", subcommands: [FnCommand.self, LedgerCommand.self]),
            CommandGroup(name: "Volume", subcommands: [VolumeCommand.self]),
            CommandGroup(
                name: "Image",
                subcommands: [
                    BuildCommand.self, ImagesCommand.self, TagCommand.self, RmiCommand.self, HistoryCommand.self,
                    SaveCommand.self, LoadCommand.self, ImportCommand.self, ExportCommand.self, CommitCommand.self,
                    DiffCommand.self, ImageCommand.self, BuilderCommand.self,
                ]),
            CommandGroup(
                name: "Registry",
                subcommands: [PullCommand.self, PushCommand.self, LoginCommand.self, LogoutCommand.self]),
            CommandGroup(name: "Network", subcommands: [NetworkCommand.self, PortCommand.self]),
            CommandGroup(name: "Service", subcommands: [KubeconfigCommand.self, DashboardCommand.self]),
            CommandGroup(name: "Measure", subcommands: [CompareCommand.self, ProbeCommand.self, RecommendCommand.self]),
            CommandGroup(name: "Way up", subcommands: [ObserveCommand.self, PlanCommand.self, PackCommand.self, ShiftCommand.self]),
            CommandGroup(name: "Machine", subcommands: [NodeCommand.self, SystemCommand.self, DoctorCommand.self, VersionCommand.self]),
        ])
}

/// The version of this source.
package enum Version {
    package static let number = "0.1.0"
}
