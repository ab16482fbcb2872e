import ArgumentParser

/// `forkless fn`: functions, for people without a tool of AWS.
struct FnCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fn", abstract: "Deploys, invokes and looks after functions.",
        discussion: """
            These verbs speak the Lambda API, as `aws lambda --endpoint-url http://127.0.0.1:3001` and boto3 do: whatever \
            one of them makes, the others see.
            """,
        subcommands: [
            FnDeployCommand.self, FnInvokeCommand.self, FnListCommand.self, FnLogsCommand.self, FnScaleCommand.self,
            FnURLCommand.self, FnReportCommand.self, FnPublishCommand.self, FnAliasCommand.self, FnRemoveCommand.self,
        ])
}
