import Linux

/// Our own stdin, stdout and stderr.
enum StandardStreams {
    static let input: CInt = 0
    static let output: CInt = 1
    static let errors: CInt = 2

    /// Writes to stdout.
    ///
    /// - Throws: `SystemError`; EPIPE when the reader went away.
    static func write(_ text: String) throws(SystemError) {
        try Files.writeAll(Array(text.utf8), to: output, name: "standard output")
    }

    /// Writes to stderr, as far as that is possible: there is nowhere left to report that it is not.
    static func writeError(_ text: String) {
        try? Files.writeAll(Array(text.utf8), to: errors, name: "standard error")
    }

    /// The width of the terminal behind stdout; what is no terminal gets wide lines.
    static var width: Int {
        guard let size = Terminal.size(of: output), size.columns > 0 else { return 200 }
        return Int(size.columns)
    }

    static func ignoreBrokenPipes() { OwnProcess.ignoreBrokenPipes() }

    /// Says the last words and ends the process.
    static func exit(_ outcome: Outcome) -> Never {
        var status = outcome.status
        if !outcome.output.isEmpty {
            do { try write(outcome.output) } catch {
                // `forkless ... | head` is no failure worth a word.
                if error.code != .brokenPipe { writeError("forkless: \(error)\n") }
                status = max(status, ExitCodes.verbFailed)
            }
        }
        if !outcome.errors.isEmpty { writeError(outcome.errors) }
        OwnProcess.exit(status)
    }
}
