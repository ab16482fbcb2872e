package import Catalog
internal import Engine
package import Functions
internal import HTTPServing
internal import Lambda
internal import Linux

/// `GET /forkless/v1/functions/NAME/logs?lines=N&follow=true`: lines of a function's log as it is kept,
/// "TIME STREAM F|P TEXT". `lines` are the last ones that are there; with `follow` those that come, until the client goes.
package struct LogsExtension: DoorExtension {
    package let name = "functions"
    private let catalog: FunctionCatalog
    private let logs: LogThread

    package init(catalog: FunctionCatalog, logs: LogThread) {
        self.catalog = catalog
        self.logs = logs
    }

    package func serve(_ request: DoorRequest) {
        do throws(LambdaFailure) {
            guard request.method == "GET", request.path.count == 2, request.path[1] == "logs" else {
                return request.respondUnknown()
            }
            try request.allowQuery("lines", "follow")
            let lines = try request.number("lines", 0...1_000_000)
            let follows = request.query["follow"] ?? "false"
            guard follows == "true" || follows == "false" else {
                throw .invalidParameter("The parameter follow is 'true' or 'false', not '\(follows.prefix(64))'.")
            }
            let name = try FunctionReference(request.path[0]).name
            let directory = logs.directory(of: name)
            // What a function that was deleted has written can still be read.
            if !Files.exists(directory) { _ = try catalog.resolve(name, chance: 0) }
            send(request, name, directory, lines: lines, follows: follows == "true")
        } catch { request.respond(.failure(error)) }
    }

    private func send(_ request: DoorRequest, _ name: String, _ directory: String, lines: Int?, follows: Bool) {
        let logs = logs
        request.stream(contentType: "text/plain; charset=utf-8") { stream throws(LambdaFailure) in
            do {
                try await BlockingPool.shared.run { () throws(SystemError) in
                    logs.log(of: name).flush()
                    try Files.makeDirectories(directory, mode: 0o700)
                }
                let reader = LogReader(directory: directory, tail: lines)
                let deliver: ([LogLine]) async throws(NodeFailure) -> Void = { lines throws(NodeFailure) in
                    do { try await stream.send(lines.flatMap(\.kept)) } catch {
                        throw NodeFailure(.cancelled, "nobody reads the log any more")
                    }
                }
                if follows {
                    // Whoever has the head of the answer gets every line that is written from then on.
                    let begin = { () async throws(NodeFailure) in
                        do { try await stream.begin() } catch {
                            throw NodeFailure(.cancelled, "nobody reads the log any more")
                        }
                    }
                    try await reader.follow(
                        untilEnded: { try? await Task.sleep(for: .seconds(1 << 40)) }, caughtUp: begin, deliver)
                } else {
                    try await reader.read(deliver)
                }
            } catch { throw .service("The log of \(name) could not be read: \(error)") }
        }
    }
}

extension LogLine {
    /// As it stands in the log.
    fileprivate var kept: [UInt8] {
        time.utf8 + Array(" \(stream.rawValue) \(isComplete ? "F" : "P") ".utf8) + content + [10]
    }
}
