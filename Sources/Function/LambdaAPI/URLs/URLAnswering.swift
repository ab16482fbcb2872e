internal import Functions
internal import HTTPServing
internal import JSON
internal import Lambda
internal import Metering

/// Turns the outcome of one call into the answer of its HTTP request, whole or streamed. Confined to the exchange's loop.
final class URLAnswering {
    private enum Stream {
        /// Nothing has come.
        case none
        /// The head is still coming.
        case prelude(URLPrelude)
        case body
        /// The answer is given, or broken off.
        case over
    }

    private let exchange: any HTTPExchange
    private let url: FunctionURL
    private let function: DeployedFunction
    private let requestID: String
    private let loop: ServingLoop
    private var stream = Stream.none
    private var isReplayed = false

    init(_ exchange: any HTTPExchange, url: FunctionURL, function: DeployedFunction, requestID: String) {
        self.exchange = exchange
        self.url = url
        self.function = function
        self.requestID = requestID
        loop = exchange.loop
    }

    func begin(_ call: FunctionCall, _ invoker: any Invoker) {
        var call = call
        let bound = LoopBound(self, on: loop)
        if url.mode == .responseStream {
            call.stream = AnswerStream(
                begin: { head in bound.onLoop { $0.begin(head) } },
                part: { bytes in bound.onLoop { $0.send(bytes) } })
        }
        invoker.invoke(call) { outcome in bound.onLoop { $0.end(outcome) } }
    }

    // MARK: Streamed

    private func begin(_ head: AnswerStream.Head) {
        isReplayed = head.isReplayed
        beginStream(head.contentType)
    }

    private func beginStream(_ contentType: String) {
        guard case .none = stream else { return }
        if contentType.hasPrefix(URLPrelude.contentType) {
            stream = .prelude(URLPrelude())
        } else {
            beginBody(
                HTTPResponse(
                    200,
                    headers: HeaderFields([
                        ("Content-Type", contentType.isEmpty ? "application/octet-stream" : contentType)
                    ])))
        }
    }

    private func beginBody(_ head: HTTPResponse) {
        stream = .body
        let head = decorated(head)
        exchange.begin(head.status, headers: head.headers)
    }

    private func send(_ bytes: [UInt8]) {
        switch stream {
        case .none:
            beginStream("")
            send(bytes)
        case .prelude(var prelude):
            do throws(URLAnswer.Failure) {
                let found = try prelude.take(bytes)
                stream = .prelude(prelude)
                guard let (head, rest) = found else { return }
                beginBody(head)
                exchange.send(rest)
            } catch {
                stream = .over
                exchange.respond(unusable(error.sentence))
            }
        case .body: exchange.send(bytes)
        case .over: break
        }
    }

    // MARK: The end

    private func end(_ outcome: InvocationOutcome) {
        switch stream {
        case .over: return
        case .body:
            stream = .over
            // What has been sent cannot be taken back: that it is not complete shows in the connection's end.
            if case .answered(let answer) = outcome, answer.functionError == nil {
                exchange.finish(trailers: HeaderFields())
            } else {
                exchange.abort()
            }
        case .prelude:
            stream = .over
            if case .answered(let answer) = outcome, answer.functionError == nil {
                exchange.respond(unusable("its prelude does not end"))
            } else {
                exchange.respond(whole(outcome))
            }
        case .none:
            stream = .over
            exchange.respond(whole(outcome))
        }
    }

    private func whole(_ outcome: InvocationOutcome) -> HTTPResponse {
        switch outcome {
        case .failed(let failure): return decorated(FunctionURLDoor.refusal(failure, requestID))
        case .answered(let answer):
            isReplayed = answer.isReplayed
            do throws(LambdaFailure) {
                return decorated(try Self.response(answer, of: function, isStream: url.mode == .responseStream))
            } catch { return decorated(FunctionURLDoor.refusal(error, requestID)) }
        }
    }

    /// What a function's answer is over HTTP.
    ///
    /// - Throws: for a function that has failed, whose own words stay in its log, or whose answer is no response.
    static func response(
        _ answer: InvocationAnswer, of function: DeployedFunction, isStream: Bool = false
    ) throws(LambdaFailure) -> HTTPResponse {
        guard answer.functionError == nil else {
            let isLate = answer.call.outcome == .timedOut
            throw LambdaFailure(
                isLate ? "Function.Timedout" : "Function.Unhandled", status: isLate ? 504 : 502,
                isLate ? "The function did not answer in time." : "Internal Server Error")
        }
        if function.runtime == .stdio, function.settings.input == .body {
            let type =
                answer.contentType
                ?? (JSONCheck.isValue(answer.payload) ? "application/json" : "application/octet-stream")
            return HTTPResponse(200, headers: HeaderFields([("Content-Type", type)]), body: answer.payload)
        }
        if isStream {
            let type = answer.contentType ?? "application/json"
            return HTTPResponse(200, headers: HeaderFields([("Content-Type", type)]), body: answer.payload)
        }
        do throws(URLAnswer.Failure) {
            return try URLAnswer.response(answer.payload, contentType: answer.contentType)
        } catch { throw unusable(error.sentence) }
    }

    private static func unusable(_ sentence: String) -> LambdaFailure {
        LambdaFailure("Function.InvalidResponse", status: 502, "The function's answer is no HTTP response: \(sentence).")
    }

    private func unusable(_ sentence: String) -> HTTPResponse {
        decorated(FunctionURLDoor.refusal(Self.unusable(sentence), requestID))
    }

    private func decorated(_ response: HTTPResponse) -> HTTPResponse {
        var response = response
        if let rules = url.cors { URLCORS(rules: rules).apply(to: &response.headers, exchange.request) }
        if isReplayed { response.headers.addReplayed() }
        if response.headers["x-amzn-requestid"] == nil { response.headers.add("x-amzn-RequestId", requestID) }
        return response
    }
}
