/// Where a blob's bytes go while they arrive. One writer.
package protocol BlobSink: Sendable {
    /// How many bytes it holds: where a download that broke goes on.
    func count() async -> Int
    /// Appends. Throws `RegistryFailure` of kind `storage` when it cannot, for instance because the disk is full.
    func write(_ bytes: [UInt8]) async throws(RegistryFailure)
    /// Forgets what it holds, to begin again.
    func restart() async throws(RegistryFailure)
    /// Checks that what it holds is the blob, and keeps it.
    ///
    /// - Throws: `RegistryFailure`; `untrustworthy` when the digest is another one, and then nothing is kept.
    func finish() async throws(RegistryFailure)
    /// Lets go of everything; after `finish` it does nothing.
    func discard() async
}

/// A blob that can be read, to be sent. Any number of readers.
package protocol BlobSource: Sendable {
    /// Up to `count` bytes from `offset`; fewer only at the end.
    func read(from offset: Int, count: Int) async throws(RegistryFailure) -> [UInt8]
}
