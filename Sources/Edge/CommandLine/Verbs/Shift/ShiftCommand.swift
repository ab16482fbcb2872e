import ArgumentParser
import ExecDoor
import JSON
import Linux

/// `forkless shift`
struct ShiftCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "shift", abstract: "Shifts the calls of a program to another rung, behind its callers' backs.",
        discussion: """
            A shim takes the program's place by a bind mount, so that callers need not be changed and the program's own file \
            never is. Undoing it is one unmount: `forkless shift rollback PROGRAM`, also without a node, or `umount PROGRAM`. \
            When the node is away, slow or full, the original runs.
            """,
        subcommands: [
            ShiftSetCommand.self, ShiftStatusCommand.self, ShiftPauseCommand.self, ShiftResumeCommand.self,
            ShiftRollbackCommand.self,
            ShiftHistoryCommand.self, ShiftReportCommand.self,
        ],
        defaultSubcommand: ShiftSetCommand.self)
}

/// `forkless shift PROGRAM --to RUNG --mode MODE`
struct ShiftSetCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "set",
        abstract: "Shifts a program, or lets its shift go on in another mode (the default: `forkless shift PROGRAM`).")

    @Argument(help: ArgumentHelp("The program: a path, or a name that PATH leads to.", valueName: "program"))
    var program: String

    @OptionGroup(title: "Shift") var flags: ShiftFlags
    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let spec = try flags.spec(try ShiftedProgram.path(program))
        let answer = try await ShiftDoor(try node.directories()).call("POST", "", spec.json)
        guard output.output == .text else { return try StandardStreams.write(answer) }
        let shift = answer["shift"] ?? .null
        let place = shift["spec", "to"]?.string.map { " to \($0)" } ?? ""
        var text =
            "\(shift["id"]?.string ?? ""): \(spec.program) is in \(ShiftText.stage(shift))\(place); limits: \(spec.limits.text)\n"
        for remark in answer["remarks"]?.array ?? [] { text += "\(remark.string ?? "")\n" }
        try StandardStreams.write(text)
    }
}

/// Programs as they are named on the command line.
enum ShiftedProgram {
    /// An absolute path: of a path as it is, of a name as PATH leads to it.
    static func path(_ name: String) throws -> String {
        guard !name.isEmpty else { throw FlagError("PROGRAM", "", "the value is empty") }
        if name.hasPrefix("/") { return name }
        if name.contains("/") { return (OwnProcess.workingDirectory() ?? "") + "/" + name }
        let places = (OwnProcess.variable("PATH") ?? "/usr/local/bin:/usr/bin:/bin").split(separator: ":")
        guard let found = places.map({ "\($0)/\(name)" }).first(where: Files.isExecutableFile) else {
            throw CommandFailure("find \(name): no directory of PATH has a program of this name. Give its path.")
        }
        return found
    }

    /// For the verbs about a shift that is there: its name, or the path of its program.
    static func shift(_ name: String) -> String {
        name.contains("/") ? ((try? path(name)) ?? name) : name
    }
}
