import ArgumentParser
import Deploying
import JSON
import Lambda

/// `forkless fn url`
struct FnURLCommand: Verb {
    enum Authentication: String, ExpressibleByArgument, CaseIterable { case none, iam }

    static let configuration = CommandConfiguration(
        commandName: "url", abstract: "Gives a function a URL, and prints it; one that is there is shown, or changed.")

    @Option(name: .customLong("auth"), help: "Who may call it: anybody, or who signs with an access key of the node (default: none).")
    var authentication: Authentication?

    @Flag(name: .customLong("stream"), inversion: .prefixedNo, help: "Pass answers on as they are made.")
    var streams: Bool?

    @Option(name: [.customShort("q"), .customLong("qualifier")], help: ArgumentHelp("An alias.", valueName: "name"))
    var qualifier: String?

    @Flag(name: .customLong("rm"), help: "Take the URL away.")
    var removes = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The function, by name.") var name: String

    func run() async throws {
        let query = try nonempty(qualifier, "--qualifier").map { "Qualifier=\(PathText.encoded($0))" }
        let path = LambdaPaths.url(name) + (query.map { "?\($0)" } ?? "")
        guard !removes || (authentication == nil && streams == nil) else { throw FlagError("--rm", nil, "it takes the URL away: leave the others out") }
        try await withLambda(node) { client in
            if removes {
                _ = try await client.call(LambdaRequest("DELETE", path))
                return try StandardStreams.write(name + "\n")
            }
            var wanted = JSONObject()
            if let authentication { wanted["AuthType"] = authentication == .none ? "NONE" : "AWS_IAM" }
            if let streams { wanted["InvokeMode"] = streams ? "RESPONSE_STREAM" : "BUFFERED" }
            var url: JSONValue
            do throws(LambdaFailure) {
                url = try await client.call(LambdaRequest("GET", path))
                if !wanted.isEmpty {
                    url = try await client.call(LambdaRequest("PUT", path, json: wanted))
                    try await client.admitEverybody(to: name, query: query, url: url)
                }
            } catch {
                guard error.status == 404 else { throw error }
                if wanted["AuthType"] == nil { wanted["AuthType"] = "NONE" }
                url = try await client.call(LambdaRequest("POST", path, json: wanted))
                try await client.admitEverybody(to: name, query: query, url: url)
            }
            switch output.output {
            case .json: try StandardStreams.write(url)
            case .text: try StandardStreams.write((url["FunctionUrl"]?.string ?? "") + "\n")
            }
        }
    }
}
