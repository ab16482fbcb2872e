package import Linux

/// A SOCK_SEQPACKET connection for tasks: messages with descriptors, `await` instead of blocking.
///
/// Any number of tasks may send at once, since a datagram goes as a whole; one task receives.
package final class MessageChannel: Sendable {
    private let socket: MessageSocket

    package init(adopting fd: consuming OwnedFD) throws(SystemError) {
        try Files.setNonBlocking(fd.raw)
        socket = MessageSocket(adopting: fd)
    }

    /// Connects to the socket at `path`; on a thread that may block, since a listener whose backlog is full makes
    /// connect(2) wait.
    package static func connect(to path: String) async throws(SystemError) -> MessageChannel {
        try await BlockingPool.shared.run { () throws(SystemError) in
            let socket = try MessageSocket.connect(to: path)
            return try MessageChannel(adopting: try socket.fd.duplicate())
        }
    }

    /// Sends one message; waits while the peer does not read.
    ///
    /// - Throws: `SystemError`; EPIPE or ECONNRESET when the peer is gone, ECANCELED when the task was cancelled.
    package func send(_ bytes: [UInt8], descriptors: [CInt] = []) async throws(SystemError) {
        while true {
            do {
                return try socket.send(bytes, descriptors: descriptors)
            } catch where error.code == .again {
                try await Readiness.shared.writable(socket.fd.raw)
            }
        }
    }

    /// The next message; nil when the peer has closed.
    ///
    /// - Throws: `SystemError`; EMSGSIZE for a message longer than the limit, ECANCELED when the task was cancelled.
    package func receive(_ buffer: inout ReceiveBuffer) async throws(SystemError) -> MessageSocket.Message? {
        while true {
            do {
                var message = MessageSocket.Message()
                let count = try socket.receive(into: &buffer.bytes, descriptors: &message.descriptors)
                if count == 0 { return nil }
                message.bytes = Array(buffer.bytes[..<count])
                return message
            } catch where error.code == .again {
                try await Readiness.shared.readable(socket.fd.raw)
            }
        }
    }

    /// Ends the connection: whoever receives sees the end, here and at the peer.
    package func end() { MessageSocket.end(socket.fd.raw) }
}

/// Room for the longest message, made once for each receiver.
package struct ReceiveBuffer: Sendable {
    fileprivate var bytes = [UInt8](repeating: 0, count: MessageSocket.messageBytesLimit)

    package init() {}
}
