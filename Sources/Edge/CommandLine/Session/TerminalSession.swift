import Linux

/// Our terminal lent to a program behind a pseudo-terminal: every key goes there, everything it writes comes here.
///
/// The two directions have a thread each, since both ends may block: a program that does not read must not keep
/// us from showing what it writes.
///
/// Invariants
/// 1. The terminal has its settings back when `end` has returned. (test: `a terminal works, is resized, and is as it was after -it`)
/// 2. Output that was written before the program ended is shown. (test: `a terminal shows everything the program wrote`)
final class TerminalSession: Sendable {
    /// How long after the program's end its output may take to arrive: something it started can keep the terminal
    /// open for ever.
    private static let lastWordsMilliseconds = 500

    private let settings: Terminal.Settings?
    private let output: SharedFD
    private let stopped: SharedFD
    private let outputEnd: AsyncStream<Void>

    /// The size of our terminal; nil when stdin and stdout are none.
    static func size() -> Terminal.Size? { Terminal.size(of: StandardStreams.input) ?? Terminal.size(of: StandardStreams.output) }

    /// Starts to relay.
    ///
    /// - Parameters:
    ///   - output: what the program writes is read from it.
    ///   - input: what is typed is written to it; nil: standard input is not read.
    ///   - keys: what leaves the program to itself; `leave` is called once when they were pressed.
    init(
        output: SharedFD, input: SharedFD?, keys: DetachKeys, leave: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        var pipe = try Files.pipe()
        let stop = SharedFD(pipe.takeReader())
        stopped = SharedFD(pipe.takeWriter())
        self.output = output
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        outputEnd = stream
        let takesKeys = input != nil && Terminal.isTerminal(StandardStreams.input)
        settings = takesKeys ? try Terminal.makeRaw(StandardStreams.input) : nil
        do throws(SystemError) {
            try HelperThread.start("forkless-output") {
                Self.relayOutput(from: output, until: stop)
                continuation.finish()
            }
            let stopped = stopped
            if let input {
                try HelperThread.start("forkless-input") {
                    guard Self.relayInput(to: input, keys) else { return }
                    try? Files.writeAll([Self.atOnce], to: stopped.raw, name: "the relay")
                    leave()
                }
            }
        } catch {
            if let settings { Terminal.restore(settings, of: StandardStreams.input) }
            throw error
        }
    }

    /// The program has ended: shows its last words and gives the terminal back.
    func end() async {
        // One byte tells the thread that from now on silence is the end.
        try? Files.writeAll([Self.afterSilence], to: stopped.raw, name: "the relay")
        for await _ in outputEnd {}
        if let settings { Terminal.restore(settings, of: StandardStreams.input) }
    }

    /// What the output's thread is told: to end when nothing comes any more, or now.
    private static let afterSilence: UInt8 = 0
    private static let atOnce: UInt8 = 1

    private static func relayOutput(from output: SharedFD, until stop: SharedFD) {
        guard let poll = try? Poll(), (try? poll.add(output.raw, .readable, token: 0)) != nil,
            (try? poll.add(stop.raw, .readable, token: 1)) != nil
        else { return }
        var events: [Poll.Event] = []
        var timeout: CInt = -1
        while true {
            guard (try? poll.wait(timeoutMilliseconds: timeout, into: &events)) != nil, !events.isEmpty else { return }
            if events.contains(where: { $0.token == 1 }) {
                if (try? Files.readSome(stop.raw, count: 1)) == [atOnce] { return }
                timeout = CInt(lastWordsMilliseconds)
                poll.remove(stop.raw)
            }
            guard events.contains(where: { $0.token == 0 }) else { continue }
            // EIO is how a pseudo-terminal says that nobody has its other end any more.
            do throws(SystemError) {
                let bytes = try Files.readSome(output.raw, count: 65536)
                if bytes.isEmpty { return }
                try PatientWriter.write(bytes, to: StandardStreams.output)
            } catch where error.code == .again { continue } catch { return }
        }
    }

    /// True when the keys that leave were pressed.
    private static func relayInput(to input: SharedFD, _ keys: DetachKeys) -> Bool {
        var keys = keys
        while let bytes = try? Files.readSome(StandardStreams.input, count: 4096), !bytes.isEmpty {
            let (passed, isDetached) = keys.take(bytes)
            guard (try? PatientWriter.write(passed, to: input.raw)) != nil else { return false }
            if isDetached { return true }
        }
        return false
    }
}

/// Writes everything to a descriptor that may be non-blocking because somebody who shares it wants it so. For
/// threads of our own: it waits.
enum PatientWriter {
    static func write(_ bytes: [UInt8], to fd: CInt) throws(SystemError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            do throws(SystemError) { rest = rest.dropFirst(try Files.writeSome(rest, to: fd)) } catch
                where error.code == .again { try waitForRoom(in: fd) }
        }
    }

    private static func waitForRoom(in fd: CInt) throws(SystemError) {
        let poll = try Poll()
        try poll.add(fd, .writable, token: 0)
        var events: [Poll.Event] = []
        try poll.wait(into: &events)
    }
}
