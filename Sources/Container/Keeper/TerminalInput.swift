import Linux

/// What somebody attached types, on its way to a terminal.
///
/// At most one chunk waits: a program that does not read holds up who types, and no key is lost.
/// (test: `more input than a terminal holds arrives complete`)
final class TerminalInput {
    private let loop: EventLoop
    private var source: SharedFD?
    /// The terminal's master under a number of its own, since epoll keeps one interest for each.
    private let sink: SharedFD
    private var watch: EventLoop.Watch?
    private var waiting: [UInt8] = []
    private var room: EventLoop.Watch?

    private static let chunkBytes = 4096

    init(_ loop: EventLoop, from source: SharedFD, to terminal: SharedFD) throws(SystemError) {
        self.loop = loop
        self.source = source
        sink = SharedFD(try Descriptors.duplicate(terminal.raw, lowest: LongLived.lowestDescriptor))
        try Files.setNonBlocking(source.raw)
        try listen()
    }

    /// Ends it: what waits is dropped.
    func close() {
        if let watch { loop.remove(watch) }
        if let room { loop.remove(room) }
        watch = nil
        room = nil
        source = nil
    }

    private func listen() throws(SystemError) {
        guard let source else { return }
        watch = try loop.add(source.raw, .readable) { [unowned self] _ in read() }
    }

    private func read() {
        guard let source else { return }
        var buffer = [UInt8](repeating: 0, count: Self.chunkBytes)
        do {
            let count = try Descriptors.read(source.raw, into: &buffer)
            guard count > 0 else { return close() }
            waiting = Array(buffer[..<count])
            pass()
        } catch  where error.code == .again {
            return
        } catch {
            close()
        }
    }

    /// Passes on what waits; where the terminal takes no more, reading stops until it does.
    private func pass() {
        do {
            while !waiting.isEmpty { waiting.removeFirst(try Descriptors.write(waiting, to: sink.raw)) }
            guard let full = room else { return }
            loop.remove(full)
            room = nil
            try listen()
        } catch  where error.code == .again {
            waitForRoom()
        } catch {
            close()
        }
    }

    private func waitForRoom() {
        guard room == nil else { return }
        if let watch { loop.remove(watch) }
        watch = nil
        do {
            room = try loop.add(sink.raw, .writable) { [unowned self] _ in pass() }
        } catch {
            close()
        }
    }
}
