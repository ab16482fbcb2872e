import Linux

/// The output of one program on its way into the log and, while somebody is attached, to them; for a terminal
/// also their input on its way to the program.
///
/// Invariants
/// 1. While an attached reader is behind, its program is not read: it waits, nobody else does.
///    (test: `an attached reader that stops reading holds the program up, not the keeper`)
/// 2. The program's end waits for no reader: the log gets what is left at once, a slow reader gets it in its own time.
///    (test: `a reader that is slow gets every byte after the program's end`)
final class ProgramStreams {
    private let loop: EventLoop
    private var log: LogWriter
    private let output: OutputChannel
    private let error: OutputChannel
    /// The terminal's master; nil: two pipes.
    private let terminal: SharedFD?
    private var input: TerminalInput?
    /// Called once, when no more output can come.
    private var onFinished: (() -> Void)?

    /// Most bytes read at once from one program before the others get their turn.
    private static let chunkBytes = 64 << 10
    /// Most that is read after the end: more than the largest pipe holds, and no flood of somebody who got away.
    private static let drainChunks = 256

    /// For a program with two pipes.
    init(loop: EventLoop, log: consuming LogWriter, output: SharedFD, error: SharedFD) {
        self.loop = loop
        self.log = log
        self.output = OutputChannel(.output, output)
        self.error = OutputChannel(.error, error)
        terminal = nil
    }

    /// For a program on a terminal.
    init(loop: EventLoop, log: consuming LogWriter, terminal: SharedFD) {
        self.loop = loop
        self.log = log
        output = OutputChannel(.output, terminal)
        error = OutputChannel(.error, nil)
        self.terminal = terminal
    }

    deinit {
        for channel in [output, error] { channel.letGo(loop) }
        input?.close()
    }

    var lostBytes: Int { log.lostBytes }
    var isTerminal: Bool { terminal != nil }

    func start() throws(SystemError) {
        for channel in [output, error] { try listen(channel) }
    }

    func resize(_ size: Terminal.Size) throws(SystemError) {
        guard let terminal else {
            throw SystemError("resize the terminal", code: .notTerminal, advice: "The program has no terminal.")
        }
        try Terminal.setSize(size, of: terminal.raw)
    }

    // Attaching.

    /// Makes the other ends for somebody who attaches: output and error to read, or for a terminal output to read and
    /// input to write. Who was attached before is detached.
    func attach() throws(SystemError) -> [SharedFD] {
        var ends = [try attachReader(to: output)]
        if let terminal {
            var pipe = try Files.pipe()
            let reader = SharedFD(try pipe.takeReader().duplicate(lowest: LongLived.lowestDescriptor))
            input?.close()
            input = try TerminalInput(loop, from: reader, to: terminal)
            ends.append(SharedFD(pipe.takeWriter()))
        } else {
            ends.append(try attachReader(to: error))
        }
        return ends
    }

    private func attachReader(to channel: OutputChannel) throws(SystemError) -> SharedFD {
        var pipe = try Files.pipe()
        let writer = try pipe.takeWriter().duplicate(lowest: LongLived.lowestDescriptor)
        try Files.setNonBlocking(writer.raw)
        // An output that has ended is over for whoever attaches now, and who is behind still gets theirs.
        if channel.source != nil {
            channel.stopFlushing(loop)
            channel.relay.attach(writer)
            try listen(channel)
        }
        return SharedFD(pipe.takeReader())
    }

    // Output.

    /// Reads a channel from now on, unless it is being read or waits for its reader.
    private func listen(_ channel: OutputChannel) throws(SystemError) {
        guard let source = channel.source, channel.watch == nil, channel.flushing == nil else { return }
        channel.watch = try loop.add(source.raw, .readable) { [unowned self, unowned channel] _ in read(channel) }
    }

    private func read(_ channel: OutputChannel) {
        guard let source = channel.source else { return }
        do {
            guard try readChunk(channel, source) else { return end(channel) }
        } catch  where error.code == .again {
            return
        } catch {
            // A terminal whose program has gone answers EIO: that is its end (pty(7)).
            return end(channel)
        }
        guard channel.relay.blockedOn != nil else { return }
        // Not merely no interest: a pipe whose writer is gone would wake us all the same (epoll_ctl(2), EPOLLHUP).
        channel.stopListening(loop)
        channel.flush(loop) { [unowned self, unowned channel] in try? listen(channel) }
    }

    /// False at the end.
    private func readChunk(_ channel: OutputChannel, _ source: SharedFD) throws(SystemError) -> Bool {
        var buffer = [UInt8](repeating: 0, count: Self.chunkBytes)
        let count = try Descriptors.read(source.raw, into: &buffer)
        guard count > 0 else { return false }
        log.write(buffer[..<count], from: channel.stream, at: Clock.now())
        channel.relay.offer(buffer[..<count])
        return true
    }

    private func end(_ channel: OutputChannel) {
        if channel.source != nil { log.finish(channel.stream, at: Clock.now()) }
        channel.letGo(loop)
        guard output.source == nil, error.source == nil else { return }
        input?.close()
        input = nil
        let finished = onFinished
        onFinished = nil
        finished?()
    }

    /// Reads what is left after the program's end and calls back when all of it is in the log.
    ///
    /// Everybody who could write is dead by now, so what is in the pipes is all there will be.
    func drain(_ finished: @escaping () -> Void) {
        onFinished = finished
        for channel in [output, error] {
            for _ in 0..<Self.drainChunks {
                guard let source = channel.source, (try? readChunk(channel, source)) == true else { break }
            }
            end(channel)
        }
    }
}

/// One descriptor of a program's output being read, and where copies go.
private final class OutputChannel {
    let stream: LogWriter.Stream
    var source: SharedFD?
    var watch: EventLoop.Watch?
    var relay = Relay()
    /// While a reader is behind: the wait for room.
    var flushing: EventLoop.Watch?

    init(_ stream: LogWriter.Stream, _ source: SharedFD?) {
        self.stream = stream
        self.source = source
    }

    func stopListening(_ loop: EventLoop) {
        if let watch { loop.remove(watch) }
        watch = nil
    }

    func stopFlushing(_ loop: EventLoop) {
        if let flushing { loop.remove(flushing) }
        flushing = nil
    }

    /// Passes on what waits as the reader makes room, then goes on with something.
    func flush(_ loop: EventLoop, _ done: @escaping () -> Void) {
        guard let sink = relay.blockedOn else { return done() }
        // The loop keeps the channel for as long: nobody else may any more.
        flushing = try? loop.add(sink, .writable) { [self] _ in
            relay.flush()
            guard relay.blockedOn == nil else { return }
            stopFlushing(loop)
            done()
        }
        if flushing == nil {
            relay.detach()
            done()
        }
    }

    /// Ends the reading; a reader that is behind still gets what waits for it, and then its end.
    func letGo(_ loop: EventLoop) {
        stopListening(loop)
        stopFlushing(loop)
        source = nil
        flush(loop) { [unowned self] in relay.detach() }
    }
}
