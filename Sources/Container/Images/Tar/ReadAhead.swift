internal import Glibc
internal import Linux
internal import Synchronization

/// Decompresses and hashes on a thread of its own, a few blocks ahead of the one that writes files: either would
/// otherwise wait for the other.
///
/// Invariants
/// 1. A slot is with one thread at a time: `free` counts those that may be filled, `filled` those that may be read.
///    (test: `both digests are those of sha256sum`)
/// 2. The thread ends when the reader is gone, at the latest after the read that it is in.
///    (test: `a reader that gives up leaves no thread and no descriptor behind`)
final class ReadAhead: BlockSource {
    private static let depth = 4
    private let line: Line
    /// The slot that is read now, or next when `isHolding` is false.
    private var slot = 0
    private var isHolding = false

    init(_ bytes: ArchiveBytes) throws(ArchiveFailure) {
        let line = Line(bytes)
        self.line = line
        do throws(SystemError) {
            try HelperThread.start("forkless-inflate") { line.run() }
        } catch { throw ArchiveFailure(error) }
    }

    deinit {
        line.isAbandoned.store(true, ordering: .releasing)
        line.free.post()
    }

    var totals: ArchiveTotals { line.bytes.totals }

    func nextBlock() throws(ArchiveFailure) -> UnsafeRawBufferPointer {
        if isHolding {
            slot = (slot + 1) % Self.depth
            isHolding = false
            line.free.post()
        }
        line.filled.wait()
        let current = line.slots[slot]
        if current.failure == nil, current.count > 0 {
            isHolding = true
            return UnsafeRawBufferPointer(rebasing: current.bytes[..<current.count])
        }
        // The end and a failure stay for whoever asks again.
        line.filled.post()
        if let failure = current.failure { throw failure }
        return UnsafeRawBufferPointer(start: nil, count: 0)
    }

    private final class Line: @unchecked Sendable {
        // The slots pass between the threads by the semaphores (sem_post synchronises memory).
        let bytes: ArchiveBytes
        let slots = (0..<ReadAhead.depth).map { _ in Block() }
        let free = Semaphore(UInt32(ReadAhead.depth))
        let filled = Semaphore(0)
        let isAbandoned = Atomic(false)

        init(_ bytes: ArchiveBytes) { self.bytes = bytes }

        func run() {
            var at = 0
            while true {
                free.wait()
                if isAbandoned.load(ordering: .acquiring) { return }
                let slot = slots[at]
                do throws(ArchiveFailure) {
                    slot.count = try bytes.fill(slot.bytes)
                } catch { slot.failure = error }
                let isLast = slot.count == 0 || slot.failure != nil
                filled.post()
                if isLast { return }
                at = (at + 1) % ReadAhead.depth
            }
        }
    }
}

/// A counting semaphore, sem_overview(7).
private final class Semaphore: @unchecked Sendable {
    // Sendable by nature: sem_post and sem_wait may be called from any thread at once.
    private let semaphore: UnsafeMutablePointer<sem_t>

    init(_ count: UInt32) {
        semaphore = .allocate(capacity: 1)
        sem_init(semaphore, 0, count)
    }

    func post() { sem_post(semaphore) }
    func wait() { while sem_wait(semaphore) != 0 {} }

    deinit {
        sem_destroy(semaphore)
        semaphore.deallocate()
    }
}
