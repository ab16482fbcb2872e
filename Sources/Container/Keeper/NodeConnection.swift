package import Linux

/// One connected node: messages in, answers and events out, never blocking.
///
/// Invariant: what cannot be sent at once is queued up to `queueBytesLimit`; a node that does not read is cut off
/// rather than waited for, and learns from the list, when it comes back, what it missed.
final class NodeConnection {
    let id: UInt64
    private let socket: MessageSocket
    private let loop: EventLoop
    private var watch: EventLoop.Watch?
    private var queue: [(bytes: [UInt8], descriptors: [SharedFD])] = []
    private var queuedBytes = 0
    private var buffer = [UInt8](repeating: 0, count: MessageSocket.messageBytesLimit)
    private let onRequest: (NodeConnection, MessageSocket.Message) -> Void
    private let onClose: (NodeConnection) -> Void
    /// Whether it has said hello and gets events.
    var isGreeted = false

    static let queueBytesLimit = 8 << 20

    /// What a waiting message weighs: its place in the queue and its descriptors, which may hold memory, count too.
    private static func cost(_ bytes: [UInt8], _ descriptors: [SharedFD]) -> Int {
        bytes.count + 256 + descriptors.count * (64 << 10)
    }

    init(
        id: UInt64, adopting fd: consuming OwnedFD, loop: EventLoop,
        onRequest: @escaping (NodeConnection, MessageSocket.Message) -> Void,
        onClose: @escaping (NodeConnection) -> Void
    ) throws(SystemError) {
        self.id = id
        self.loop = loop
        self.onRequest = onRequest
        self.onClose = onClose
        let lasting = try fd.duplicate(lowest: LongLived.lowestDescriptor)
        try Files.setNonBlocking(lasting.raw)
        socket = MessageSocket(adopting: lasting)
        watch = try loop.add(socket.fd.raw, .readable) { [unowned self] interest in ready(interest) }
    }

    /// Sends an answer or an event with descriptors.
    func send(_ reply: KeeperReply, number: UInt64, descriptors: [SharedFD] = []) {
        var bytes = reply.encoded(number: number)
        var descriptors = descriptors
        if bytes.count > MessageSocket.messageBytesLimit {
            guard let memory = try? Files.sealedMemory(named: "keeper-reply", bytes) else { return close() }
            descriptors.append(SharedFD(memory))
            bytes = KeeperProtocol.inMemoryFile
        }
        if queue.isEmpty, trySend(bytes, descriptors) { return }
        guard watch != nil else { return }
        queue.append((bytes, descriptors))
        queuedBytes += Self.cost(bytes, descriptors)
        if queuedBytes > Self.queueBytesLimit { return close() }
        if let watch { try? loop.change(watch, [.readable, .writable]) }
    }

    func close() {
        guard let watch else { return }
        loop.remove(watch)
        self.watch = nil
        queue = []
        onClose(self)
    }

    /// True: sent, or the connection is gone and there is nobody to send to.
    private func trySend(_ bytes: [UInt8], _ descriptors: [SharedFD]) -> Bool {
        guard watch != nil else { return true }
        do {
            try socket.send(bytes, descriptors: descriptors.map(\.raw))
            return true
        } catch where error.code == .again {
            return false
        } catch {
            close()
            return true
        }
    }

    private func ready(_ interest: Poll.Interest) {
        if interest.contains(.writable) { flush() }
        guard interest.contains(.readable) || interest.contains(.hangUp) || interest.contains(.failed) else { return }
        // A burst is taken up to a bound, so that one node cannot keep the keeper from the others.
        for _ in 0..<32 {
            guard watch != nil, receiveOne() else { return }
        }
    }

    private func flush() {
        while let first = queue.first {
            guard trySend(first.bytes, first.descriptors) else { return }
            guard watch != nil else { return }
            queue.removeFirst()
            queuedBytes -= Self.cost(first.bytes, first.descriptors)
        }
        if let watch { try? loop.change(watch, .readable) }
    }

    private func receiveOne() -> Bool {
        var message = MessageSocket.Message()
        do {
            let count = try socket.receive(into: &buffer, descriptors: &message.descriptors)
            guard count > 0 else {
                close()
                return false
            }
            message.bytes = Array(buffer[..<count])
            try KeeperProtocol.unfold(&message)
        } catch where error.code == .again {
            return false
        } catch {
            // Which request it was cannot be known, so it is not answered but the connection ends, saying why.
            send(.failed(KeeperFailure(.protocolError, "\(error)", code: error.code.rawValue)), number: 0)
            close()
            return false
        }
        onRequest(self, message)
        return true
    }
}

extension KeeperProtocol {
    /// A message that says: the body is in the memory file that comes last.
    package static let inMemoryFile: [UInt8] = [0xff]

    /// Puts the body of a message in place when it travelled in a memory file: sealed, so that its sender cannot
    /// change it while it is read.
    package static func unfold(_ message: inout MessageSocket.Message) throws(SystemError) {
        guard message.bytes == inMemoryFile else { return }
        guard let file = message.descriptors.popLast(), try Files.isSealed(file.raw) else {
            throw SystemError("read a long message", code: .invalid, advice: "Its memory file must be sealed.")
        }
        message.bytes = try Files.readAll(from: file.raw, limit: bodyBytesLimit)
    }

    /// The message to send for a body of any length, with the descriptor that carries a long one.
    package static func fold(_ bytes: [UInt8]) throws(SystemError) -> (bytes: [UInt8], file: SharedFD?) {
        guard bytes.count > MessageSocket.messageBytesLimit else { return (bytes, nil) }
        return (inMemoryFile, SharedFD(try Files.sealedMemory(named: "keeper-message", bytes)))
    }
}
