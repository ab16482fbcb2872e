import ArgumentParser
import Engine
import Linux
import OCI

/// `forkless build`
struct BuildCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "build", abstract: "Builds an image from a Dockerfile.",
        discussion: """
            Programs of RUN run in sandboxes; what a step gives is kept and used again as long as everything that it \
            can see is the same. With SOURCE_DATE_EPOCH in the environment, or as a build argument, the same files give \
            the same image.
            An instruction or flag that is not supported is an error that names its line.
            """)

    @Option(
        name: [.customShort("t"), .customLong("tag")],
        help: ArgumentHelp("A name for the image; can be given again.", valueName: "name[:tag]"))
    var tags: [String] = []

    @Option(
        name: [.customShort("f"), .customLong("file")],
        help: ArgumentHelp("The Dockerfile (default: CONTEXT/Dockerfile; \"-\": standard input).", valueName: "path"))
    var file: String?

    @Option(
        name: .customLong("build-arg"),
        help: ArgumentHelp("A value for an ARG; a name alone takes our own variable.", valueName: "name[=value]"))
    var buildArguments: [String] = []

    @Option(help: ArgumentHelp("The stage to build (default: the last).", valueName: "stage"))
    var target: String?

    @Flag(name: .customLong("no-cache"), help: "Do every step again.")
    var ignoresCache = false

    @Option(name: .customLong("label"), help: ArgumentHelp("A label of the image.", valueName: "name[=value]"))
    var labels: [String] = []

    @Option(help: ArgumentHelp("What programs of RUN reach: default, none or host.", valueName: "network"))
    var network = BuildImage.Network.standard

    @Flag(name: .customLong("pull"), help: "Pull the images that it begins from, also those that are here.")
    var pulls = false

    @Option(name: .customLong("iidfile"), help: ArgumentHelp("Write the image's id to a file.", valueName: "path"))
    var idFile: String?

    @Flag(name: [.customShort("q"), .customLong("quiet")], help: "Only the image's id, on standard output.")
    var isQuiet = false

    @Option(help: ArgumentHelp("How to show the build: auto, plain or tty.", valueName: "form"))
    var progress = ProgressForm.auto

    @OptionGroup var platform: PlatformFlags
    @OptionGroup var registry: RegistryFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: ArgumentHelp("A directory, or \"-\": a tar archive or a Dockerfile on standard input.", valueName: "context"))
    var context: String

    enum ProgressForm: String, ExpressibleByArgument, CaseIterable { case auto, plain, tty }

    func run() async throws {
        let request = try self.request()
        let (context, file) = (context, file)
        // Standard input may keep it waiting.
        let sent = try await BlockingPool.shared.run { () throws(SystemError) in
            Result { try BuildContext.open(context, file: file) }
        }.get()
        var recipe = request.recipe
        (recipe.context, recipe.file, recipe.ignoreFile) = (sent.kind, sent.file, sent.ignoreFile)
        var build = request
        build.recipe = recipe
        let client = try await node.connect()
        let descriptors = sent.descriptors.map(\.raw)
        try await pull(client, recipe, descriptors)
        let built = try await show { display in
            try await client.stream(build, descriptors: descriptors) { progress, _ in display?.take(progress) }
        }
        withExtendedLifetime(sent) {}
        if let idFile { try Files.replace(idFile, with: Array("\(built.id)".utf8), mode: 0o644) }
        guard !isQuiet else { return try StandardStreams.write("\(built.id)\n") }
        StandardStreams.writeError("image \(built.id)\n" + built.names.map { "named \($0)\n" }.joined())
    }

    private func request() throws -> BuildImage {
        let arguments = try EnvironmentFlags.variables(files: [], flags: buildArguments, own: OwnProcess.variable)
        var named: [String: String] = [:]
        for argument in arguments {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            named[String(parts[0])] = String(parts[1])
        }
        let recipe = BuildRecipe(
            context: .none, file: "", target: target, arguments: named, platform: try platform.platform())
        return BuildImage(
            recipe, tags: try tags.map { try tag($0) }, labels: try LabelFlags.labels(labels), usesCache: !ignoresCache,
            network: network, epoch: try epoch())
    }

    private func tag(_ text: String) throws -> Reference {
        let reference = try ImageWord.reference(text)
        guard reference.digest == nil else {
            throw CommandFailure("--tag \(text): a name with a digest comes from a registry only", status: ExitCodes.ownFailure)
        }
        return reference
    }

    /// https://reproducible-builds.org/specs/source-date-epoch
    private func epoch() throws -> Int? {
        guard let text = OwnProcess.variable("SOURCE_DATE_EPOCH"), !text.isEmpty else { return nil }
        guard let epoch = Int(text), (0...253_402_300_799).contains(epoch) else {
            throw CommandFailure("SOURCE_DATE_EPOCH=\(text): expected seconds since 1970")
        }
        return epoch
    }

    /// Gets the images that it begins from.
    private func pull(_ client: NodeClient, _ recipe: BuildRecipe, _ descriptors: [CInt]) async throws {
        let list = try await client.call(ListBuildImages(recipe), descriptors: descriptors)
        let pulling = ImagePulling(
            client, plainHosts: registry.plainHosts, platform: try platform.platform(),
            display: isQuiet ? nil : StandardStreams.errors)
        for image in pulls ? list.images : list.missing { try await pulling.pull(image) }
    }

    private func show<Value>(_ body: (BuildDisplay?) async throws -> Value) async throws -> Value {
        guard !isQuiet else { return try await body(nil) }
        let isTerminal =
            switch progress {
            case .auto: Terminal.isTerminal(StandardStreams.errors)
            case .plain: false
            case .tty: true
            }
        let display = BuildDisplay(on: StandardStreams.errors, isTerminal: isTerminal)
        return try await BuildDisplay.during(display) { try await body(display) }
    }
}

extension BuildImage.Network: ExpressibleByArgument {}
