internal import Synchronization

/// A watch of the store in memory: every event is put into a stream as it happens.
final class MemoryWatch: ObjectWatching {
    private let request: WatchRequest
    private let limit: Int
    private let stream: AsyncStream<WatchEvent>
    private let events: AsyncStream<WatchEvent>.Continuation
    private let failure = Mutex<ObjectStoreFailure?>(nil)
    private let isCancelled = Mutex(false)

    /// - Parameter first: what it begins with, which counts in no limit.
    init(_ request: WatchRequest, _ first: [WatchEvent], limit: Int) {
        self.request = request
        self.limit = limit
        (stream, events) = AsyncStream.makeStream(bufferingPolicy: .bufferingOldest(first.count + limit))
        for event in first { events.yield(event) }
    }

    /// What a watcher is told of an event.
    static func view(_ event: ObjectEvent, _ request: WatchRequest) -> WatchEvent? {
        guard request.scope.contains(event.key) else { return nil }
        let before = event.previous.map { request.predicate($0) } ?? false
        let after = event.kind == .deleted ? false : request.predicate(event.object)
        if before && after { return .modified(event.object) }
        if after { return .added(event.object) }
        if before { return .deleted(event.previous!.at(event.revision)) }
        return nil
    }

    func tell(_ event: ObjectEvent) {
        guard let seen = Self.view(event, request), case .dropped = events.yield(seen) else { return }
        failure.withLock { $0 = .slowConsumer(limit: limit) }
        events.finish()
    }

    func tell(bookmark revision: Int64) {
        // One that finds no room is left out.
        if request.bookmarks { events.yield(.bookmark(revision: revision, endsInitialEvents: false)) }
    }

    func next() async throws(ObjectStoreFailure) -> WatchEvent? {
        for await event in stream { return isCancelled.withLock { $0 } ? nil : event }
        let failure = failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        if let failure { throw failure }
        return nil
    }

    /// Ends it when what waits has been read.
    func end() { events.finish() }

    func cancel() {
        isCancelled.withLock { $0 = true }
        end()
    }
}
