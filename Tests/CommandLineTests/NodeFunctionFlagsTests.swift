import ArgumentParser
import Daemon
import Testing

@testable import CommandLine

@Suite struct NodeFunctionFlagsTests {
    private func settings(_ arguments: [String], _ variables: [String: String] = [:]) throws -> LambdaSettings {
        try NodeFunctionFlags.parse(arguments).settings { variables[$0] }
    }

    @Test func `without flags the API and function URLs are served at the usual places of this machine alone`() throws {
        let settings = try settings([])
        #expect(settings.api == ListenAddress(host: "127.0.0.1", port: 3001, isAsked: false))
        #expect(settings.http == ListenAddress(host: "127.0.0.1", port: 7070, isAsked: false))
        #expect(settings.accessKeys == nil && settings.prices == nil && settings.region == "us-east-1")
    }

    @Test func `flags come before variables, and off is nowhere`() throws {
        let variables = [
            "FORKLESS_LAMBDA_LISTEN": "127.0.0.1:9", "FORKLESS_HTTP_LISTEN": "off", "FORKLESS_ACCESS_KEYS": "k", "AWS_REGION": "eu-central-1",
        ]
        let settings = try settings(["--lambda-listen", "[::1]:0", "--prices", "book"], variables)
        #expect(settings.api == ListenAddress(host: "::1", port: 0, isAsked: true))
        #expect(settings.http == nil)
        #expect(settings.accessKeys == "k" && settings.prices == "book" && settings.region == "eu-central-1")
    }

    @Test(arguments: ["", "3001", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "::1:3001", "[127.0.0.1]:1", "example.org:80", "127.0.0.1:+1"])
    func `what is no address to listen at is refused`(text: String) {
        #expect(throws: FlagError.self) { try settings(["--lambda-listen", text]) }
    }

    @Test func `a node in the background is told the same`() throws {
        for flags in [[], ["--lambda-listen", "off", "--http-listen", "[::1]:80", "--access-keys", "/k", "--prices", "/p", "--python-runtimes", "/a", "--python-runtimes", "/b"]] {
            let first = try settings(flags)
            #expect(try settings(NodeFunctionFlags.words(first)) == first)
        }
    }

    @Test func `an API that others reach needs keys`() throws {
        func validated(_ flags: [String]) throws -> NodeSettings {
            try NodeSettings(state: "/s", run: "/r", version: "", lambda: try settings(flags)).validated(workingDirectory: "/w")
        }
        let refused = #expect(throws: NodeSettingsError.self) { try validated(["--lambda-listen", "0.0.0.0:3001"]) }
        #expect(refused?.description.contains("--access-keys") == true)
        #expect(try validated(["--lambda-listen", "0.0.0.0:3001", "--access-keys", "k"]).lambda.accessKeys == "/w/k")
        #expect(throws: NodeSettingsError.self) { try validated(["--lambda-listen", "127.0.0.1:7", "--http-listen", "127.0.0.1:7"]) }
    }
}
