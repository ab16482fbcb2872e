/// Collects a stream up to its end or, once the program has ended, as far as it holds something: a descendant may keep
/// the stream open.
///
/// Invariant: what a program has written before its end is collected, whenever the news of the end comes. Whether it has
/// ended is asked before each read and never after it. (test: `what is written between a look and the end is collected`)
enum OutputCollection {
    /// What a pipe can hold after its program has ended, as the kernel lets an ordinary user enlarge it
    /// (/proc/sys/fs/pipe-max-size): beyond it somebody else is writing.
    static let drainBytesLimit = 1 << 20

    /// - Parameters:
    ///   - limit: bytes.
    ///   - hasEnded: whether the program has.
    ///   - read: reads once without waiting.
    ///   - wait: until there is something to read, or the program has ended.
    /// - Returns: nil when it is longer than the limit.
    static func collect(
        limit: Int, hasEnded: () -> Bool, read: () throws(SpawnError) -> ProgramOutput.Iterator.Outcome,
        wait: () async throws(SpawnError) -> Void
    ) async throws(SpawnError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var drained = 0
        while drained <= drainBytesLimit {
            let isOver = hasEnded()
            switch try read() {
            case .end: return bytes
            case .bytes(let chunk):
                guard bytes.count + chunk.count <= limit else { return nil }
                bytes += chunk
                if isOver { drained += chunk.count }
            case .wouldWait:
                if isOver { return bytes }
                try await wait()
            }
        }
        return bytes
    }
}
