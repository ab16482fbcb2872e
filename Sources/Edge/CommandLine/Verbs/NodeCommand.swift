import ArgumentParser
import Daemon
import Engine
import JSON
import Linux

/// `forkless node`
struct NodeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "node", abstract: "Runs a node: what every verb but `run` and `compare` talks to.",
        discussion: """
            It runs in the foreground until SIGTERM or SIGINT. Containers run on without it, and the next node takes \
            them over.
            """)

    @Flag(name: [.customShort("d"), .customLong("detach")], help: "Return when it serves; it goes on in the background.")
    var isDetached = false

    @Option(
        name: .customLong("keeper"),
        help: ArgumentHelp("The keeper's executable (or FORKLESS_KEEPER); by default beside this one.", valueName: "path"))
    var keeper: String?

    @Option(
        name: .customLong("shim"),
        help: ArgumentHelp(
            "The shim that takes a shifted program's place (or FORKLESS_SHIM); by default forkless-shim beside this one.",
            valueName: "path"))
    var shim: String?

    @Option(
        name: .customLong("function-cluster"),
        help: ArgumentHelp(
            "A cluster whose pods are the copies on the function rung: `run --rung function IMAGE COMMAND` (or FORKLESS_FUNCTION_CLUSTER).",
            valueName: "kubeconfig"))
    var functionCluster: String?

    @Option(
        name: .customLong("history"),
        help: ArgumentHelp(
            "Whether measurements are kept over time, in STATE/history.db (default: on; or FORKLESS_HISTORY).", valueName: "on|off"))
    var history: OnOrOff?

    @OptionGroup(title: "Registries") var registries: NodeRegistryFlags
    @OptionGroup(title: "Functions") var functions: NodeFunctionFlags
    @OptionGroup(title: "Kubernetes") var kubernetes: NodeKubernetesFlags
    @OptionGroup(title: "Log") var log: NodeLogFlags
    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags

    static func blockSignals() throws { try NodeProgram.blockSignals() }

    func run() async throws {
        let directories = try node.directories()
        let keeper = try nonempty(keeper, "--keeper") ?? OwnProcess.variable("FORKLESS_KEEPER").flatMap { $0.isEmpty ? nil : $0 }
        let shim = try nonempty(shim, "--shim") ?? OwnProcess.variable("FORKLESS_SHIM").flatMap { $0.isEmpty ? nil : $0 }
        let settings = NodeSettings(
            state: directories.state, run: directories.run, keeper: keeper, shim: shim, version: Version.number,
            registries: try registries.settings(OwnProcess.variable),
            lambda: try functions.settings(OwnProcess.variable),
            kubernetes: try kubernetes.settings(OwnProcess.variable),
            functionCluster: try nonempty(functionCluster, "--function-cluster")
                ?? OwnProcess.variable("FORKLESS_FUNCTION_CLUSTER").flatMap { $0.isEmpty ? nil : $0 },
            log: log.settings, keepsHistory: try keepsHistory())
        guard isDetached else {
            let format = output.output
            let parts = [
                HTTPPart.maker, MetricsPart.maker, DashboardPart.maker, FunctionPart.maker, LambdaPart.maker, RegistryPart.maker, ImagePart.maker,
                BuildPart.maker, KubernetesPart.maker,
            ]
            return try await NodeProgram.run(settings, parts: parts) { node in
                guard format == .json else { return }
                try? StandardStreams.write(Self.description(pid: OwnProcess.pid, socket: node.settings.nodeSocket), inStream: true)
            }
        }
        // The paths that were found here, since the node in the background starts elsewhere with another environment.
        let absolute = try settings.validated(workingDirectory: OwnProcess.workingDirectory() ?? "/")
        var arguments = ["node", "--state", absolute.state, "--run", absolute.run]
        if let keeper = absolute.keeper { arguments += ["--keeper", keeper] }
        if let shim = absolute.shim { arguments += ["--shim", shim] }
        arguments += NodeRegistryFlags.words(absolute.registries) + NodeFunctionFlags.words(absolute.lambda)
        if let cluster = absolute.functionCluster { arguments += ["--function-cluster", cluster] }
        arguments += NodeKubernetesFlags.words(absolute.kubernetes) + NodeLogFlags.words(absolute.log)
        if !absolute.keepsHistory { arguments += ["--history", "off"] }
        let version = try await NodeProgram.detach(absolute, arguments: arguments)
        switch output.output {
        case .json: try StandardStreams.write(["socket": .string(absolute.nodeSocket), "node": version.json])
        case .text: try StandardStreams.write("node \(version.version) serves at \(absolute.nodeSocket)\n")
        }
    }

    private func keepsHistory() throws(FlagError) -> Bool {
        if let history { return history == .on }
        guard let word = OwnProcess.variable("FORKLESS_HISTORY"), !word.isEmpty else { return true }
        guard let choice = OnOrOff(rawValue: word) else {
            throw FlagError("FORKLESS_HISTORY", word, "neither on nor off", advice: "Write on or off.")
        }
        return choice == .on
    }

    private static func description(pid: Int32, socket: String) -> JSONValue {
        ["pid": pid.json, "socket": .string(socket), "version": .string(Version.number)]
    }
}

/// A choice that is on or off.
enum OnOrOff: String, ExpressibleByArgument, CaseIterable { case on, off }
