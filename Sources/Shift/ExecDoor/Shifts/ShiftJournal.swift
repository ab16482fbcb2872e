internal import Linux
package import Store
internal import Synchronization

/// Writes shifts and their history into the node's database.
///
/// What a person asks for is on the disk before it is answered (`commit`); what happens by itself is written at once, and
/// kept and tried again while the disk is full.
///
/// Invariants (tests in ShiftJournalTests)
/// 1. While the database cannot be written nothing is lost up to `waitingLimit` entries, and their order stays.
///    (`what happens while the disk is full is written when there is room`)
/// 2. Who waits for what was noted is told when it is on the disk, not before. (`flushing waits for what is being written`)
package final class ShiftJournal: Sendable {
    static let waitingLimit = 10_000

    /// What is written together, and who waits for it.
    private struct Batch {
        var entries: [ShiftHistoryEntry] = []
        var shifts: [String: KeptShift] = [:]
        var waiters: [@Sendable () -> Void] = []

        var isEmpty: Bool { entries.isEmpty && shifts.isEmpty }

        func tellWaiters() { for waiter in waiters { waiter() } }
    }

    private struct Waiting {
        var batch = Batch()
        var isWriting = false
        var failure: StoreFailure?
    }

    private let database: StateDatabase
    private let waiting = Mutex(Waiting())

    package init(_ database: StateDatabase) { self.database = database }

    /// Why the last writing has failed; nil: all is well.
    package var failure: StoreFailure? { waiting.withLock { $0.failure } }

    /// Writes a shift and entries, and returns when they are on the disk.
    package func commit(_ shift: KeptShift, _ entries: [ShiftHistoryEntry]) async throws(StoreFailure) {
        // What waits came before.
        await flush()
        try await database.write { store throws(StoreFailure) in
            try ShiftRows.save(shift, store)
            for entry in entries { try ShiftRows.append(entry, store) }
        }
    }

    /// Forgets a shift that never came to be.
    package func remove(_ id: String) async throws(StoreFailure) {
        try await database.write { store throws(StoreFailure) in try ShiftRows.remove(id, store) }
    }

    /// Has a shift and entries written soon.
    package func note(_ shift: KeptShift, _ entries: [ShiftHistoryEntry] = []) {
        waiting.withLock { waiting in
            waiting.batch.shifts[shift.state.id] = shift
            waiting.batch.entries += entries.prefix(Self.waitingLimit - waiting.batch.entries.count)
        }
        write()
    }

    /// Returns when all that was noted before is on the disk, or could not be written: `failure` says which.
    package func flush() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            waiting.withLock { $0.batch.waiters.append { continuation.resume() } }
            write()
        }
    }

    /// Writes what waits, unless a write is under way: then it follows that one.
    private func write() {
        let taken = waiting.withLock { waiting -> Batch? in
            guard !waiting.isWriting else { return nil }
            waiting.isWriting = !waiting.batch.isEmpty
            defer { waiting.batch = Batch() }
            return waiting.batch
        }
        guard let batch = taken else { return }
        guard !batch.isEmpty else { return batch.tellWaiters() }
        database.enqueue { store throws(StoreFailure) in
            for shift in batch.shifts.values { try ShiftRows.save(shift, store) }
            for entry in batch.entries { try ShiftRows.append(entry, store) }
        } then: { [self] result in
            wrote(batch, result)
            batch.tellWaiters()
        }
    }

    private func wrote(_ batch: Batch, _ result: Result<Void, StoreFailure>) {
        let waiters = waiting.withLock { waiting -> [@Sendable () -> Void] in
            waiting.isWriting = false
            guard case .failure(let failure) = result else {
                waiting.failure = nil
                return []
            }
            waiting.failure = failure
            waiting.batch.entries = Array((batch.entries + waiting.batch.entries).prefix(Self.waitingLimit))
            // What came since is newer.
            waiting.batch.shifts.merge(batch.shifts) { newer, _ in newer }
            // Who came since would wait for a disk that is full.
            defer { waiting.batch.waiters = [] }
            return waiting.batch.waiters
        }
        for waiter in waiters { waiter() }
        if case .success = result { write() }
    }

    package func shifts() async throws(StoreFailure) -> [KeptShift] {
        try await database.read { store throws(StoreFailure) in try ShiftRows.all(store) }
    }

    package func history(of id: String, limit: Int) async throws(StoreFailure) -> [ShiftHistoryEntry] {
        await flush()
        return try await database.read { store throws(StoreFailure) in
            try ShiftRows.history(of: id, limit: limit, store)
        }
    }
}
