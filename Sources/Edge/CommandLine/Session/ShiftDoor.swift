import Deploying
import HTTPServing
import JSON
import Lambda
import Linux

/// The node's shifts, as it serves them at RUN/lambda.sock below /forkless/v1/shifts.
struct ShiftDoor {
    private let socket: String
    private let client: LambdaClient

    init(_ directories: NodeDirectories) {
        socket = directories.lambdaSocket
        client = LambdaClient(directories)
    }

    /// Whether a node serves there.
    var isThere: Bool { get async { (try? await call("GET", "", .null)) != nil } }

    /// One request below /forkless/v1/shifts.
    ///
    /// - Throws: `CommandFailure` with the node's sentence when it refuses or does not answer.
    func call(_ method: String, _ path: String, _ body: JSONValue = .null, query: [(String, String)] = []) async throws
        -> JSONValue
    {
        var request = LambdaRequest.page("shifts\(path)", query)
        request.method = method
        request.headers = [("Content-Type", "application/json")]
        request.body = body.isNull ? [] : JSONWriter.bytes(body)
        let answer: HTTPResponse
        do throws(LambdaFailure) { answer = try await client.response(to: request) } catch {
            guard error.name == "NoNode" else { throw CommandFailure("ask the node about shifts: \(error.sentence)") }
            throw NoNode(socket: socket)
        }
        let json = try? JSONParser.parse(answer.body)
        guard answer.status == 200, let json else {
            throw CommandFailure(
                json?["Message"]?.string ?? "ask the node about shifts: it answered with status \(answer.status)")
        }
        return json
    }

    /// A shift's name or path as a part of the target.
    static func path(_ shift: String, _ verb: String? = nil) -> String {
        "/" + PathText.encoded(shift) + (verb.map { "/\($0)" } ?? "")
    }

    /// No node answers.
    struct NoNode: Error, CustomStringConvertible {
        var socket: String

        var description: String {
            "ask the node about shifts: no node serves at \(socket). Start one with `forkless node`, or name its --run."
        }
    }
}
