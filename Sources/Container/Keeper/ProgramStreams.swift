import Linux

/// The output of one program on its way into the log and, while somebody is attached, to them; for a terminal
/// also their input on its way to the program.
final class ProgramStreams {
    private let loop: EventLoop
    private var log: LogWriter
    private var output: Channel
    private var error: Channel
    /// The terminal's master; nil: two pipes.
    private let terminal: SharedFD?
    private var input: InputChannel?
    /// Called once, when no more output can come.
    private var onFinished: (() -> Void)?

    /// One descriptor being read.
    private final class Channel {
        let stream: LogWriter.Stream
        var source: SharedFD?
        var watch: EventLoop.Watch?
        var relay = Relay()
        var sinkWatch: EventLoop.Watch?

        init(_ stream: LogWriter.Stream, _ source: SharedFD?) {
            self.stream = stream
            self.source = source
        }
    }

    private final class InputChannel {
        let source: SharedFD
        var watch: EventLoop.Watch?
        var waiting: [UInt8] = []

        init(_ source: SharedFD) { self.source = source }
    }

    /// Most bytes read at once from one program before the others get their turn.
    private static let chunkBytes = 64 << 10

    /// For a program with two pipes.
    init(loop: EventLoop, log: consuming LogWriter, output: SharedFD, error: SharedFD) {
        self.loop = loop
        self.log = log
        self.output = Channel(.output, output)
        self.error = Channel(.error, error)
        terminal = nil
    }

    /// For a program on a terminal.
    init(loop: EventLoop, log: consuming LogWriter, terminal: SharedFD) {
        self.loop = loop
        self.log = log
        output = Channel(.output, terminal)
        error = Channel(.error, nil)
        self.terminal = terminal
    }

    var lostBytes: Int { log.lostBytes }
    var isTerminal: Bool { terminal != nil }

    func start() throws(SystemError) {
        for channel in [output, error] {
            guard let source = channel.source else { continue }
            channel.watch = try loop.add(source.raw, .readable) { [unowned self, unowned channel] _ in read(channel) }
        }
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
        if terminal == nil {
            ends.append(try attachReader(to: error))
        } else {
            ends.append(try attachWriter())
        }
        return ends
    }

    private func attachReader(to channel: Channel) throws(SystemError) -> SharedFD {
        var pipe = try Files.pipe()
        let writer = try pipe.takeWriter().duplicate(lowest: LongLived.lowestDescriptor)
        try Files.setNonBlocking(writer.raw)
        unblock(channel)
        if channel.source != nil { channel.relay.attach(writer) }
        return SharedFD(pipe.takeReader())
    }

    private func attachWriter() throws(SystemError) -> SharedFD {
        var pipe = try Files.pipe()
        let reader = SharedFD(try pipe.takeReader().duplicate(lowest: LongLived.lowestDescriptor))
        try Files.setNonBlocking(reader.raw)
        closeInput()
        let channel = InputChannel(reader)
        channel.watch = try loop.add(reader.raw, .readable) { [unowned self] _ in readInput() }
        input = channel
        return SharedFD(pipe.takeWriter())
    }

    // Output.

    private func read(_ channel: Channel) {
        guard let source = channel.source else { return }
        var buffer = [UInt8](repeating: 0, count: Self.chunkBytes)
        do {
            let count = try Descriptors.read(source.raw, into: &buffer)
            guard count > 0 else { return end(channel) }
            take(buffer[..<count], channel)
        } catch where error.code == .again {
            return
        } catch {
            // A terminal whose program has gone answers EIO: that is its end (pty(7)).
            end(channel)
        }
    }

    private func take(_ chunk: ArraySlice<UInt8>, _ channel: Channel) {
        log.write(chunk, from: channel.stream, at: Clock.now())
        channel.relay.offer(chunk)
        if let blocked = channel.relay.blockedOn { block(channel, on: blocked) }
    }

    /// Stops reading until the attached reader has taken what waits.
    private func block(_ channel: Channel, on sink: CInt) {
        guard let watch = channel.watch, channel.sinkWatch == nil else { return }
        try? loop.change(watch, [])
        channel.sinkWatch = try? loop.add(sink, .writable) { [unowned self, unowned channel] _ in
            channel.relay.flush()
            if channel.relay.blockedOn == nil { unblock(channel) }
        }
    }

    private func unblock(_ channel: Channel) {
        guard let sinkWatch = channel.sinkWatch else { return }
        loop.remove(sinkWatch)
        channel.sinkWatch = nil
        if let watch = channel.watch { try? loop.change(watch, .readable) }
    }

    private func end(_ channel: Channel) {
        if let watch = channel.watch { loop.remove(watch) }
        channel.watch = nil
        unblock(channel)
        channel.relay.detach()
        if channel.source != nil { log.finish(channel.stream, at: Clock.now()) }
        channel.source = nil
        if output.source == nil, error.source == nil {
            closeInput()
            let finished = onFinished
            onFinished = nil
            finished?()
        }
    }

    // Input of a terminal.

    private func readInput() {
        guard let input, let terminal else { return }
        if input.waiting.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 4096)
            guard let count = try? Descriptors.read(input.source.raw, into: &buffer) else { return }
            guard count > 0 else { return closeInput() }
            input.waiting = Array(buffer[..<count])
        }
        // A terminal that takes no more input (nobody reads it) drops the rest, as a real one beeps and drops.
        if let count = try? Descriptors.write(input.waiting, to: terminal.raw) { input.waiting.removeFirst(count) }
        input.waiting = []
    }

    private func closeInput() {
        if let watch = input?.watch { loop.remove(watch) }
        input = nil
    }

    // The end.

    /// Reads what is left after the program's end and calls back when all of it is in the log.
    ///
    /// Everybody who could write is dead by now, so what is in the pipes is all there will be.
    func drain(_ finished: @escaping () -> Void) {
        onFinished = finished
        for channel in [output, error] {
            while let source = channel.source, channel.relay.blockedOn == nil {
                var buffer = [UInt8](repeating: 0, count: Self.chunkBytes)
                guard let count = try? Descriptors.read(source.raw, into: &buffer), count > 0 else { break }
                take(buffer[..<count], channel)
            }
            // What an attached reader holds up is theirs to lose: the log has all of it.
            if channel.source != nil, channel.relay.blockedOn == nil { end(channel) }
        }
        if output.source == nil, error.source == nil, onFinished != nil {
            onFinished = nil
            finished()
        }
    }
}
