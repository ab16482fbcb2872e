/// A client of an exec or attach, whatever protocol it speaks.
protocol StreamClient: AnyObject, Sendable {
    /// What it sent, waiting for it; nil when it has gone.
    func next() async -> [ClientEvent]?
    /// Returns when there is room for more; false when nobody takes any.
    func send(_ bytes: [UInt8], _ stream: OutputStream) async -> Bool
    /// Says how it ended, and ends the connection.
    func end(_ outcome: StreamOutcome) async
    /// Asks whether it is there: a connection that nobody has any more answers with its end.
    func ping()
    func abort()
    /// Runs once when the connection is gone.
    func whenGone(_ action: @escaping @Sendable () -> Void)
}

enum ClientEvent: Hashable, Sendable {
    case input([UInt8])
    case inputEnd
    case size(TerminalSize)
}

enum OutputStream: Hashable, Sendable {
    case output
    case errors
}

struct TerminalSize: Hashable, Sendable {
    var columns: UInt16
    var rows: UInt16
}
