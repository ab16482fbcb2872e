import ArgumentParser
import Deploying
import JSON
import Linux

/// `forkless fn logs`
struct FnLogsCommand: Verb {
    static let configuration = CommandConfiguration(
        commandName: "logs", abstract: "Shows what a function's instances wrote, with START, END and REPORT of each call.")

    @Flag(name: [.customShort("f"), .customLong("follow")], help: "Go on as more is written, until interrupted.")
    var follow = false

    @Option(name: [.customShort("n"), .customLong("tail")], help: ArgumentHelp("Only the last lines.", valueName: "number|all"))
    var tail: String?

    @Flag(name: [.customShort("t"), .customLong("timestamps")], help: "Put the time before every line.")
    var showsTimes = false

    @OptionGroup var output: OutputFlags
    @OptionGroup(title: "Node") var node: NodeFlags
    @Argument(help: "The function, by name.") var name: String

    func run() async throws {
        var query: [(String, String)] = []
        if let tail, let lines = try TailFlag.parse(tail) { query.append(("lines", "\(lines)")) }
        if follow { query.append(("follow", "true")) }
        let request = LambdaRequest.page("functions/\(PathText.encoded(name))/logs", query)
        var lines = FunctionLogLines(format: output.output, showsTimes: showsTimes)
        try await withLambda(node) { client in
            try await client.stream(request) { part in
                try Files.writeAll(lines.take(part), to: StandardStreams.output, name: "standard output")
            }
            try Files.writeAll(lines.end(), to: StandardStreams.output, name: "standard output")
        }
    }
}

/// Lines of a log as it is kept, "TIME STREAM F|P TEXT", turned into what is shown. P is a part of a line, whose rest
/// follows.
struct FunctionLogLines {
    var format: OutputFormat
    var showsTimes: Bool
    private var waiting: [UInt8] = []
    private var isInLine = false

    init(format: OutputFormat, showsTimes: Bool) {
        self.format = format
        self.showsTimes = showsTimes
    }

    /// What is to be written for these bytes of the log; a line that has not ended waits.
    mutating func take(_ part: [UInt8]) -> [UInt8] {
        waiting += part
        guard let end = waiting.lastIndex(of: UInt8(ascii: "\n")) else { return [] }
        let whole = waiting[..<end]
        waiting = Array(waiting[(end + 1)...])
        return whole.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).flatMap { shown($0) }
    }

    /// What is left when nothing more comes.
    mutating func end() -> [UInt8] {
        defer { waiting = [] }
        return waiting.isEmpty ? [] : shown(waiting[...])
    }

    private mutating func shown(_ line: ArraySlice<UInt8>) -> [UInt8] {
        let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count >= 3, ["F", "P"].contains(String(decoding: fields[2], as: UTF8.self)) else { return Array(line) + [10] }
        let text = fields.count > 3 ? Array(fields[3]) : []
        let isWhole = fields[2].first == UInt8(ascii: "F")
        if format == .json {
            let object: JSONValue = [
                "time": .string(String(decoding: fields[0], as: UTF8.self)), "stream": .string(String(decoding: fields[1], as: UTF8.self)),
                "text": .string(String(decoding: text, as: UTF8.self)), "isComplete": .bool(isWhole),
            ]
            return JSONWriter.bytes(object) + [10]
        }
        let time = showsTimes && !isInLine ? Array(fields[0]) + [32] : []
        isInLine = !isWhole
        return time + text + (isWhole ? [10] : [])
    }
}
