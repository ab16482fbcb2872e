import Comparison
import Deploying
import HTTPServing
import JSON
import Lambda
import Linux
import Synchronization

// Calls through the Lambda API, and what their answers tell.
extension LambdaRung {
    func invoke(_ input: [UInt8], _ target: String, _ limit: Int) async throws(ComparisonError) -> CallSample {
        // Runtimes of managed languages take JSON alone.
        let event = form.isHandler ? Array("\"\(Base64.text(input))\"".utf8) : input
        let sample = try await HangWatch.shared.limited(nanoseconds: limit) { [self] () throws(ComparisonError) in
            let began = Clock.monotonicNanoseconds()
            let response = try await send(target, event)
            let ended = Clock.monotonicNanoseconds()
            return read(response, began, ended)
        }
        return sample ?? .hanging(limit: limit)
    }

    private func read(_ response: HTTPResponse, _ began: Int, _ ended: Int) -> CallSample {
        let report = Self.report(response)
        largestPeak.withLock { $0 = max($0, report.peakMegabytes ?? 0) }
        // What the call took beside the program's own run with its input: the way there, the choice of an instance, the way back.
        let ran = report.durationMilliseconds.map { Int($0 * 1_000_000) } ?? 0
        var sample = CallSample(
            startNanoseconds: max(0, ended - began - ran), callNanoseconds: ended - began, cpuMicroseconds: nil,
            output: response.body)
        if response.status != 200 || response.headers["x-amz-function-error"] != nil {
            sample.output = []
            sample.failure = Self.fault(response)
        } else if form.isHandler {
            let text = String(decoding: response.body, as: UTF8.self)
            sample.output = Base64.bytes(String(text.dropFirst().dropLast())) ?? response.body
        }
        return sample
    }

    /// An error of the function, by the names that the service gives them.
    private static func fault(_ response: HTTPResponse) -> CallFault {
        let text = String(decoding: response.body.prefix(300), as: UTF8.self)
        guard response.headers["x-amz-function-error"] != nil else { return CallFault(.unreachable, text) }
        let error = try? JSONParser.parse(response.body)
        let (type, message) = (error?["errorType"]?.string ?? "", error?["errorMessage"]?.string ?? text)
        if type.contains("Timedout") || message.contains("Task timed out") { return CallFault(.hang, message) }
        if type.contains("OutOfMemory") || message.contains("signal: killed") {
            return CallFault(.exceededMemory, message)
        }
        return FailureDiagnosis.fault(how: "the function failed", complaint: message)
    }

    @discardableResult
    func ask(_ request: LambdaRequest) async throws(ComparisonError) -> JSONValue {
        do throws(LambdaFailure) { return try await client.call(request) } catch {
            throw ComparisonError(error.sentence)
        }
    }

    /// Sends an event on a connection that is free, so that callers at once do not wait for each other.
    func send(_ target: String, _ input: [UInt8]) async throws(ComparisonError) -> HTTPResponse {
        do throws(HTTPServingFailure) {
            let free = idle.withLock { $0.popLast() }
            let connection: HTTPClientConnection
            if let free {
                connection = free
            } else {
                connection = try await HTTPClientConnection.connect(to: address, on: loops.loops[0])
            }
            let request = HTTPRequest(
                method: "POST", target: target, headers: HeaderFields([("X-Amz-Log-Type", "Tail")]))
            let response = try await connection.answer(to: request, body: input)
            idle.withLock { $0.append(connection) }
            return response
        } catch { throw ComparisonError("\(error)") }
    }

    /// What the REPORT line at the end of the log says.
    static func report(_ response: HTTPResponse) -> (durationMilliseconds: Double?, peakMegabytes: Int?) {
        guard let tail = response.headers["x-amz-log-result"].flatMap({ Base64.bytes($0) }) else { return (nil, nil) }
        let line = String(decoding: tail, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix("REPORT ") } ?? ""
        func field(_ name: String) -> Substring? {
            line.split(separator: "\t").first { $0.hasPrefix(name) }?.dropFirst(name.count).split(separator: " ").first
        }
        return (field("Duration: ").flatMap { Double($0) }, field("Max Memory Used: ").flatMap { Int($0) })
    }
}
