import ArgumentParser
import Engine
import JSON
import Linux

/// `forkless run`
struct RunCommand: RunsProgram {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Runs an image, or a program of this machine, in a sandbox.",
        discussion: """
            The flags are Docker's where Docker has them; they come before the image or program. A \
            word with a colon, "@" or a slash inside is an image, one that begins with "/", "./" or "../" is a program, \
            and a bare word is what there is of its name; with --root, --overlay or another rung it is a program. The status is the program's \
            own: 125 for Forkless' own errors, 126 for a program that cannot be executed, 127 for one that is not \
            there, 128+n for one that signal n ended. Signals are passed on.
            Without a node the program gets a keeper of its own; -d and the function rung need a node.
            """,
        // -h is the host name, as with Docker.
        helpNames: .long)

    @OptionGroup(title: "How it is held") var held: RunFlags
    @OptionGroup(title: "How it is looked after") var life: LifeFlags
    @OptionGroup(title: "The place it runs in") var place: PlaceFlags
    @OptionGroup(title: "Image") var image: ImageFlags
    @OptionGroup(title: "Its network") var network: NetworkFlags
    @Option(name: .customLong("output"), help: ArgumentHelp("With -d: how to write what was started.", valueName: "format"))
    var output: OutputFormat?

    @Option(
        name: .customLong("detach-keys"),
        help: ArgumentHelp("What leaves a program on a terminal to itself (default: ctrl-p,ctrl-q).", valueName: "keys"))
    var detachKeys: String?

    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(
        parsing: .captureForPassthrough, help: ArgumentHelp("The image and its command, or the program and its arguments.", valueName: "image"))
    var command: [String] = []

    func run() async throws {
        let spec = try spec()
        let idFile = try IDFile(life.idFile)
        defer { idFile?.removeIfEmpty() }
        do {
            if held.isDetached {
                let client = try await node.connect()
                return try await detach(try await ChosenLaunch(spec, place: place, image: image, client), client, idFile)
            }
            if spec.rung == .function {
                return try await call(try await ChosenLaunch(spec, place: place, image: image, nil).spec)
            }
            let client = try await clientIfNodeRuns()
            let launch = try await ChosenLaunch(spec, place: place, image: image, client)
            guard let client else { return try await runWithoutNode(launch, idFile) }
            try await runInForeground(launch, client, idFile)
        } catch let failure as NodeFailure {
            throw CommandFailure(failure.message, status: ExitCodes.start(failure))
        }
    }

    private func spec() throws -> ContainerSpec {
        var spec = try ProgramWords(command, verb: "run").spec()
        try held.write(to: &spec)
        try life.write(to: &spec, in: .ofThisProcess())
        try place.write(to: &spec, in: .ofThisProcess())
        try network.write(to: &spec)
        if let output, !held.isDetached {
            throw FlagError("--output", output.rawValue, "what is written is the program's", advice: "It goes with -d.")
        }
        if spec.hasTerminal, spec.isInteractive, !held.isDetached, !Terminal.isTerminal(StandardStreams.input) {
            throw FlagError("-it", nil, "standard input is no terminal", advice: "Leave -t out.")
        }
        _ = try DetachKeys.parse(detachKeys)
        if spec.rung == .function, spec.hasTerminal {
            throw FlagError("--rung", "function", "a function has no terminal", advice: "Leave -t out.")
        }
        return spec
    }

    private func detach(_ launch: ChosenLaunch, _ client: NodeClient, _ idFile: IDFile?) async throws {
        let answer = try await launch.providing(client) {
            try await client.call(RunContainer(launch.spec, attachment: .detached, waits: false))
        }
        try idFile?.write(answer.started.id)
        switch output ?? .text {
        case .json: try StandardStreams.write(answer.started.json)
        case .text: try StandardStreams.write(answer.started.id + "\n")
        }
    }

    /// nil when no node listens; one that does and cannot be reached is an error.
    private func clientIfNodeRuns() async throws -> NodeClient? {
        let socket = try node.directories().nodeSocket
        do throws(NodeFailure) { return try await NodeClient.connect(to: socket) } catch {
            guard error.kind == .unavailable, !Files.exists(socket) || Files.isWritable(socket) else { throw error }
            return nil
        }
    }

    /// With a keeper of our own, which ends with us; so does the container.
    private func runWithoutNode(_ launch: ChosenLaunch, _ idFile: IDFile?) async throws {
        if let image = launch.spec.image {
            throw NodeFailure(
                .unavailable, "the image \"\(image.name)\" needs a node, and none runs: start one with \"forkless node\"")
        }
        guard launch.spec.restart == .no else {
            throw FlagError(
                "--restart", "\(launch.spec.restart)", "no node runs that could start it again", advice: Self.nodeAdvice)
        }
        var launch = launch
        launch.spec.removesOnExit = true
        let own = try await OwnEngine.start()
        do { try await runInForeground(launch, own.client, idFile) } catch {
            await own.end()
            throw error
        }
    }

    private static let nodeAdvice = "Start one: forkless node --detach."

    /// Ends by throwing the program's status.
    private func runInForeground(_ launch: ChosenLaunch, _ client: NodeClient, _ idFile: IDFile?) async throws {
        try await launch.spec.hasTerminal ? runInTerminal(launch, client, idFile) : runAttached(launch, client, idFile)
    }

    private func runAttached(_ launch: ChosenLaunch, _ client: NodeClient, _ idFile: IDFile?) async throws {
        let foreground = try ForegroundProgram()
        let isInteractive = launch.spec.isInteractive
        let answer = try await foreground.run {
            let streams = try ProgramStreams(isInteractive: isInteractive)
            defer { withExtendedLifetime(streams) {} }
            let request = RunContainer(launch.spec, attachment: .passed, waits: true)
            return try await launch.providing(client) {
                try await client.stream(request, descriptors: streams.descriptors) { started, _ in
                    try idFile?.write(started.id)
                    foreground.runs(.container(started.id, client))
                }
            }
        }
        try leave(answer)
    }

    private func runInTerminal(_ launch: ChosenLaunch, _ client: NodeClient, _ idFile: IDFile?) async throws {
        let foreground = try ForegroundProgram()
        let spec = launch.spec
        let keys = try DetachKeys.parse(detachKeys)
        let answer = try await foreground.run {
            let terminal = LentTerminal()
            let request = RunContainer(
                spec, attachment: .terminal, terminalSize: TerminalSession.size(), waits: true)
            do {
                let answer = try await launch.providing(client) {
                    try await client.stream(request) { started, descriptors in
                        try idFile?.write(started.id)
                        guard descriptors.count == 2 else { throw NodeFailure(.protocolError, "the terminal did not come") }
                        let input = spec.isInteractive ? descriptors[1] : nil
                        try terminal.lend(output: descriptors[0], input: input, keys: keys) { foreground.detach() }
                        foreground.runs(.container(started.id, client, hasTerminal: true))
                    }
                }
                await terminal.takeBack()
                return answer
            } catch {
                await terminal.takeBack()
                throw error
            }
        }
        try leave(answer)
    }

    private func leave(_ answer: RunAnswer) throws {
        guard let end = answer.end else { throw NodeFailure(.protocolError, "the node did not say how the program ended") }
        try EndReport.leave(end, name: answer.started.name)
    }

    /// The function rung: a standby takes the call.
    private func call(_ spec: ContainerSpec) async throws {
        let client = try await node.connect()
        let foreground = try ForegroundProgram()
        let answer = try await foreground.run {
            let streams = try ProgramStreams(isInteractive: spec.isInteractive)
            defer { withExtendedLifetime(streams) {} }
            return try await client.call(CallFunction(spec), descriptors: streams.descriptors)
        }
        try EndReport.leave(answer.end, name: spec.program)
    }
}

extension ForegroundProgram.Reach {
    /// A container's own program.
    static func container(_ id: String, _ client: NodeClient, hasTerminal: Bool = false) -> Self {
        var resize: (@Sendable (Terminal.Size) async throws -> Void)?
        if hasTerminal {
            resize = { size in _ = try await client.call(ResizeContainer(container: id, size: size)) }
        }
        return Self(
            signal: { number in _ = try await client.call(KillContainer(container: id, signal: number)) }, resize: resize)
    }
}

extension FlagSurroundings {
    /// Those of this process.
    static func ofThisProcess() throws -> FlagSurroundings {
        guard let directory = OwnProcess.workingDirectory() else {
            throw CommandFailure(
                "find the working directory: it was removed. Change to one that exists", status: ExitCodes.ownFailure)
        }
        return FlagSurroundings(
            workingDirectory: directory, variable: OwnProcess.variable,
            readFile: { path throws(SystemError) in String(decoding: try Files.read(path, limit: 1 << 20), as: UTF8.self) })
    }
}
