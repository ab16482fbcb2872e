import Linux

/// Messages on a socket, with patience that ends. On a connection each stands behind its length, RFC 1035 4.2.2.
struct DNSStream: Sendable {
    private let socket: SharedFD

    init(_ socket: SharedFD) { self.socket = socket }

    /// The next message of a connection.
    ///
    /// - Throws: `SystemError`; ETIMEDOUT, ECONNRESET at the end.
    func receive(within patience: Duration) async throws(SystemError) -> [UInt8] {
        let deadline = ContinuousClock.now + patience
        let length = try await read(2, until: deadline)
        return try await read(Int(length[0]) << 8 | Int(length[1]), until: deadline)
    }

    func send(_ bytes: [UInt8], within patience: Duration) async throws(SystemError) {
        guard bytes.count <= 0xffff else { throw SystemError("send a message", code: .messageTooLong) }
        let deadline = ContinuousClock.now + patience
        var rest = ([UInt8(bytes.count >> 8), UInt8(bytes.count & 0xff)] + bytes)[...]
        while !rest.isEmpty {
            // A connection that is being made takes nothing yet.
            try await wait(until: deadline) { fd throws(SystemError) in try await Readiness.shared.writable(fd) }
            if let count = try Files.writeAvailable(rest, to: socket.raw) { rest = rest.dropFirst(count) }
        }
    }

    /// The next datagram of a connected socket.
    func receiveDatagram(within patience: Duration) async throws(SystemError) -> [UInt8] {
        let deadline = ContinuousClock.now + patience
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            if let count = try Files.readAvailable(socket.raw, into: &room) { return Array(room[..<count]) }
            try await wait(until: deadline) { fd throws(SystemError) in try await Readiness.shared.readable(fd) }
        }
    }

    private func read(_ count: Int, until deadline: ContinuousClock.Instant) async throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            var room = [UInt8](repeating: 0, count: count - bytes.count)
            guard let got = try Files.readAvailable(socket.raw, into: &room) else {
                try await wait(until: deadline) { fd throws(SystemError) in try await Readiness.shared.readable(fd) }
                continue
            }
            guard got > 0 else { throw SystemError("read from a name server", code: .connectionReset) }
            bytes += room[..<got]
        }
        return bytes
    }

    /// Waits for readiness, at most until the deadline.
    private func wait(
        until deadline: ContinuousClock.Instant, _ ready: @escaping @Sendable (CInt) async throws(SystemError) -> Void
    ) async throws(SystemError) {
        let socket = socket
        let isReady = await withTaskGroup(of: Bool.self) { group in
            group.addTask { (try? await ready(socket.raw)) != nil }
            group.addTask {
                try? await Task.sleep(until: deadline, clock: .continuous)
                return false
            }
            defer { group.cancelAll() }
            return await group.next() ?? false
        }
        guard isReady else { throw SystemError("wait for a name server's answer", code: Task.isCancelled ? .canceled : .timedOut) }
    }
}
