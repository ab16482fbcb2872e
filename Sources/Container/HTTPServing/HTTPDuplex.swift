/// A connection after `101 Switching Protocols`: bytes both ways in whatever protocol the service and its client speak.
/// Confined to the loop of the connection.
package protocol HTTPDuplex: AnyObject {
    var loop: ServingLoop { get }
    /// Called with what the client sends. Whoever took over sets it at once.
    var onBytes: (([UInt8]) -> Void)? { get set }
    /// Called once when the client sends no more; it may still read.
    var onInputEnd: (() -> Void)? { get set }
    /// Called once when the connection is gone, whoever ended it.
    var onClose: (() -> Void)? { get set }
    /// Whether a sender may go on; false while the client takes bytes more slowly than they come.
    var isWritable: Bool { get }
    /// Called each time when it has become writable again.
    var onWritable: (() -> Void)? { get set }

    /// Sends bytes at once. A sender that goes on against `isWritable` beyond `HTTPLimits.unsentBytes` breaks the
    /// connection.
    func send(_ bytes: [UInt8])
    /// Takes no more, but for what has come already, until `resume`.
    func pause()
    func resume()
    /// Ends the connection when the client has taken all that was sent.
    func finish()
    /// Ends the connection at once.
    func abort()
}

/// The duplex of a connection.
final class ConnectionDuplex: HTTPDuplex {
    let loop: ServingLoop
    var onBytes: (([UInt8]) -> Void)?
    var onInputEnd: (() -> Void)?
    var onClose: (() -> Void)?
    var onWritable: (() -> Void)?
    /// Until it is gone.
    private var connection: HTTPConnection?

    init(_ connection: HTTPConnection) {
        self.connection = connection
        loop = connection.loop
    }

    var isWritable: Bool { connection?.isWritable ?? false }

    func send(_ bytes: [UInt8]) {
        loop.preconditionCurrent()
        connection?.sendRaw(bytes)
    }

    func pause() { connection?.pause(.service, nil) }
    func resume() { connection?.resume(.service, nil) }

    func finish() {
        loop.preconditionCurrent()
        connection?.finishRaw()
    }

    func abort() {
        loop.preconditionCurrent()
        connection?.breakOff()
    }

    /// The connection is not there any more.
    func closed() {
        guard connection != nil else { return }
        connection = nil
        let last = onClose
        onBytes = nil
        onInputEnd = nil
        onWritable = nil
        onClose = nil
        last?()
    }
}
