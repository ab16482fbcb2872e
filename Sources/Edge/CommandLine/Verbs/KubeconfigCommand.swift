import ArgumentParser
import Engine

/// `forkless kubeconfig`
struct KubeconfigCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "kubeconfig", abstract: "Writes a kubeconfig for the node's Kubernetes API.",
        discussion: """
            forkless kubeconfig > forkless.kubeconfig
            KUBECONFIG=forkless.kubeconfig kubectl get nodes

            It holds a new client certificate. Without --user it may do everything; another user may do what roles \
            that are bound to the name or its groups allow.
            """)

    @Option(help: ArgumentHelp("The user's name (default: an administrator).", valueName: "name"))
    var user: String?

    @Option(
        name: .customLong("group"), parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A group that the user is in; can be given again.", valueName: "name"))
    var groups: [String] = []

    @Option(help: ArgumentHelp("How long it is valid.", valueName: "span"))
    var valid = "365d"

    @Option(
        help: ArgumentHelp(
            "Where the API is reached, when that is not where the node listens.", valueName: "https://host:port"))
    var server: String?

    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        let span = try DurationFlag.parse(valid, flag: "--valid")
        guard user != "" else { throw FlagError("--user", "", "the value is empty") }
        guard groups.isEmpty || user != nil else {
            throw FlagError("--group", groups[0], "groups are those of a user", advice: "Give --user as well.")
        }
        let request = MakeKubeconfig(
            user: user ?? "kubernetes-admin", groups: user == nil ? ["system:masters"] : groups,
            seconds: Int(span.components.seconds), server: server)
        try StandardStreams.write(try await node.connect().call(request).text)
    }
}
