import JSON
package import Linux

/// Where the runtime says what goes wrong: standard error, and the file that a manager named (`--log`).
///
/// containerd's shim and CRI-O read the last line of the file for the reason of a failure; conmon takes standard error.
package struct Report: Sendable {
    /// How lines of the log are written.
    package enum Format: String, Sendable { case text, json }

    /// Severity, by logrus' names.
    package enum Level: String, Sendable { case debug, info, warning, error }

    /// The open log, or nil where everything goes to standard error.
    private let log: SharedFD?
    private let format: Format
    private let includesDebug: Bool

    package init(log: SharedFD? = nil, format: Format = .text, includesDebug: Bool = false) {
        self.log = log
        self.format = format
        self.includesDebug = includesDebug
    }

    /// Opens the log for appending, making it.
    package init(path: String, format: Format, includesDebug: Bool) throws(SystemError) {
        // As runc makes it; the umask takes the rest.
        let file = try Files.open(path, Files.appendFlags & ~Self.noFollow, mode: 0o644)
        self.init(log: SharedFD(file), format: format, includesDebug: includesDebug)
    }

    /// The error that ends the runtime: in the log, and in plain words on standard error.
    package func fatal(_ failure: RuntimeFailure) {
        write(.error, failure.message)
        if log != nil { try? Files.writeAll(Array("\(failure.message)\n".utf8), to: 2) }
    }

    package func warn(_ message: String) { write(.warning, message) }
    package func debug(_ message: String) { if includesDebug { write(.debug, message) } }

    private func write(_ level: Level, _ message: String) {
        let line = Self.line(level, message, format, at: Clock.now())
        // A log that cannot be written must not keep a container from being stopped.
        try? Files.writeAll(line, to: log?.raw ?? 2)
    }

    /// One line, with its newline; pure.
    static func line(_ level: Level, _ message: String, _ format: Format, at time: Timestamp) -> [UInt8] {
        let moment = seconds(time)
        switch format {
        case .json:
            let value: JSONValue = [
                "level": .string(level.rawValue), "msg": .string(message), "time": .string(moment),
            ]
            return JSONWriter.bytes(value) + [10]
        case .text:
            return Array("time=\"\(moment)\" level=\(level.rawValue) msg=\(JSONValue.string(message))\n".utf8)
        }
    }

    /// RFC 3339 without a fraction, as logrus writes it.
    private static func seconds(_ time: Timestamp) -> String { String(time.description.prefix(19)) + "Z" }

    private static let noFollow: CInt = 0o400_000
}
