import ArgumentParser
import Daemon
import NodeLogs

extension LogFormat: ExpressibleByArgument {}
extension LogLevel: ExpressibleByArgument {}

/// How a node writes its log.
struct NodeLogFlags: ParsableArguments {
    @Option(
        name: .customLong("log-format"),
        help: ArgumentHelp("How the node's log is written on standard error.", valueName: "form"))
    var format = LogFormat.text

    @Option(
        name: .customLong("log-level"),
        help: ArgumentHelp("What is less is not written; debug writes a line for each call.", valueName: "level"))
    var level = LogLevel.info

    @Flag(name: .customLong("log-calls"), help: "Write a line for each call at any level, with its request id and trace id.")
    var logsCalls = false

    var settings: NodeLogSettings { NodeLogSettings(format: format, level: level, logsCalls: logsCalls) }

    /// The words that make these settings again.
    static func words(_ settings: NodeLogSettings) -> [String] {
        var words: [String] = []
        if settings.format != .text { words += ["--log-format", settings.format.rawValue] }
        if settings.level != .info { words += ["--log-level", settings.level.rawValue] }
        if settings.logsCalls { words.append("--log-calls") }
        return words
    }
}
