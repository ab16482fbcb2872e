import ArgumentParser
import Dashboard
import Engine
import Linux

/// `forkless dashboard`
struct DashboardCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "dashboard", abstract: "Prints an address that opens the node's dashboard.",
        discussion: """
            The address logs in once, within five minutes. It is one of this machine: from elsewhere use a tunnel, such as \
            ssh -L 7070:127.0.0.1:7070 HOST.

            With --token it prints the token instead, for scripts and for the login page:
            curl -H "Authorization: Bearer $(forkless dashboard --token)" http://127.0.0.1:7070/dashboard
            """)

    @Flag(name: .customLong("token"), help: "Print the token, which is valid until its file is removed.")
    var isToken = false

    @OptionGroup(title: "Node") var node: NodeFlags

    func run() async throws {
        guard !isToken else {
            let state = try node.directories().state
            guard Files.exists(DashboardToken.path(state: state)) else {
                throw NodeFailure(
                    .notFound,
                    "read the dashboard's token: \(DashboardToken.path(state: state)) is not there. A node makes it when it starts with an HTTP "
                        + "address: forkless node.")
            }
            try StandardStreams.write(try DashboardToken.open(state: state).text + "\n")
            return
        }
        try StandardStreams.write(try await node.connect().call(OpenDashboard()).url + "\n")
    }
}
