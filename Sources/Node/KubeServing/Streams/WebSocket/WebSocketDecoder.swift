/// What a client did against RFC 6455.
struct WebSocketViolation: Error, Hashable, Sendable {
    /// A status code of section 7.4.
    var code: UInt16
    var reason: String

    static func broken(_ reason: String) -> WebSocketViolation { WebSocketViolation(code: 1002, reason: reason) }
}

/// Frames of a client, RFC 6455 section 5: bytes in, messages in pieces out. A message may be of any length: its pieces
/// are given as they come, and nothing of it is kept.
///
/// Invariants (tests in WebSocketDecoderTests):
/// 1. However the bytes are cut, the same messages come out (`frames are the same however they are cut`).
/// 2. What breaks the rules ends it, whatever follows: no mask, reserved bits and opcodes, long or fragmented control
///    frames, messages within messages (`what breaks the rules is refused`).
/// 3. No bytes make it trap or keep more than a control frame (`random bytes are decoded or refused`).
struct WebSocketDecoder {
    /// A piece of a message, or a control frame.
    enum Event: Hashable, Sendable {
        case piece([UInt8], isFirst: Bool, isLast: Bool)
        case ping([UInt8])
        case pong
        /// nil: it came without one.
        case close(UInt16?)
    }

    private enum Opcode: UInt8 {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10
    }

    private struct Frame {
        var opcode: Opcode
        var isFinal: Bool
        var left: UInt64
        var mask: (UInt8, UInt8, UInt8, UInt8)
        /// Of the payload, how many bytes have come: where in the mask the next one is.
        var position = 0
        /// Of a control frame.
        var payload: [UInt8] = []
        /// Whether the next piece is the first of its message.
        var isFirst: Bool
    }

    private var head: [UInt8] = []
    private var frame: Frame?
    private var isWithinMessage = false
    private var violation: WebSocketViolation?

    init() {}

    mutating func decode(_ bytes: [UInt8]) throws(WebSocketViolation) -> [Event] {
        if let violation { throw violation }
        var events: [Event] = []
        var at = 0
        do throws(WebSocketViolation) {
            while at < bytes.count {
                if frame == nil {
                    head.append(bytes[at])
                    at += 1
                    if let begun = try begin() {
                        head.removeAll(keepingCapacity: true)
                        frame = begun
                        if begun.left == 0 { try end(&events) }
                    }
                } else {
                    try take(bytes, &at, &events)
                }
            }
        } catch {
            violation = error
            throw error
        }
        return events
    }

    /// The frame whose head is complete.
    private func begin() throws(WebSocketViolation) -> Frame? {
        guard head[0] & 0x70 == 0 else { throw .broken("a reserved bit is set") }
        guard let opcode = Opcode(rawValue: head[0] & 0x0F) else { throw .broken("the opcode is reserved") }
        guard head.count >= 2 else { return nil }
        guard head[1] & 0x80 != 0 else { throw .broken("a frame of a client has no mask") }
        let short = head[1] & 0x7F
        let isFinal = head[0] & 0x80 != 0
        switch opcode {
        case .close, .ping, .pong:
            guard isFinal, short <= 125 else { throw .broken("a control frame is long or in parts") }
        case .continuation: guard isWithinMessage else { throw .broken("a part without a begin") }
        case .text, .binary: guard !isWithinMessage else { throw .broken("a message within another") }
        }
        let lengthSize = short == 127 ? 8 : short == 126 ? 2 : 0
        guard head.count == 2 + lengthSize + 4 else { return nil }
        let length =
            lengthSize == 0 ? UInt64(short) : head[2..<2 + lengthSize].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length < 1 << 63 else { throw .broken("the length of a frame is negative") }
        let mask = head.suffix(4)
        let first = mask.startIndex
        return Frame(
            opcode: opcode, isFinal: isFinal, left: length,
            mask: (mask[first], mask[first + 1], mask[first + 2], mask[first + 3]),
            isFirst: opcode == .text || opcode == .binary)
    }

    private mutating func take(_ bytes: [UInt8], _ at: inout Int, _ events: inout [Event]) throws(WebSocketViolation) {
        let count = Int(min(UInt64(bytes.count - at), frame!.left))
        let piece = Self.unmasked(bytes, at, count, frame!.mask, frame!.position)
        at += count
        frame!.left -= UInt64(count)
        frame!.position = (frame!.position + count) & 3
        switch frame!.opcode {
        case .close, .ping, .pong: frame!.payload += piece
        case .continuation, .text, .binary:
            // The last piece is given by `end`, which knows what it is.
            if frame!.left > 0 {
                events.append(.piece(piece, isFirst: frame!.isFirst, isLast: false))
                frame!.isFirst = false
            } else {
                frame!.payload = piece
            }
        }
        if frame!.left == 0 { try end(&events) }
    }

    private mutating func end(_ events: inout [Event]) throws(WebSocketViolation) {
        let frame = frame!
        self.frame = nil
        switch frame.opcode {
        case .ping: events.append(.ping(frame.payload))
        case .pong: events.append(.pong)
        case .close:
            guard frame.payload.count != 1 else { throw .broken("half a status code") }
            let code = frame.payload.count >= 2 ? UInt16(frame.payload[0]) << 8 | UInt16(frame.payload[1]) : nil
            if let code, !(1000...1003 ~= code || 1007...1014 ~= code || 3000...4999 ~= code) {
                throw .broken("\(code) is no status code that can be sent")
            }
            events.append(.close(code))
        case .continuation, .text, .binary:
            isWithinMessage = !frame.isFinal
            if !frame.payload.isEmpty || frame.isFirst || frame.isFinal {
                events.append(.piece(frame.payload, isFirst: frame.isFirst, isLast: frame.isFinal))
            }
        }
    }

    private static func unmasked(
        _ bytes: [UInt8], _ at: Int, _ count: Int, _ mask: (UInt8, UInt8, UInt8, UInt8), _ position: Int
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { room, made in
            bytes.withUnsafeBufferPointer { source in
                for index in 0..<count {
                    let byte =
                        switch (position + index) & 3 {
                        case 0: mask.0
                        case 1: mask.1
                        case 2: mask.2
                        default: mask.3
                        }
                    room.initializeElement(at: index, to: source[at + index] ^ byte)
                }
            }
            made = count
        }
    }
}

/// Frames of a server, RFC 6455 section 5: never masked.
enum WebSocketEncoder {
    enum Kind: UInt8, Sendable {
        case text = 0x81
        case binary = 0x82
        case close = 0x88
        case ping = 0x89
        case pong = 0x8A
    }

    /// One whole frame.
    ///
    /// - Parameter first: a byte before the payload: the channel of a stream.
    static func frame(_ kind: Kind, first: UInt8? = nil, _ payload: some Collection<UInt8>) -> [UInt8] {
        let length = payload.count + (first == nil ? 0 : 1)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length + 10)
        bytes.append(kind.rawValue)
        if length <= 125 {
            bytes.append(UInt8(length))
        } else if length <= 0xFFFF {
            bytes += [126, UInt8(length >> 8), UInt8(length & 0xFF)]
        } else {
            bytes.append(127)
            for shift in stride(from: 56, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: length >> shift))
            }
        }
        if let first { bytes.append(first) }
        bytes += payload
        return bytes
    }

    static func close(_ code: UInt16, _ reason: String) -> [UInt8] {
        frame(.close, [UInt8(code >> 8), UInt8(code & 0xFF)] + Array(reason.utf8.prefix(120)))
    }
}
