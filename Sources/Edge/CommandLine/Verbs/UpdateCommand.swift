import ArgumentParser
import Engine
import JSON

/// `forkless update`
struct UpdateCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "update", abstract: "Changes the limits and the restart policy of containers, at once where they run.",
        discussion: """
            A limit of a kind that a container was started without may need a start to take hold, where the machine's \\
            cgroups do not let it be added; the answer says so, and nothing is changed then.
            """)

    @Option(name: [.customShort("m"), .customLong("memory")], help: ArgumentHelp("The most memory; 0: no limit.", valueName: "bytes"))
    var memory: String?

    @Option(name: .customLong("cpus"), help: ArgumentHelp("The most processors, 1.5 for example; 0: no limit.", valueName: "number"))
    var cpus: String?

    @Option(
        name: [.customShort("c"), .customLong("cpu-shares")],
        help: ArgumentHelp("The weight against other containers (everybody's: 1024).", valueName: "number"))
    var cpuShares: String?

    @Option(name: .customLong("cpuset-cpus"), help: ArgumentHelp("The processors to use: 0-3,7.", valueName: "list"))
    var cpuset: String?

    @Option(name: .customLong("pids-limit"), help: ArgumentHelp("The most processes; -1: no limit.", valueName: "number"))
    var pidsLimit: String?

    @Option(
        name: .customLong("restart"),
        help: ArgumentHelp("no, on-failure[:MAX], always or unless-stopped.", valueName: "policy"))
    var restart: String?

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The containers, by name or id.") var containers: [String]

    func run() async throws {
        let wanted = try request()
        let client = try await node.connect()
        try await EachContainer(containers, output.output).report { container in
            var request = wanted
            request.container = container
            return try await client.call(request).json
        }
    }

    private func request() throws(FlagError) -> UpdateContainer {
        var request = UpdateContainer(container: "")
        if let memory { request.memoryBytes = try ByteAmount.parse(memory, flag: "--memory") }
        if let cpus { request.milliCPUs = cpus == "0" ? 0 : try CPUAmount.parse(cpus, flag: "--cpus") }
        if let cpuShares {
            guard let shares = Int(cpuShares), shares >= 0 else {
                throw FlagError("--cpu-shares", cpuShares, "not a weight", advice: "Write a number, 1024 for example.")
            }
            request.cpuShares = shares
        }
        if let cpuset { request.cpus = CPUSetFlag.list(try CPUSetFlag.parse(cpuset)) }
        if let pidsLimit {
            guard let number = Int(pidsLimit), number >= -1 else {
                throw FlagError("--pids-limit", pidsLimit, "not a number", advice: "Write a number, or -1 for no limit.")
            }
            request.pidsLimit = max(number, 0)
        }
        if let restart { request.restart = try RestartFlag.parse(restart).description }
        guard request != UpdateContainer(container: "") else {
            throw FlagError("update", nil, "you must provide one or more flags", advice: "--memory, --cpus, --restart ...")
        }
        return request
    }
}
