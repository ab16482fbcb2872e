internal import Linux
package import OCI
internal import Synchronization

/// A blob on its way into the store. Bytes are hashed as they are written, and the blob gets its name only when they
/// are what was announced.
///
/// Its calls block on the disk: use them on the `BlockingPool` or a thread of one's own.
///
/// Invariants (each with a test in BlobTests):
/// 1. What `finish` puts under a digest has that digest and the announced size, and is on the disk.
/// 2. More bytes than announced (or than the limit) are refused before they are written.
/// 3. Whatever fails, and when a writer is let go of unfinished, nothing of it stays.
package final class BlobWriter: Sendable {
    /// What the bytes must be; nil when only their end tells (an archive being made).
    package let expected: Digest?
    /// How many bytes are allowed: exactly so many when `isExact`.
    package let limit: Int

    private struct State {
        var hash: DigestBuilder
        var written = 0
        var isOver = false
    }

    private let isExact: Bool
    private let file: SharedFD
    private let path: String
    private let blobs: BlobDirectory
    private let lease: ImageLease
    private let state: Mutex<State>

    init(
        expected: Digest?, size: Int?, limit: Int, file: SharedFD, path: String, blobs: BlobDirectory, lease: ImageLease
    ) {
        self.expected = expected
        self.limit = size ?? limit
        isExact = size != nil
        self.file = file
        self.path = path
        self.blobs = blobs
        self.lease = lease
        state = Mutex(State(hash: DigestBuilder(expected?.algorithm ?? .sha256)))
    }

    deinit { if !state.withLock({ $0.isOver }) { try? Files.remove(path) } }

    /// How many bytes were written: where a download that broke off goes on.
    package var written: Int { state.withLock { $0.written } }

    /// Appends bytes.
    package func write(_ bytes: ArraySlice<UInt8>) throws(ImageFailure) {
        try state.withLock { state throws(ImageFailure) in
            precondition(!state.isOver, "a finished blob takes no bytes")
            guard bytes.count <= limit - state.written else {
                throw .wrongSize(expected, expected: limit, found: state.written + bytes.count)
            }
            var rest = bytes
            do throws(SystemError) {
                while !rest.isEmpty {
                    let count = try Files.writeSome(rest, to: file.raw, name: path)
                    rest[rest.startIndex..<(rest.startIndex + count)].withUnsafeBytes { state.hash.update($0) }
                    state.written += count
                    rest = rest.dropFirst(count)
                }
            } catch { throw .system(error) }
        }
    }

    /// Appends bytes.
    package func write(_ bytes: [UInt8]) throws(ImageFailure) { try write(bytes[...]) }

    /// Forgets what was written: a server that cannot go on from the middle sends from the start.
    package func restart() throws(ImageFailure) {
        try state.withLock { state throws(ImageFailure) in
            precondition(!state.isOver, "a finished blob cannot begin again")
            do throws(SystemError) { try Files.restart(file.raw, name: path) } catch { throw .system(error) }
            state.hash = DigestBuilder(expected?.algorithm ?? .sha256)
            state.written = 0
        }
    }

    /// Checks size and digest, waits for the disk and gives the blob its name; the lease keeps it from then on.
    @discardableResult
    package func finish() throws(ImageFailure) -> (digest: Digest, size: Int) {
        try state.withLock { state throws(ImageFailure) in
            precondition(!state.isOver, "a blob is finished once")
            guard !isExact || state.written == limit else {
                throw .wrongSize(expected, expected: limit, found: state.written)
            }
            let digest = state.hash.finalize()
            if let expected, expected != digest { throw .wrongDigest(expected: expected, found: digest) }
            do throws(SystemError) {
                try Files.synchronize(file.raw, name: path)
                // Named and held in one step: a collection must not come between.
                try lease.books.gate.withLock { _ throws(SystemError) in
                    try blobs.adopt(path, as: digest)
                    lease.hold(digest)
                }
            } catch { throw .system(error) }
            state.isOver = true
            return (digest, state.written)
        }
    }
}
