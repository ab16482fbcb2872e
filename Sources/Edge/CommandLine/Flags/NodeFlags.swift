import ArgumentParser
import Engine
import JSON
import Linux

/// Which node a verb talks to.
struct NodeFlags: ParsableArguments {
    @Option(
        name: .customLong("state"),
        help: ArgumentHelp("Where the node keeps what lasts (or FORKLESS_STATE).", valueName: "dir"))
    var state: String?

    @Option(
        name: .customLong("run"), help: ArgumentHelp("Where its sockets are (or FORKLESS_RUN).", valueName: "dir"))
    var run: String?

    /// The directories that flags, environment and user make.
    func directories() throws(FlagError) -> NodeDirectories {
        try NodeDirectories(
            state: state, run: run, isRoot: OwnProcess.effectiveUser == 0, variable: OwnProcess.variable)
    }

    /// Connects to the node.
    ///
    /// - Throws: `FlagError`; `NodeFailure` of kind `unavailable` when none answers.
    func connect() async throws -> NodeClient { try await NodeClient.connect(to: try directories().nodeSocket) }
}

/// Where a node keeps what lasts and where it listens.
struct NodeDirectories: Hashable {
    var state: String
    var run: String

    var nodeSocket: String { run + "/node.sock" }
    /// Where the node serves the Lambda API to its own machine.
    var lambdaSocket: String { run + "/lambda.sock" }

    /// The defaults are the machine's for root, and the XDG base directories for everybody else.
    init(state: String?, run: String?, isRoot: Bool, variable: (String) -> String?) throws(FlagError) {
        func choose(
            _ flag: String, _ value: String?, _ own: String, _ machine: String, _ base: String, _ fallback: String
        ) throws(FlagError) -> String {
            if let value {
                guard !value.isEmpty else { throw FlagError(flag, "", "the value is empty") }
                return value
            }
            // An empty variable counts as unset, as the XDG specification has it for its own.
            if let value = variable(own), !value.isEmpty { return value }
            if isRoot { return machine }
            if let value = variable(base), value.hasPrefix("/") { return value + "/forkless" }
            guard let home = variable("HOME"), home.hasPrefix("/") else {
                throw FlagError(
                    flag, nil, "no default: neither \(base) nor HOME is set", advice: "Give \(flag) DIR, or set \(own).")
            }
            return home + fallback
        }
        self.state = try choose(
            "--state", state, "FORKLESS_STATE", "/var/lib/forkless", "XDG_DATA_HOME", "/.local/share/forkless")
        self.run = try choose(
            "--run", run, "FORKLESS_RUN", "/run/forkless", "XDG_RUNTIME_DIR", "/.local/state/forkless/run")
    }
}

/// How a verb's answer is written.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people: tables as wide as the terminal.
    case text
    /// For programs: the node's own JSON.
    case json
}

struct OutputFlags: ParsableArguments {
    @Option(name: .customLong("output"), help: ArgumentHelp("How to write the answer.", valueName: "format"))
    var output = OutputFormat.text
}

extension StandardStreams {
    /// Writes a value as JSON: on its own over several lines, in a stream on one.
    static func write(_ json: JSONValue, inStream: Bool = false) throws(SystemError) {
        try write(JSONWriter.text(json, inStream ? .compact : .indented(2)) + "\n")
    }
}
