/// A watch of the store: live out of memory, and out of the database until it is.
final class ObjectWatch: ObjectWatching {
    /// Events of the history behind a position.
    typealias Read = @Sendable (ResourceScope, Int64) async throws(ObjectStoreFailure) -> HistoryReading.Batch

    private let buffer: WatchBuffer
    private let hub: WatchHub
    private let predicate: @Sendable (StoredObject) -> Bool
    private let read: Read

    init(
        _ buffer: WatchBuffer, _ hub: WatchHub, _ predicate: @escaping @Sendable (StoredObject) -> Bool,
        read: @escaping Read
    ) {
        self.buffer = buffer
        self.hub = hub
        self.predicate = predicate
        self.read = read
    }

    deinit { cancel() }

    func next() async throws(ObjectStoreFailure) -> WatchEvent? {
        while true {
            switch await buffer.take() {
            case .item(let item):
                if let event = view(item) { return event }
            case .behind:
                if !hub.join(buffer) { await readOn() }
            case .ended(let failure):
                hub.leave(buffer)
                if let failure { throw failure }
                return nil
            }
        }
    }

    private func view(_ item: WatchBuffer.Item) -> WatchEvent? {
        switch item {
        case .listed(let object): predicate(object) ? .added(object) : nil
        case .event(let event): Visibility.view(event, predicate)
        case .bookmark(let revision, let endsInitialEvents):
            .bookmark(revision: revision, endsInitialEvents: endsInitialEvents)
        }
    }

    private func readOn() async {
        do throws(ObjectStoreFailure) {
            let batch = try await read(buffer.scope, buffer.position)
            _ = buffer.fill(batch.events.map { .event($0) }, upTo: batch.position, isLive: false)
        } catch { buffer.end(error) }
    }

    func cancel() {
        buffer.cancel()
        hub.leave(buffer)
    }
}
