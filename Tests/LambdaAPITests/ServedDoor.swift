import Catalog
import Functions
import HTTPServing
import JSON
import Lambda
import Linux
import Metering
import Store
import Synchronization
import TestKit

@testable import LambdaAPI

/// Answers calls in place of instances, as the functions of the clients' scripts would.
final class ScriptedInvoker: Invoker {
    typealias Script = @Sendable (FunctionCall) -> InvocationOutcome

    private let script: Script
    private let seen = Mutex<[FunctionCall]>([])

    init(_ script: @escaping Script = { ScriptedInvoker.echo($0) }) { self.script = script }

    var calls: [FunctionCall] { seen.withLock { $0 } }

    func invoke(_ call: FunctionCall, _ done: @escaping @Sendable (InvocationOutcome) -> Void) {
        seen.withLock { $0.append(call) }
        done(script(call))
    }

    static func echo(_ call: FunctionCall) -> InvocationOutcome {
        let event = try? JSONParser.parse(call.payload)
        if let reason = event?["fail"]?.string {
            return failed(call, reason)
        }
        if event?["version"] != nil { return answered(call, Array("\"\(call.function.version)\"".utf8)) }
        if event?["context"] != nil {
            let context = call.clientContext.flatMap { try? JSONParser.parse($0) }
            return answered(call, JSONWriter.bytes(context?["custom"] ?? .null))
        }
        return answered(call, call.payload)
    }

    static func metered(_ call: FunctionCall) -> MeteredCall {
        MeteredCall(
            requestID: call.requestID, function: call.function.name, version: call.function.version,
            invokedARN: call.invokedARN,
            source: call.source, arrivedAt: call.arrivedAt)
    }

    static func answered(_ call: FunctionCall, _ payload: [UInt8]) -> InvocationOutcome {
        let log =
            "START RequestId: \(call.requestID) Version: $LATEST\nEND RequestId: \(call.requestID)\nREPORT RequestId: \(call.requestID)\n"
        return .answered(InvocationAnswer(payload: payload, logTail: Array(log.utf8), call: metered(call)))
    }

    static func failed(
        _ call: FunctionCall, _ reason: String, _ outcome: MeteredCall.Outcome = .functionError("RuntimeError")
    ) -> InvocationOutcome {
        var metered = metered(call)
        metered.outcome = outcome
        let payload = JSONWriter.bytes(["errorMessage": .string(reason), "errorType": "RuntimeError"])
        return .answered(InvocationAnswer(payload: payload, functionError: "Unhandled", call: metered))
    }
}

/// Calls that were taken as asynchronous ones.
final class AcceptedCalls: Sendable {
    private let calls = Mutex<[FunctionCall]>([])

    func note(_ call: FunctionCall) { calls.withLock { $0.append(call) } }
    var all: [FunctionCall] { calls.withLock { $0 } }
}

/// A door and function URLs over a catalogue of its own.
final class ServedDoor: Sendable {
    let directory: TemporaryDirectory
    let loops: ServingLoops
    let catalog: FunctionCatalog
    let invoker: ScriptedInvoker
    let accepted = AcceptedCalls()
    let api: HTTPListener
    let socket: HTTPListener
    let urls: HTTPListener
    private let database: StateDatabase

    static func with<Value>(
        invoker: ScriptedInvoker = ScriptedInvoker(), keys: AccessKeys? = nil, extensions: [any DoorExtension] = [],
        _ body: (ServedDoor) async throws -> Value
    ) async throws -> Value {
        let door = try await ServedDoor(invoker, keys, extensions)
        do {
            let value = try await body(door)
            await door.end()
            return value
        } catch {
            await door.end()
            throw error
        }
    }

    private init(_ invoker: ScriptedInvoker, _ keys: AccessKeys?, _ extensions: [any DoorExtension]) async throws {
        directory = try TemporaryDirectory("door")
        loops = ServingLoops(count: 1)
        self.invoker = invoker
        database = try StateDatabase(path: directory.path("node.db"), migrations: CatalogTables.migrations)
        let python = try await PythonEnvironment.shared()
        let settings = CatalogSettings(architecture: "x86_64", memoryMB: 4096, pythons: [python.runtime])
        catalog = try await FunctionCatalog.open(database, directory: directory.path("functions"), settings: settings)
        var parts = DoorParts(catalog: catalog, invoker: invoker) { [accepted] call, done in
            accepted.note(call)
            done(.success(()))
        }
        parts.keys = keys
        parts.extensions = extensions
        let complete = parts
        let loop = loops.loops[0]
        api = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loop: loop) { LambdaDoor(complete, on: $0) }
        socket = try await HTTPListener.listen(on: .unix(directory.path("lambda.sock")), loop: loop) {
            LambdaDoor(complete, on: $0)
        }
        urls = try await HTTPListener.listen(on: .tcp("127.0.0.1", 0), loop: loop) { FunctionURLDoor(complete, on: $0) }
        let location = "http://\(api.address!)"
        catalog.connect { hooks in hooks.codeLocation = { location + $0 } }
    }

    var endpoint: String { "http://\(api.address!)" }

    private func end() async {
        for listener in [api, socket, urls] { await listener.close(after: .zero) }
        await loops.shutDown()
        await database.close()
    }

    /// Declares a function whose code is never run.
    func declare(_ name: String, runtime: String = "provided.al2023", tags: [String: String] = [:]) async throws {
        let archive = try Files.read(try await Self.archive(in: directory))
        let body: JSONValue = [
            "FunctionName": .string(name), "Runtime": .string(runtime), "Role": "arn:aws:iam::000000000000:role/any",
            "Handler": "bootstrap", "Code": ["ZipFile": .string(Base64.text(archive))],
            "Tags": tags.json,
        ]
        let answer = try await call("POST", "/2015-03-31/functions", JSONWriter.bytes(body))
        guard answer.status == 201 else { throw Problem(text: answer.text) }
    }

    struct Problem: Error { var text: String }

    private static func archive(in directory: TemporaryDirectory) async throws -> String {
        let path = directory.path("code.zip")
        if Files.exists(path) { return path }
        try directory.write("#!/bin/sh\n", to: "code/bootstrap", mode: 0o755)
        let outcome = try await CommandRunner.run(["sh", "-c", "cd \(directory.path)/code && zip -q \(path) bootstrap"])
        guard outcome.status.isSuccess else { throw Problem(text: outcome.errorText) }
        return path
    }

    /// Over the unix socket, which needs no signature.
    func call(_ method: String, _ target: String, _ body: [UInt8] = [], _ headers: [(String, String)] = []) async throws
        -> HTTPResponse
    {
        try await HTTPCall(to: socket.address!, on: loops.loops[0]).answer(
            to: HTTPRequest(method: method, target: target, headers: HeaderFields(headers)), body: body)
    }

    /// Over TCP.
    func callTCP(_ method: String, _ target: String, _ body: [UInt8] = [], _ headers: [(String, String)] = [])
        async throws -> HTTPResponse
    {
        try await HTTPCall(to: api.address!, on: loops.loops[0]).answer(
            to: HTTPRequest(method: method, target: target, headers: HeaderFields(headers)), body: body)
    }

    func callURL(
        _ id: String, _ method: String, _ path: String, _ body: [UInt8] = [], _ headers: [(String, String)] = []
    ) async throws -> HTTPResponse {
        try await HTTPCall(to: urls.address!, on: loops.loops[0]).answer(
            to: HTTPRequest(
                method: method, target: path, headers: HeaderFields([("Host", "\(id).lambda-url.localhost")] + headers)),
            body: body)
    }

    /// Makes a function URL; its id.
    func makeURL(
        _ function: String, _ type: String = "NONE", mode: String = "BUFFERED", isPublic: Bool = true,
        cors: JSONValue? = nil
    ) async throws -> String {
        var config: JSONObject = ["AuthType": .string(type), "InvokeMode": .string(mode)]
        config["Cors"] = cors
        let made = try await call("POST", "/2021-10-31/functions/\(function)/url", JSONWriter.bytes(.object(config)))
        guard made.status == 201 else { throw Problem(text: made.text) }
        if isPublic {
            let permission: JSONValue = [
                "StatementId": "public", "Action": "lambda:InvokeFunctionUrl", "Principal": "*",
                "FunctionUrlAuthType": .string(type),
            ]
            let added = try await call("POST", "/2015-03-31/functions/\(function)/policy", JSONWriter.bytes(permission))
            guard added.status == 201 else { throw Problem(text: added.text) }
        }
        return catalog.functionURLs().first { $0.function == function }!.id
    }
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }
    var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }
}
