import Deploying
import HTTPServing
import JSON
import Lambda

/// The Lambda API of a node and what Forkless serves beside it, at the node's own socket: what `forkless fn` and
/// `forkless ledger` speak.
final class LambdaClient: LambdaCaller {
    private let socket: String
    private let loops = ServingLoops(count: 1)

    init(_ directories: NodeDirectories) { socket = directories.lambdaSocket }

    private var caller: HTTPCall { HTTPCall(to: .unix(socket), on: loops.loops[0]) }

    /// The answer as it came, whatever its status.
    func response(to request: LambdaRequest) async throws(LambdaFailure) -> HTTPResponse {
        do throws(HTTPServingFailure) {
            return try await caller.answer(to: Self.head(request), body: request.body)
        } catch { throw unreachable(error) }
    }

    func call(_ request: LambdaRequest) async throws(LambdaFailure) -> JSONValue {
        let response = try await response(to: request)
        guard (200..<300).contains(response.status) else { throw Self.failure(response.status, response.headers, response.body) }
        guard !response.body.isEmpty else { return .null }
        do throws(JSONError) { return try JSONParser.parse(response.body) } catch {
            throw .service("the node's answer to \(request.method) \(request.target) is not JSON: \(error)")
        }
    }

    /// The whole body of an answer, whatever it is.
    func bytes(_ request: LambdaRequest) async throws(LambdaFailure) -> [UInt8] {
        let response = try await response(to: request)
        guard (200..<300).contains(response.status) else { throw Self.failure(response.status, response.headers, response.body) }
        return response.body
    }

    /// Hands over an answer part by part, as it comes.
    func stream(_ request: LambdaRequest, _ part: ([UInt8]) throws -> Void) async throws {
        let answer: HTTPStreamedAnswer
        do throws(HTTPServingFailure) { answer = try await caller.stream(Self.head(request), body: request.body) } catch {
            throw unreachable(error)
        }
        guard (200..<300).contains(answer.status) else {
            var body: [UInt8] = []
            var parts = answer.makeAsyncIterator()
            while body.count < 1 << 16, let bytes = try await next(&parts) { body += bytes }
            throw Self.failure(answer.status, answer.headers, body)
        }
        var parts = answer.makeAsyncIterator()
        while let bytes = try await next(&parts) { try part(bytes) }
    }

    private func next(_ parts: inout HTTPStreamedAnswer.Iterator) async throws(LambdaFailure) -> [UInt8]? {
        do throws(HTTPServingFailure) { return try await parts.next() } catch { throw unreachable(error) }
    }

    /// All entries of a list that comes in pages.
    func list(_ target: String, _ member: String) async throws(LambdaFailure) -> [JSONValue] {
        var entries: [JSONValue] = []
        var marker: String?
        repeat {
            let sign = target.contains("?") ? "&" : "?"
            let page = try await call(LambdaRequest("GET", target + (marker.map { "\(sign)Marker=\(PathText.encoded($0))" } ?? "")))
            entries += page[member]?.array ?? []
            marker = page["NextMarker"]?.string
        } while marker != nil && marker != ""
        return entries
    }

    private static func head(_ request: LambdaRequest) -> HTTPRequest {
        HTTPRequest(
            method: request.method, target: request.target,
            headers: HeaderFields(request.headers.map { ($0.name, $0.value) }))
    }

    /// The API's error: its name in a header, or, as SQS has it, in the body.
    static func failure(_ status: Int, _ headers: HeaderFields, _ body: [UInt8]) -> LambdaFailure {
        let json = try? JSONParser.parse(body)
        let name = headers["x-amzn-ErrorType"] ?? json?["__type"]?.string?.split(separator: "#").last.map(String.init)
        let message = json?["Message"]?.string ?? json?["message"]?.string
        return LambdaFailure(
            name.map { String($0.prefix { $0 != ":" }) } ?? "HTTP \(status)", status: status,
            message ?? String(decoding: body.prefix(300), as: UTF8.self), reason: json?["Reason"]?.string)
    }

    private func unreachable(_ failure: HTTPServingFailure) -> LambdaFailure {
        guard failure.kind == .unreachable else { return LambdaFailure("NodeFailure", status: 503, failure.sentence) }
        return LambdaFailure(
            "NoNode", status: 503,
            "no node serves functions at \(socket). Start one: \"forkless node\", or \"forkless node --detach\" in the background.")
    }
}

extension LambdaRequest {
    /// A question for what only Forkless has: a page below /forkless/v1/.
    static func page(_ page: String, _ query: [(String, String)] = []) -> LambdaRequest {
        let words = query.map { "\($0.0)=\(PathText.encoded($0.1))" }.joined(separator: "&")
        return LambdaRequest("GET", "/forkless/v1/\(page)" + (words.isEmpty ? "" : "?" + words))
    }
}

extension LambdaFailure {
    /// For people: the sentence, and the API's name for what can be looked up in its documentation.
    var sentence: String { name == "NoNode" || name == "NodeFailure" ? message : "\(message) (\(name))" }
}

/// Runs what asks a node's Lambda API, and words its failures.
func withLambda<Value>(_ node: NodeFlags, _ body: (LambdaClient) async throws -> Value) async throws -> Value {
    try await withLambda(try node.directories(), body)
}

func withLambda<Value>(_ directories: NodeDirectories, _ body: (LambdaClient) async throws -> Value) async throws -> Value {
    let client = LambdaClient(directories)
    do { return try await body(client) } catch let failure as LambdaFailure {
        throw CommandFailure(failure.sentence)
    } catch let failure as DeploymentFailure {
        throw CommandFailure(failure.cause.map { "deploy \(failure.what): \($0.sentence)" } ?? failure.description)
    } catch let failure as TemplateFailure {
        throw CommandFailure("the template: \(failure)")
    }
}
