import ArgumentParser
import Engine
import Linux

/// `forkless exec`
struct ExecCommand: RunsProgram {
    static let configuration = CommandConfiguration(
        commandName: "exec", abstract: "Runs another program in a running container.")

    @Flag(name: [.customShort("i"), .customLong("interactive")], help: "Connect your standard input; it is empty otherwise.")
    var isInteractive = false

    @Flag(name: [.customShort("t"), .customLong("tty")], help: "Give the program a terminal.")
    var hasTerminal = false

    @Flag(name: [.customShort("d"), .customLong("detach")], help: "Return when it runs; its output goes nowhere.")
    var isDetached = false

    @Option(
        name: .customLong("detach-keys"),
        help: ArgumentHelp("What leaves a program on a terminal to itself (default: ctrl-p,ctrl-q).", valueName: "keys"))
    var detachKeys: String?

    @Option(
        name: [.customShort("e", allowingJoined: true), .customLong("env")], parsing: .unconditionalSingleValue,
        help: ArgumentHelp("Set a variable; a name alone passes your own on.", valueName: "name=value"))
    var environment: [String] = []

    @Option(
        name: [.customShort("w"), .customLong("workdir")],
        help: ArgumentHelp("Start in this directory of the container.", valueName: "directory"))
    var directory: String?

    @Option(
        name: [.customShort("u"), .customLong("user")],
        help: ArgumentHelp("Run as this user, by name or number.", valueName: "user[:group]"))
    var user: String?

    @OptionGroup(title: "Node") var node: NodeFlags

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The container, by name or id, then the program and its arguments.", valueName: "container program"))
    var command: [String] = []

    func run() async throws {
        guard let container = command.first else {
            throw CommandFailure("exec: no container. Write forkless exec CONTAINER PROGRAM", status: ExitCodes.ownFailure)
        }
        let words = try ProgramWords(Array(command.dropFirst()), verb: "exec \(container)")
        let keys = try DetachKeys.parse(detachKeys)
        if hasTerminal, isInteractive, !isDetached, !Terminal.isTerminal(StandardStreams.input) {
            throw FlagError("-it", nil, "standard input is no terminal", advice: "Leave -t out.")
        }
        var request = ExecuteInContainer(container: container, program: words.program, arguments: words.arguments)
        request.environment = try EnvironmentFlags.variables(files: [], flags: environment, own: OwnProcess.variable)
        request.directory = try absolute(directory, "-w")
        request.user = try nonempty(user, "-u")
        do {
            let client = try await node.connect()
            if isDetached {
                if hasTerminal { request.terminalSize = Self.usualSize }
                _ = try await client.call(ExecuteDetached(request))
                return
            }
            try await hasTerminal ? runInTerminal(request, client, keys) : runAttached(request, client)
        } catch let failure as NodeFailure {
            throw CommandFailure(failure.message, status: ExitCodes.start(failure))
        }
    }

    private func runAttached(_ request: ExecuteInContainer, _ client: NodeClient) async throws {
        let foreground = try ForegroundProgram()
        let isInteractive = isInteractive
        let answer = try await foreground.run {
            let streams = try ProgramStreams(isInteractive: isInteractive)
            defer { withExtendedLifetime(streams) {} }
            return try await client.stream(request, descriptors: streams.descriptors) { started, _ in
                foreground.runs(.execution(started.execution, of: request.container, client))
            }
        }
        try EndReport.leave(answer.end, name: request.container)
    }

    private static let usualSize = Terminal.Size(rows: 24, columns: 80)

    private func runInTerminal(_ request: ExecuteInContainer, _ client: NodeClient, _ keys: DetachKeys) async throws {
        var asking = request
        asking.terminalSize = TerminalSession.size() ?? Self.usualSize
        let request = asking
        let foreground = try ForegroundProgram()
        let isInteractive = isInteractive
        let answer = try await foreground.run {
            let terminal = LentTerminal()
            do {
                let answer = try await client.stream(request) { started, descriptors in
                    guard let master = descriptors.first else {
                        throw NodeFailure(.protocolError, "the terminal did not come")
                    }
                    try terminal.lend(output: master, input: isInteractive ? master : nil, keys: keys) {
                        Self.leave(started.execution, terminal: master, client, foreground)
                    }
                    foreground.runs(.execution(started.execution, of: request.container, client, terminal: master))
                }
                await terminal.takeBack()
                return answer
            } catch {
                await terminal.takeBack()
                throw error
            }
        }
        try EndReport.leave(answer.end, name: request.container)
    }
}

extension ExecCommand {
    /// Hands the program's terminal to the node, without which our end would hang it up.
    fileprivate static func leave(
        _ execution: String, terminal: SharedFD, _ client: NodeClient, _ foreground: ForegroundProgram
    ) {
        Task {
            do {
                let request = DetachFromExecution(execution: execution)
                _ = try await client.call(request, descriptors: [terminal.raw])
                withExtendedLifetime(terminal) {}
            } catch { StandardStreams.writeError("forkless: leave the program to itself: \(error)\n") }
            foreground.detach()
        }
    }
}

extension ForegroundProgram.Reach {
    /// A program that `exec` started beside a container's own; its terminal is ours to resize.
    static func execution(
        _ execution: String, of container: String, _ client: NodeClient, terminal: SharedFD? = nil
    ) -> Self {
        var resize: (@Sendable (Terminal.Size) async throws -> Void)?
        if let terminal { resize = { size in try Terminal.setSize(size, of: terminal.raw) } }
        return Self(
            signal: { number in
                _ = try await client.call(KillContainer(container: container, signal: number, execution: execution))
            },
            resize: resize)
    }
}
