package import Linux
package import NodeLogs
package import Store
internal import Synchronization

/// The ledger of a node: what was called, how it ended and what it took, each record chained to the one before it by hash.
///
/// Invariants
/// 1. What `commit` has acknowledged is on disk, together with the caller's change. (test: `what was committed is there after kill -9`)
/// 2. What was appended is on disk soon, each once and in its order, as long as the node lives.
///    (tests: `calls of many threads are recorded once each`, `calls that are written by many at once keep their order`)
/// 3. The head beside the database never runs ahead of it. (test: `the head is written after the records`)
package final class Ledger: CallLedger, CapacityLedger, Sendable {
    package let database: StateDatabase
    /// What ended calls took, for metrics.
    package let calls = CallCounters()
    package let verified = LastVerification()
    private let heads: HeadKeeper
    private let buffer: Mutex<LedgerBuffer>
    /// Held while what waits is handed to the database: groups arrive there in the order in which they were taken.
    private let handing = Mutex(())
    private let groupSpan: Duration
    let now: @Sendable () -> Timestamp
    private let remark: @Sendable (String) -> Void
    private let log: CallLog?

    /// Goes on with the ledger of a database.
    ///
    /// - Parameters:
    ///   - database: opened with `Metering.migrations`.
    ///   - headFile: where the head is kept beside the database: STATE/functions/ledger.head.
    ///   - groupSpan: how long appended calls wait for others to be written with.
    ///   - waitingLimit: bytes that may wait while the database cannot be written.
    ///   - log: takes a line for each call that has ended; nil: nobody wants them.
    ///   - remark: hears of trouble, in sentences.
    /// - Throws: when the database cannot be read. A ledger that was tampered with is a remark: calls go on, and
    ///   verification finds it for ever.
    package init(
        _ database: StateDatabase, headFile: String, groupSpan: Duration = .milliseconds(50),
        waitingLimit: Int = 128 << 20, now: @escaping @Sendable () -> Timestamp = { Clock.now() },
        log: CallLog? = nil, remark: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(StoreFailure) {
        self.database = database
        self.groupSpan = groupSpan
        self.now = now
        self.remark = remark
        self.log = log
        buffer = Mutex(LedgerBuffer(limit: waitingLimit))
        heads = try await HeadKeeper(headFile, database, remark: remark)
    }

    package func append(_ call: MeteredCall) {
        calls.count(call)
        log?(LogEvent(call))
        append(.call(call.withDigestsOfContents()))
    }

    package func append(_ capacity: ProvisionedCapacity) { append(.provisioned(capacity)) }

    package func commit(
        _ call: MeteredCall, with change: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Void,
        then: @escaping @Sendable (Result<Void, StoreFailure>) -> Void
    ) {
        let entry = LedgerEntry.call(call.withDigestsOfContents())
        let time = now()
        database.enqueue { store throws(StoreFailure) -> ChainHead in
            try change(store)
            return try LedgerWriter.append([entry], now: time, store)
        } then: { [heads, calls, log] result in
            if case .success(let head) = result {
                heads.note(head)
                calls.count(call)
                log?(LogEvent(call))
            }
            then(result.map { _ in })
        }
    }

    /// Records on disk, those of earlier runs included.
    package var recordCount: Int { heads.newestSequence }

    /// Records that wait to be written, and whether writing fails.
    package var waiting: (count: Int, isFailing: Bool) { buffer.withLock { ($0.entries.count, $0.failure != nil) } }

    package var refusal: StoreFailure? { buffer.withLock { $0.refusal } }

    /// Writes what waits, and returns when it is on disk.
    package func flush() async throws(StoreFailure) {
        let failure = await withUnsafeContinuation { (continuation: UnsafeContinuation<StoreFailure?, Never>) in
            writeWaiting { continuation.resume(returning: $0) }
        }
        // What was under way when this began has ended before, since the writer is one; it may have failed.
        if let failure = failure ?? buffer.withLock({ $0.failure }) { throw failure }
    }

    /// Writes what waits, and the head. The last call of a node that stops.
    package func close() async throws(StoreFailure) {
        try await flush()
        await heads.write()
    }

    private func append(_ entry: LedgerEntry) {
        if buffer.withLock({ $0.append(entry) }) { plan(after: groupSpan) }
    }

    private func plan(after span: Duration) {
        Task {
            try? await Task.sleep(for: span)
            writeWaiting { _ in }
        }
    }

    private func writeWaiting(then: @escaping @Sendable (StoreFailure?) -> Void) {
        handing.withLock { _ in write(buffer.withLock { $0.take() }, then: then) }
    }

    private func write(_ entries: [LedgerEntry], then: @escaping @Sendable (StoreFailure?) -> Void) {
        let time = now()
        database.enqueue { store throws(StoreFailure) -> ChainHead in
            try LedgerWriter.append(entries, now: time, store)
        } then: { [self] result in
            var failure: StoreFailure?
            switch result {
            case .success(let head): heads.note(head)
            case .failure(let error): failure = error
            }
            let (before, isMore) = buffer.withLock { ($0.failure, $0.written(entries, failure)) }
            if let failure, before == nil { remark("The ledger cannot be written and waits: \(failure)") }
            // Trying a full disk again and again at once would help nobody.
            if isMore { plan(after: failure == nil ? groupSpan : .seconds(1)) }
            then(failure)
        }
    }
}
