import Linux

/// A connection to a message bus, for a program that asks a few things and ends: every call waits, up to a time.
///
/// Invariants (tests in MessageBusTests):
/// 1. A signal that comes while an answer is waited for is kept. (`a signal that comes before the answer is kept`)
/// 2. Nothing waits without end. (`a service that never answers is given up`)
package final class BusConnection {
    private let socket: SharedFD
    private var received: [UInt8] = []
    private var serial: UInt32 = 0
    /// Signals that nobody has asked for yet, in their order.
    private var signals: [BusMessage] = []
    private let patience: Int

    /// Connects, says who this is, and takes a name.
    ///
    /// - Parameters:
    ///   - path: the bus's socket.
    ///   - patienceMilliseconds: how long one answer may take.
    package init(path: String, patienceMilliseconds: Int = 30_000) throws(BusFailure) {
        patience = patienceMilliseconds
        do { socket = SharedFD(try StreamSocket.connect(to: path)) } catch { throw .unreachable("\(error)") }
        try authenticate()
        _ = try call(.call(Self.bus, "/org/freedesktop/DBus", Self.bus, "Hello"))
    }

    private static let bus = "org.freedesktop.DBus"

    /// EXTERNAL without a name: the kernel tells the bus who we are, in whatever user namespace.
    private func authenticate() throws(BusFailure) {
        try send(Array("\0AUTH EXTERNAL\r\nDATA\r\n".utf8))
        let deadline = deadline()
        while true {
            let line = try line(deadline)
            if line.hasPrefix("DATA") { continue }
            guard line.hasPrefix("OK ") else { throw .unreachable("it refuses us: \(line)") }
            return try send(Array("BEGIN\r\n".utf8))
        }
    }

    private func line(_ deadline: Int) throws(BusFailure) -> String {
        while true {
            if let end = received.firstIndex(of: 10) {
                let line = String(decoding: received[..<end].filter { $0 != 13 }, as: UTF8.self)
                received.removeFirst(end + 1)
                return line
            }
            guard received.count < 16_384 else { throw .malformed("line without an end") }
            try receive(deadline, "to be let in")
        }
    }

    /// Calls a method and waits for its answer.
    ///
    /// - Throws: `refused` when the service answers with an error.
    package func call(_ message: BusMessage) throws(BusFailure) -> [BusValue] {
        serial += 1
        var message = message
        message.serial = serial
        try send(message.bytes)
        let deadline = deadline()
        while true {
            let next = try next(deadline, "\(message.interface ?? "").\(message.member ?? "")")
            switch next.kind {
            case .answer where next.answers == serial: return next.body
            case .error where next.answers == serial:
                throw .refused(name: next.errorName ?? "", message: next.body.first?.text ?? "")
            case .signal: signals.append(next)
            default: continue
            }
        }
    }

    /// Asks the bus for signals.
    package func subscribe(_ rule: String) throws(BusFailure) {
        _ = try call(.call(Self.bus, "/org/freedesktop/DBus", Self.bus, "AddMatch", [.string(rule)]))
    }

    /// Waits for a signal; those before it that do not fit are dropped.
    package func signal(_ what: String, _ fits: (BusMessage) -> Bool) throws(BusFailure) -> BusMessage {
        let deadline = deadline()
        while true {
            while !signals.isEmpty {
                let signal = signals.removeFirst()
                if fits(signal) { return signal }
            }
            let next = try next(deadline, what)
            if next.kind == .signal { signals.append(next) }
        }
    }

    // Bytes.

    private func next(_ deadline: Int, _ what: String) throws(BusFailure) -> BusMessage {
        while true {
            if received.count >= BusMessage.fixedSize {
                let size = try BusMessage.size(received.prefix(BusMessage.fixedSize))
                if received.count >= size {
                    let message = try BusMessage(received[..<size])
                    received.removeFirst(size)
                    if let message { return message }
                    continue
                }
            }
            try receive(deadline, what)
        }
    }

    private func deadline() -> Int { Clock.monotonicNanoseconds() + patience * 1_000_000 }

    private func receive(_ deadline: Int, _ what: String) throws(BusFailure) {
        let left = (deadline - Clock.monotonicNanoseconds()) / 1_000_000
        do {
            guard left > 0, try Descriptors.isReadable(socket.raw, withinMilliseconds: CInt(clamping: left)) else {
                throw BusFailure.timedOut(what)
            }
            var room = [UInt8](repeating: 0, count: 16_384)
            guard let count = try Files.readAvailable(socket.raw, into: &room) else { return }
            guard count > 0 else { throw BusFailure.unreachable("it has ended the connection") }
            received += room[..<count]
        } catch let error as BusFailure { throw error } catch { throw .unreachable("\(error)") }
    }

    private func send(_ bytes: [UInt8]) throws(BusFailure) {
        var rest = bytes[...]
        let deadline = deadline()
        do {
            while !rest.isEmpty {
                if let count = try Files.writeAvailable(rest, to: socket.raw) {
                    rest = rest.dropFirst(count)
                    continue
                }
                let left = (deadline - Clock.monotonicNanoseconds()) / 1_000_000
                guard left > 0, try Descriptors.isWritable(socket.raw, withinMilliseconds: CInt(clamping: left)) else {
                    throw BusFailure.timedOut("to send")
                }
            }
        } catch let error as BusFailure { throw error } catch { throw .unreachable("\(error)") }
    }
}
