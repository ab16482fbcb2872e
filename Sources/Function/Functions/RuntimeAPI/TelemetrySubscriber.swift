internal import Glibc
internal import HTTPServing
internal import JSON
internal import Linux

/// One subscription: collects events until a batch is full or its time has come, and sends one batch after the other to
/// a listener inside the instance's network. Confined to the loop; a batch is sent by a thread that may block.
final class TelemetrySubscriber {
    let id: String
    private let subscription: TelemetrySubscription
    private let loop: ServingLoop
    private let network: SharedFD
    private var buffer: TelemetryBuffer
    private var timer: ScheduledWork?
    private var isSending = false
    private var isClosed = false

    init(_ subscription: TelemetrySubscription, id: String, loop: ServingLoop, network: SharedFD) {
        self.subscription = subscription
        self.id = id
        self.loop = loop
        self.network = network
        buffer = TelemetryBuffer(maxItems: subscription.maxItems, maxBytes: subscription.maxBytes)
    }

    func wants(_ kind: TelemetrySubscription.Kind) -> Bool { subscription.kinds.contains(kind) }

    func add(_ event: PlatformEvent) {
        guard !isClosed else { return }
        buffer.add(JSONWriter.bytes(event.json))
        if buffer.isFull { return send() }
        guard timer == nil, !isSending else { return }
        let bound = LoopBound(self, on: loop)
        timer = loop.schedule(after: .milliseconds(subscription.timeoutMilliseconds)) {
            bound.value.timer = nil
            bound.value.send()
        }
    }

    /// Sends what waits, once, and takes no more.
    func close() {
        timer?.cancel()
        timer = nil
        send()
        isClosed = true
    }

    private func send() {
        guard !isSending else { return }
        if let dropped = buffer.takeDropped() {
            let event = PlatformEvent.logsDropped(records: dropped.records, bytes: dropped.bytes, at: Clock.now())
            buffer.add(JSONWriter.bytes(event.json))
        }
        let batch = buffer.takeBatch()
        guard !batch.isEmpty else { return }
        isSending = true
        timer?.cancel()
        timer = nil
        let message = TelemetryMessage(batch, to: subscription.destination)
        let (bound, network) = (LoopBound(self, on: loop), network)
        Task {
            // A listener that is not there or does not answer costs its own batch, as in the service.
            try? await BlockingPool.shared.run { () throws(SystemError) in try message.send(in: network) }
            bound.loop.execute { bound.value.sent() }
        }
    }

    private func sent() {
        isSending = false
        if !buffer.isEmpty { send() }
    }
}

/// A batch on its way.
struct TelemetryMessage: Sendable {
    let bytes: [UInt8]
    let port: UInt16
    let isAnswered: Bool
    private static let patienceMilliseconds: CInt = 1000

    init(_ batch: [[UInt8]], to destination: TelemetrySubscription.Destination) {
        switch destination {
        case .tcp(let port):
            self.port = port
            isAnswered = false
            bytes = batch.flatMap { $0 + [10] }
        case .http(let port, let path, let method):
            self.port = port
            isAnswered = true
            let body = Array("[".utf8) + Array(batch.joined(separator: [UInt8(ascii: ",")])) + Array("]".utf8)
            let head =
                "\(method) \(path) HTTP/1.1\r\nHost: sandbox.localdomain:\(port)\r\nContent-Type: application/json\r\n"
                + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n"
            bytes = Array(head.utf8) + body
        }
    }

    /// Connects inside the network, writes, and for HTTP waits for an answer. A thread that may block.
    func send(in network: SharedFD) throws(SystemError) {
        let socket = try InstanceNetwork.connect(to: port, in: network)
        var rest = bytes[...]
        while !rest.isEmpty {
            guard try Descriptors.isWritable(socket.raw, withinMilliseconds: Self.patienceMilliseconds) else {
                throw SystemError("send telemetry to port", "\(port)", code: .timedOut)
            }
            if let count = try Files.writeAvailable(rest, to: socket.raw) { rest = rest.dropFirst(count) }
        }
        guard isAnswered else { return }
        _ = try Descriptors.isReadable(socket.raw, withinMilliseconds: Self.patienceMilliseconds)
    }
}
