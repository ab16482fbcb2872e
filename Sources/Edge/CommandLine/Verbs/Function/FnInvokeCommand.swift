import ArgumentParser
import Deploying
import HTTPServing
import JSON
import Linux

/// `forkless fn invoke`
struct FnInvokeCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "invoke", abstract: "Calls a function and prints its answer.",
        discussion: """
            forkless fn invoke scorer --payload '{"amount": 5}'
            forkless fn invoke count --payload @letter.txt
            forkless fn invoke booking --payload - --async < event.json

            An error of the function goes to stderr, and the status is 1.
            """)

    @Option(
        name: [.customShort("p"), .customLong("payload")], parsing: .unconditional,
        help: ArgumentHelp("The event: a text, @FILE, or - for standard input.", valueName: "text|@file|-"))
    var payload: String?

    @Flag(name: .customLong("async"), help: "Return when the event is on the disk; the function runs later.")
    var isAsynchronous = false

    @Option(name: [.customShort("q"), .customLong("qualifier")], help: ArgumentHelp("A version or an alias.", valueName: "name"))
    var qualifier: String?

    @Flag(name: .customLong("tail"), help: "Show the end of the log on stderr.")
    var showsLog = false

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp("A key for functions deployed with --key sdk: the same again gets the first answer.", valueName: "text"))
    var key: String?

    @Option(
        name: .customLong("header"),
        help: ArgumentHelp("A header of the request, for keys, orders and deadlines.", valueName: "name=value"))
    var headers: [String] = []

    @Flag(name: .customLong("raw"), help: "Print exactly the bytes of the answer, without a newline of our own.")
    var isRaw = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The function, by name or ARN.") var name: String

    func run() async throws {
        let request = try await request()
        try await withLambda(node) { client in
            let response = try await client.response(to: request)
            guard (200..<300).contains(response.status) else {
                throw LambdaClient.failure(response.status, response.headers, response.body)
            }
            if showsLog, let log = response.headers["x-amz-log-result"].flatMap({ Base64.bytes($0) }) {
                StandardStreams.writeError(String(decoding: log, as: UTF8.self))
            }
            try write(response)
        }
    }

    private func request() async throws -> LambdaRequest {
        var target = LambdaPaths.function(name, "/invocations")
        if let qualifier = try nonempty(qualifier, "--qualifier") { target += "?Qualifier=\(PathText.encoded(qualifier))" }
        var fields: [(name: String, value: String)] = []
        if isAsynchronous { fields.append(("X-Amz-Invocation-Type", "Event")) }
        if showsLog { fields.append(("X-Amz-Log-Type", "Tail")) }
        if let key = try nonempty(key, "--key") { fields.append(("amz-sdk-invocation-id", key)) }
        for pair in try NameValueFlag.pairs(headers, flag: "--header").sorted(by: { $0.key < $1.key }) { fields.append((pair.key, pair.value)) }
        return LambdaRequest("POST", target, headers: fields, body: try await body())
    }

    private func body() async throws -> [UInt8] {
        // One byte more than the most that any call takes: the node says which limit it is.
        let limit = 20 << 20
        guard let payload else { return [] }
        if payload == "-" {
            return try await BlockingPool.shared.run { () throws(SystemError) in
                try Files.readAll(StandardStreams.input, limit: limit, name: "standard input")
            }
        }
        guard payload.hasPrefix("@") else { return Array(payload.utf8) }
        let path = String(payload.dropFirst())
        return try await BlockingPool.shared.run { () throws(SystemError) in try Files.read(path, limit: limit) }
    }

    private func write(_ response: HTTPResponse) throws {
        let error = response.headers["x-amz-function-error"]
        if output.output == .json {
            try StandardStreams.write(Self.json(response))
        } else if error == nil {
            var bytes = response.body
            if !isRaw, !bytes.isEmpty, bytes.last != UInt8(ascii: "\n") { bytes.append(UInt8(ascii: "\n")) }
            try Files.writeAll(bytes, to: StandardStreams.output, name: "standard output")
        }
        guard let error else { return }
        guard output.output == .text else { throw ProgramStatus(code: ExitCodes.verbFailed) }
        throw CommandFailure("the function \(name) failed (\(error)): \(String(decoding: response.body, as: UTF8.self))")
    }

    private static func json(_ response: HTTPResponse) -> JSONValue {
        var object: JSONObject = ["StatusCode": .integer(Int64(response.status))]
        for (field, name) in [
            ("x-amz-function-error", "FunctionError"), ("x-amz-executed-version", "ExecutedVersion"), ("x-amzn-requestid", "RequestId"),
        ] { if let value = response.headers[field] { object[name] = .string(value) } }
        let payload = (try? JSONParser.parse(response.body)) ?? .string(String(decoding: response.body, as: UTF8.self))
        if !response.body.isEmpty { object["Payload"] = payload }
        return .object(object)
    }
}
