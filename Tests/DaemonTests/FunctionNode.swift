import Daemon
import Engine
import HTTPServing
import JSON
import Lambda
import Linux
import Spawn
import TestKit

/// A node with functions in a process of its own, reached through its unix socket.
struct FunctionNode: Sendable {
    let test: TestNode
    private let loops = ServingLoops(count: 1)

    init() throws { test = try TestNode() }

    /// `forkless node`, as it was built with the tests.
    func launch(_ flags: [String] = ["--lambda-listen", "off", "--http-listen", "off"]) async throws -> RunningProgram {
        let executable = try TestNode.forkless()
        var options = Options()
        options.standardInput = .null
        options.standardOutput = .null
        options.group = .own
        let log = SharedFD(try Files.open(test.directory.path("log"), 0o2101, mode: 0o600))
        options.standardError = .descriptor(log.raw)
        let program = try Template(
            .path(executable),
            arguments: ["node", "--state", test.settings.state, "--run", test.settings.run] + flags, options: options
        ).start()
        withExtendedLifetime(log) {}
        try await eventually(within: .seconds(60), "the node serves functions") {
            if let end = try program.exitIfEnded() { throw Unserved(description: "the node \(end.status): \(try said())") }
            // Its own socket comes last.
            guard (try? await call("GET", "/2015-03-31/functions"))?.status == 200 else { return false }
            return (try? await NodeClient.connect(to: test.settings.nodeSocket)) != nil
        }
        return program
    }

    struct Unserved: Error, CustomStringConvertible { var description: String }

    /// What the node has written.
    func said() throws -> String { try Files.readText(test.directory.path("log")) }

    /// One request.
    func call(
        _ method: String, _ target: String, _ body: [UInt8] = [], headers: [(String, String)] = []
    ) async throws -> HTTPResponse {
        try await HTTPCall(to: .unix(test.settings.lambdaSocket), on: loops.loops[0], timeout: .seconds(60))
            .answer(to: HTTPRequest(method: method, target: target, headers: HeaderFields(headers)), body: body)
    }

    /// The same with JSON, which has to succeed.
    @discardableResult
    func call(_ method: String, _ target: String, _ json: JSONValue) async throws -> JSONValue {
        let answer = try await call(method, target, json == .null ? [] : JSONWriter.bytes(json))
        guard (200..<300).contains(answer.status) else {
            throw Unserved(description: "\(method) \(target): \(answer.status) \(String(decoding: answer.body, as: UTF8.self))")
        }
        return answer.body.isEmpty ? .null : try JSONParser.parse(answer.body)
    }

    /// Makes a function of an unchanged program.
    func deploy(_ name: String, program: String, _ more: [String: JSONValue] = [:]) async throws {
        var object = JSONObject()
        object["FunctionName"] = .string(name)
        object["Runtime"] = "forkless.stdio"
        object["Role"] = "arn:aws:iam::000000000000:role/none"
        object["Handler"] = .string(program)
        object["Code"] = ["ZipFile": .string(Self.emptyArchive)]
        for (key, value) in more { object[key] = value }
        try await call("POST", "/2015-03-31/functions", .object(object))
    }

    /// A zip with one empty file, `x`.
    static let emptyArchive =
        "UEsDBBQAAAAAAAAAIQAAAAAAAAAAAAAAAAABAAAAeFBLAQIUAxQAAAAAAAAAIQAAAAAAAAAAAAAAAAABAAAAAAAAAAAAAACkAQAAAAB4UEsFBgAAAAABAAEALwAAAB8AAAAAAA=="

    /// Where it serves the API over TCP, as it tells of a function's code.
    func endpoint() async throws -> String {
        try await deploy("any", program: "cat")
        let answer = try await call("GET", "/2015-03-31/functions/any", .null)
        try await call("DELETE", "/2015-03-31/functions/any", .null)
        guard let url = answer["Code"]?["Location"]?.string else { throw Unserved(description: "a function has no location") }
        return "http://" + url.dropFirst("http://".count).prefix { $0 != "/" }
    }

    func end(_ node: RunningProgram) async throws {
        try node.signal(Signal.terminate)
        _ = try await node.wait()
    }

    func kill(_ node: RunningProgram) async throws {
        try node.signal(Signal.kill)
        _ = try await node.wait()
    }

    /// The keeper goes, and the threads of this client.
    func close() async throws {
        try await test.endKeeper()
        await loops.shutDown()
    }
}
