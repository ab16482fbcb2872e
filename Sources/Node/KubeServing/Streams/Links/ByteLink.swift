/// Bytes both ways between a client and the door, read by one task: a connection, or what is carried within one.
protocol ByteLink: AnyObject, Sendable {
    /// What has come, waiting for it; nil when the client sends no more.
    func next() async -> [UInt8]?
    /// Gives bytes. Returns when there is room for more; false when nobody takes any.
    func send(_ bytes: [UInt8]) async -> Bool
    /// Gives bytes without waiting for room: small ones, of a protocol's own.
    func give(_ bytes: [UInt8])
    /// Ends it when all that was given has gone out.
    func finish()
    func abort()
    /// Runs once when the connection is gone; at once when it is gone already.
    func whenGone(_ action: @escaping @Sendable () -> Void)
}
