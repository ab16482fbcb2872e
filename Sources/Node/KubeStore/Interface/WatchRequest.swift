/// What to watch, and from where.
package struct WatchRequest: Sendable {
    package enum Start: Sendable {
        /// What is written from now on.
        case now
        /// What was written after this revision.
        case after(Int64)
        /// Everything that is there, as added, ended by a bookmark; then what is written after that.
        case initialEvents
    }

    package var scope: ResourceScope
    package var start: Start
    /// Whether the watcher wants bookmarks now and then. The one that ends the initial events always comes.
    package var bookmarks: Bool
    /// Which objects it sees: a selector. Called on the watcher's own task.
    package var predicate: @Sendable (StoredObject) -> Bool

    package init(
        _ scope: ResourceScope, _ start: Start, bookmarks: Bool = false,
        where predicate: @escaping @Sendable (StoredObject) -> Bool = { _ in true }
    ) {
        self.scope = scope
        self.start = start
        self.bookmarks = bookmarks
        self.predicate = predicate
    }
}

/// What a watcher hears.
package enum WatchEvent: Sendable, Equatable {
    case added(StoredObject)
    case modified(StoredObject)
    /// Deleted, or changed so that the predicate holds no longer: the last content that the watcher could see, at the
    /// revision at which it went.
    case deleted(StoredObject)
    /// Everything up to this revision has been told.
    case bookmark(revision: Int64, endsInitialEvents: Bool)
}

/// A watch under way: one task reads it.
package protocol ObjectWatching: AnyObject, Sendable {
    /// The next event, waiting for it; nil when the watch was ended by `cancel`, by cancelling the task that waits, or by
    /// the end of the store.
    ///
    /// - Throws: `tooOld` when what comes next has been compacted, `slowConsumer`, `storage`; it is over then.
    func next() async throws(ObjectStoreFailure) -> WatchEvent?

    /// Ends it at once, whatever waits to be read; who waits for the next event gets nil.
    func cancel()
}

/// How much of recent events is kept in memory.
package struct WatchLimits: Sendable {
    /// Events that all watchers share, at most: those that begin within them do not read the database.
    package var windowEvents = 2048
    /// Bytes of JSON in them, at most, so that large objects push older ones out.
    package var windowBytes = 4 << 20
    /// Events that may wait for one watcher: one more ends it.
    package var buffer = 4096
    /// Bytes of JSON in them: with more, one further event ends it. They are shared among watchers, but held by the slowest.
    package var bufferBytes = 16 << 20
    /// Events read from the database at once by a watcher that began further back.
    package var batch = 256

    package init() {}
}
