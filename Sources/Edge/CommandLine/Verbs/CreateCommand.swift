import ArgumentParser
import Engine
import JSON

/// `forkless create`
struct CreateCommand: RunsProgram {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a container without starting it.",
        discussion: "The flags are those of `run`. `forkless start` starts it, with its output logged.",
        helpNames: .long)

    @OptionGroup(title: "How it is held") var held: RunFlags
    @OptionGroup(title: "How it is looked after") var life: LifeFlags
    @OptionGroup(title: "The place it runs in") var place: PlaceFlags
    @OptionGroup(title: "Its network") var network: NetworkFlags
    @OptionGroup(title: "Image") var image: ImageFlags
    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("The image and its command, or the program and its arguments.", valueName: "image"))
    var command: [String] = []

    func run() async throws {
        if held.isDetached {
            throw FlagError("-d", nil, "nothing is started here", advice: "Leave it out, or use forkless run -d.")
        }
        var spec = try ProgramWords(command, verb: "create").spec()
        try held.write(to: &spec)
        try life.write(to: &spec, in: .ofThisProcess())
        try place.write(to: &spec, in: .ofThisProcess())
        try network.write(to: &spec)
        let idFile = try IDFile(life.idFile)
        defer { idFile?.removeIfEmpty() }
        let client = try await node.connect()
        let launch = try await ChosenLaunch(spec, place: place, image: image, client)
        do {
            let made = try await launch.providing(client) { try await client.call(CreateContainer(launch.spec)) }
            try idFile?.write(made.id)
            switch output.output {
            case .json: try StandardStreams.write(made.json)
            case .text: try StandardStreams.write(made.id + "\n")
            }
        } catch let failure as NodeFailure {
            throw CommandFailure(failure.message, status: ExitCodes.start(failure))
        }
    }
}
