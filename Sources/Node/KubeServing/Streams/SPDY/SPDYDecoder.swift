/// What a client did against SPDY/3.1.
struct SPDYViolation: Error, Hashable, Sendable {
    var reason: String
    init(_ reason: String) { self.reason = reason }
}

/// Frames of a client, "SPDY Protocol - Draft 3.1" section 2: bytes in, events out.
///
/// Invariants (tests in SPDYTests):
/// 1. However the bytes are cut, the same streams come out (`frames of SPDY are the same however they are cut`).
/// 2. A control frame is kept until it is whole and may be `controlLimit` bytes long; of data nothing is kept
///    (`what breaks the rules of SPDY is refused`).
/// 3. No bytes make it trap (`random bytes of SPDY are decoded or refused`).
struct SPDYDecoder {
    /// Longest control frame, bytes.
    static let controlLimit = 64 << 10

    enum Event: Hashable, Sendable {
        case opened(UInt32, headers: [String: String], isLast: Bool)
        case data(UInt32, [UInt8], isLast: Bool)
        case reset(UInt32)
        case ping(UInt32)
        case goAway
    }

    private enum Kind {
        static let open = 1
        static let reply = 2
        static let reset = 3
        static let settings = 4
        static let ping = 6
        static let goAway = 7
        static let headers = 8
        static let window = 9
    }

    private enum Frame {
        case data(stream: UInt32, left: Int, isLast: Bool)
        case control(kind: Int, flags: UInt8, length: Int, body: [UInt8])
    }

    private var head: [UInt8] = []
    private var frame: Frame?
    private let inflater = SPDYInflater()
    private var violation: SPDYViolation?

    init() {}

    mutating func decode(_ bytes: [UInt8]) throws(SPDYViolation) -> [Event] {
        if let violation { throw violation }
        var events: [Event] = []
        var at = 0
        do throws(SPDYViolation) {
            while at < bytes.count || isComplete {
                if let begun = frame {
                    frame = nil
                    try go(begun, bytes, &at, &events)
                } else {
                    let count = min(8 - head.count, bytes.count - at)
                    head += bytes[at..<at + count]
                    at += count
                    if head.count == 8 {
                        frame = try begin()
                        head = []
                    }
                }
            }
        } catch {
            violation = error
            throw error
        }
        return events
    }

    /// A frame that needs no more bytes.
    private var isComplete: Bool {
        switch frame {
        case .data(_, let left, _): left == 0
        case .control(_, _, let length, let body): body.count == length
        case nil: false
        }
    }

    private func begin() throws(SPDYViolation) -> Frame {
        let length = Int(head[5]) << 16 | Int(head[6]) << 8 | Int(head[7])
        if head[0] & 0x80 == 0 {
            let stream = head[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
            guard stream != 0 else { throw SPDYViolation("data of stream 0") }
            return .data(stream: stream, left: length, isLast: head[4] & 1 != 0)
        }
        let version = Int(head[0] & 0x7F) << 8 | Int(head[1])
        guard version == 3 else { throw SPDYViolation("version \(version) instead of 3") }
        guard length <= Self.controlLimit else { throw SPDYViolation("a control frame of \(length) bytes") }
        return .control(kind: Int(head[2]) << 8 | Int(head[3]), flags: head[4], length: length, body: [])
    }

    private mutating func go(
        _ begun: Frame, _ bytes: [UInt8], _ at: inout Int, _ events: inout [Event]
    ) throws(SPDYViolation) {
        switch begun {
        case .data(let stream, let left, let isLast):
            let count = min(left, bytes.count - at)
            let isOver = count == left
            if count > 0 || (isOver && isLast) {
                events.append(.data(stream, Array(bytes[at..<at + count]), isLast: isOver && isLast))
            }
            at += count
            if !isOver { frame = .data(stream: stream, left: left - count, isLast: isLast) }
        case .control(let kind, let flags, let length, var body):
            let count = min(length - body.count, bytes.count - at)
            body += bytes[at..<at + count]
            at += count
            if body.count < length {
                frame = .control(kind: kind, flags: flags, length: length, body: body)
            } else if let event = try control(kind, flags, body) {
                events.append(event)
            }
        }
    }

    private func control(_ kind: Int, _ flags: UInt8, _ body: [UInt8]) throws(SPDYViolation) -> Event? {
        func number(_ at: Int) throws(SPDYViolation) -> UInt32 {
            guard body.count >= at + 4 else { throw SPDYViolation("a frame of kind \(kind) with \(body.count) bytes") }
            return body[at..<at + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        }
        func stream() throws(SPDYViolation) -> UInt32 {
            let stream = try number(0) & 0x7FFF_FFFF
            guard stream != 0 else { throw SPDYViolation("a frame of kind \(kind) for stream 0") }
            return stream
        }
        /// Every block is read, wanted or not: the next one continues its compression.
        func headers(_ at: Int) throws(SPDYViolation) -> [String: String] {
            guard body.count >= at, let headers = inflater.headers(Array(body[at...])) else {
                throw SPDYViolation("a header block that cannot be read")
            }
            return headers
        }
        switch kind {
        case Kind.open: return .opened(try stream(), headers: try headers(10), isLast: flags & 1 != 0)
        case Kind.reply, Kind.headers:
            let stream = try stream()
            _ = try headers(4)
            return flags & 1 != 0 ? .data(stream, [], isLast: true) : nil
        case Kind.reset: return .reset(try stream())
        case Kind.ping: return .ping(try number(0))
        case Kind.goAway: return .goAway
        // Neither moby/spdystream, which all clients of Kubernetes use, nor the servers it talks to limit streams:
        // windows and settings are read and mean nothing. Who is slow holds the whole connection back.
        case Kind.settings, Kind.window: return nil
        default: throw SPDYViolation("a frame of the unknown kind \(kind)")
        }
    }
}

/// Frames of a server.
struct SPDYEncoder {
    enum ResetReason: UInt32 {
        case protocolError = 1
        case invalidStream = 2
        case refused = 3
        case internalError = 6
    }

    private let deflater = SPDYDeflater()

    init() {}

    func reply(_ stream: UInt32) -> [UInt8] { control(2, Self.number(stream) + deflater.block([])) }
    func reset(_ stream: UInt32, _ reason: ResetReason) -> [UInt8] {
        control(3, Self.number(stream) + Self.number(reason.rawValue))
    }
    func ping(_ id: UInt32) -> [UInt8] { control(6, Self.number(id)) }
    func goAway(last stream: UInt32, isViolation: Bool) -> [UInt8] {
        control(7, Self.number(stream) + Self.number(isViolation ? 1 : 0))
    }

    /// - Parameter bytes: below 16 MiB.
    static func data(_ stream: UInt32, _ bytes: [UInt8], isLast: Bool) -> [UInt8] {
        var frame: [UInt8] = []
        frame.reserveCapacity(bytes.count + 8)
        frame.appendBigEndian(stream)
        frame.appendBigEndian(UInt32(bytes.count) | (isLast ? 1 << 24 : 0))
        return frame + bytes
    }

    private func control(_ kind: UInt8, _ body: [UInt8]) -> [UInt8] {
        var frame: [UInt8] = [0x80, 3, 0, kind]
        frame.appendBigEndian(UInt32(body.count))
        return frame + body
    }

    private static func number(_ number: UInt32) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendBigEndian(number)
        return bytes
    }
}
