package import Store

/// The objects of Kubernetes' API in the node's database.
///
/// Writers share commits of the database; watchers are told on the thread that commits, in its order, before the writer
/// hears that it is done. Who reads sees the state of one moment and waits for nobody.
///
/// Only one process may write: revisions are counted by who commits.
package final class ObjectStore: ObjectStoring {
    /// For whoever opens the database.
    package static let migrations = [ObjectTables.migration]

    private let database: StateDatabase
    private let limits: WatchLimits
    let hub: WatchHub

    private init(_ database: StateDatabase, _ history: HistoryBounds, _ limits: WatchLimits) {
        self.database = database
        self.limits = limits
        hub = WatchHub(history, limits)
    }

    /// - Parameter database: opened with `migrations`, among those of others.
    package static func open(
        _ database: StateDatabase, limits: WatchLimits = WatchLimits()
    ) async throws(ObjectStoreFailure) -> ObjectStore {
        let history: HistoryBounds
        do throws(StoreFailure) {
            history = try await database.read { reader throws(StoreFailure) in try ObjectTables.history(reader) }
        } catch { throw .storage(error) }
        return ObjectStore(database, history, limits)
    }

    deinit { hub.end() }

    @discardableResult
    package func commit(_ writes: [ObjectWrite]) async throws(ObjectStoreFailure) -> [WrittenObject] {
        let encoded = try writes.map { write throws(ObjectStoreFailure) in try EncodedWrite(write) }
        let result = await withUnsafeContinuation { (continuation: UnsafeContinuation<Decided, Never>) in
            database.enqueue { transaction throws(StoreFailure) in
                try ObjectWriting.perform(encoded, transaction)
            } then: { [hub] result in
                if case .success(.success(let outcomes)) = result {
                    hub.publish(outcomes.compactMap { if case .changed(let event) = $0 { event } else { nil } })
                }
                continuation.resume(returning: result)
            }
        }
        return try result.unwrapped().map(\.written)
    }

    private typealias Decided = Result<Result<[WriteDecision.Outcome], ObjectStoreFailure>, StoreFailure>

    package func get(_ key: ObjectKey) async throws(ObjectStoreFailure) -> StoredObject {
        let object = try await read { reader throws(StoreFailure) in .success(try ObjectTables.object(key, reader)) }
        guard let object else { throw .notFound(key) }
        return object
    }

    package func list(_ request: ListRequest) async throws(ObjectStoreFailure) -> ObjectPage {
        let start = try request.start()
        return try await read { reader throws(StoreFailure) in
            try ObjectListing.page(request, after: start, reader)
        }
    }

    package func history() async throws(ObjectStoreFailure) -> HistoryBounds {
        try await read { reader throws(StoreFailure) in .success(try ObjectTables.history(reader)) }
    }

    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Result<Value, ObjectStoreFailure>
    ) async throws(ObjectStoreFailure) -> Value {
        let result: Result<Value, ObjectStoreFailure>
        do throws(StoreFailure) { result = try await database.read(body) } catch { throw .storage(error) }
        return try result.get()
    }

    package func compact(to revision: Int64) async throws(ObjectStoreFailure) {
        try await write { transaction throws(StoreFailure) in try Compaction.declare(revision, transaction) }
        hub.compacted(to: revision)
        var position: Int64? = 0
        while let start = position {
            position = try await write { transaction throws(StoreFailure) in
                .success(try Compaction.remove(after: start, to: revision, transaction))
            }
        }
    }

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (any StoreTransaction) throws(StoreFailure) -> Result<Value, ObjectStoreFailure>
    ) async throws(ObjectStoreFailure) -> Value {
        let result: Result<Value, ObjectStoreFailure>
        do throws(StoreFailure) { result = try await database.write(body) } catch { throw .storage(error) }
        return try result.get()
    }

    package func sendBookmarks() { hub.sendBookmarks() }

    package func endWatches() { hub.end() }

    package func watch(_ request: WatchRequest) async throws(ObjectStoreFailure) -> any ObjectWatching {
        let buffer = WatchBuffer(
            request.scope, limit: limits.buffer, bytes: limits.bufferBytes, wantsBookmarks: request.bookmarks)
        switch request.start {
        case .now: hub.joinNow(buffer)
        case .after(let revision):
            try await check(revision)
            _ = buffer.fill([], upTo: revision, isLive: false)
            // Where the window does not reach, the watcher reads on by itself.
            _ = hub.join(buffer)
        case .initialEvents:
            let page = try await list(ListRequest(request.scope))
            let items = page.objects.map { WatchBuffer.Item.listed($0) }
            let end = WatchBuffer.Item.bookmark(page.revision, endsInitialEvents: true)
            _ = buffer.fill(items + [end], upTo: page.revision, isLive: false)
        }
        return ObjectWatch(buffer, hub, request.predicate) {
            [database, limits] scope, position throws(ObjectStoreFailure) in
            let result: Result<HistoryReading.Batch, ObjectStoreFailure>
            do throws(StoreFailure) {
                result = try await database.read { reader throws(StoreFailure) in
                    try HistoryReading.batch(scope, after: position, limit: limits.batch, reader)
                }
            } catch { throw .storage(error) }
            return try result.get()
        }
    }

    /// Whether can be watched behind a revision.
    private func check(_ revision: Int64) async throws(ObjectStoreFailure) {
        var history = hub.history
        // What was read from the database may not have been published yet.
        if revision > history.newest { history = try await self.history() }
        guard revision <= history.newest else { throw .futureRevision(newest: history.newest, asked: revision) }
        guard revision >= history.oldestWatched else { throw .tooOld(oldest: history.oldestWatched, asked: revision) }
    }
}
