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
package final class ShiftJournal: Sendable {
    static let waitingLimit = 10_000

    private struct Waiting {
        var entries: [ShiftHistoryEntry] = []
        var shifts: [String: KeptShift] = [:]
        var isWriting = false
        var lost = 0
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
            waiting.shifts[shift.state.id] = shift
            let room = Self.waitingLimit - waiting.entries.count
            waiting.lost += max(0, entries.count - room)
            waiting.entries += entries.prefix(room)
        }
        write {}
    }

    /// Writes what waits; tries once more what could not be written.
    package func flush() async {
        await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
            write { continuation.resume() }
        }
    }

    private func write(_ then: @escaping @Sendable () -> Void) {
        let taken = waiting.withLock { waiting -> ([ShiftHistoryEntry], [String: KeptShift])? in
            guard !waiting.isWriting, !waiting.entries.isEmpty || !waiting.shifts.isEmpty else { return nil }
            waiting.isWriting = true
            defer { (waiting.entries, waiting.shifts) = ([], [:]) }
            return (waiting.entries, waiting.shifts)
        }
        guard let (entries, shifts) = taken else { return then() }
        database.enqueue { store throws(StoreFailure) in
            for shift in shifts.values { try ShiftRows.save(shift, store) }
            for entry in entries { try ShiftRows.append(entry, store) }
        } then: { [self] result in
            let isMore = waiting.withLock { waiting in
                waiting.isWriting = false
                switch result {
                case .success: waiting.failure = nil
                case .failure(let failure):
                    waiting.failure = failure
                    waiting.entries = entries + waiting.entries
                    // What came since is newer.
                    waiting.shifts.merge(shifts) { newer, _ in newer }
                }
                return waiting.failure == nil && (!waiting.entries.isEmpty || !waiting.shifts.isEmpty)
            }
            if isMore { write(then) } else { then() }
        }
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
