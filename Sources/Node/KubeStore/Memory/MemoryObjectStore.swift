internal import Synchronization

/// The same store in memory, written to be obviously right rather than fast: it keeps everything that ever happened and
/// computes each answer from that. The contract's model, and for tests of what stands above a store.
package final class MemoryObjectStore: ObjectStoring {
    private struct State {
        var events: [ObjectEvent] = []
        var objects: [ObjectKey: StoredObject] = [:]
        var history = HistoryBounds(compacted: 0, newest: ObjectTables.firstRevision)
        var watches: [ObjectIdentifier: MemoryWatch] = [:]
        var isEnded = false
    }

    private let state = Mutex(State())
    private let bufferLimit: Int

    package init(bufferLimit: Int = WatchLimits().buffer) { self.bufferLimit = bufferLimit }

    @discardableResult
    package func commit(_ writes: [ObjectWrite]) async throws(ObjectStoreFailure) -> [WrittenObject] {
        try state.withLock { state throws(ObjectStoreFailure) in
            var after = state
            var written: [WrittenObject] = []
            for write in writes { written.append(try Self.perform(write, &after)) }
            let new = after.events[state.events.count...]
            state = after
            for event in new {
                for watch in state.watches.values { watch.tell(event) }
            }
            return written
        }
    }

    private static func perform(
        _ write: ObjectWrite, _ state: inout State
    ) throws(ObjectStoreFailure) -> WrittenObject {
        let key = write.key
        let current = state.objects[key]
        let revision = state.history.newest + 1
        let event: ObjectEvent
        switch (write.action, current) {
        case (.create(let value), nil):
            let object = StoredObject(key, createRevision: revision, revision: revision, try ObjectBody(value))
            event = ObjectEvent(kind: .added, object: object, previous: nil)
        case (.create, _): throw .alreadyExists(key)
        case (.update, nil), (.delete, nil): throw .notFound(key)
        case (_, let current?) where !write.precondition.holds(for: current):
            throw .conflict(current: current, write.precondition)
        case (.update(let value), let current?):
            let body = try ObjectBody(value)
            if body == current.body { return WrittenObject(object: current, isChanged: false) }
            let object = StoredObject(key, createRevision: current.createRevision, revision: revision, body)
            event = ObjectEvent(kind: .modified, object: object, previous: current)
        case (.delete, let current?):
            event = ObjectEvent(kind: .deleted, object: current.at(revision), previous: current)
        }
        state.events.append(event)
        state.objects[key] = event.kind == .deleted ? nil : event.object
        state.history.newest = revision
        return WrittenObject(object: event.object, isChanged: true)
    }

    package func get(_ key: ObjectKey) async throws(ObjectStoreFailure) -> StoredObject {
        guard let object = state.withLock({ $0.objects[key] }) else { throw .notFound(key) }
        return object
    }

    package func list(_ request: ListRequest) async throws(ObjectStoreFailure) -> ObjectPage {
        let start = try request.start()
        return try state.withLock { state throws(ObjectStoreFailure) in
            let revision = try request.revision(in: state.history)
            var then: [ObjectKey: StoredObject] = [:]
            for event in state.events where event.revision <= revision && request.scope.contains(event.key) {
                then[event.key] = event.kind == .deleted ? nil : event.object
            }
            let rest = then.values.sorted { $0.key < $1.key }.filter { object in start.map { $0 < object.key } ?? true }
            let objects = Array(rest.prefix(request.limit ?? .max))
            var page = ObjectPage(
                objects: objects, revision: revision, next: nil, remaining: rest.count - objects.count)
            if page.remaining > 0 {
                page.next = ContinueToken(revision: revision, scope: request.scope, last: objects.last!.key)
            }
            return page
        }
    }

    package func watch(_ request: WatchRequest) async throws(ObjectStoreFailure) -> any ObjectWatching {
        try state.withLock { state throws(ObjectStoreFailure) in
            let watch: MemoryWatch
            switch request.start {
            case .now: watch = MemoryWatch(request, [], limit: bufferLimit)
            case .after(let revision):
                guard revision <= state.history.newest else {
                    throw .futureRevision(newest: state.history.newest, asked: revision)
                }
                guard revision >= state.history.oldestWatched else {
                    throw .tooOld(oldest: state.history.oldestWatched, asked: revision)
                }
                let missed = state.events.filter { $0.revision > revision }
                watch = MemoryWatch(request, missed.compactMap { MemoryWatch.view($0, request) }, limit: bufferLimit)
            case .initialEvents:
                let there = state.objects.values.filter { request.scope.contains($0.key) && request.predicate($0) }
                let added = there.sorted { $0.key < $1.key }.map { WatchEvent.added($0) }
                let end = WatchEvent.bookmark(revision: state.history.newest, endsInitialEvents: true)
                watch = MemoryWatch(request, added + [end], limit: bufferLimit)
            }
            if state.isEnded { watch.end() } else { state.watches[ObjectIdentifier(watch)] = watch }
            return watch
        }
    }

    package func history() async throws(ObjectStoreFailure) -> HistoryBounds { state.withLock { $0.history } }

    package func compact(to revision: Int64) async throws(ObjectStoreFailure) {
        try state.withLock { state throws(ObjectStoreFailure) in
            guard revision <= state.history.newest else {
                throw .futureRevision(newest: state.history.newest, asked: revision)
            }
            guard revision > state.history.compacted else {
                throw .tooOld(oldest: state.history.compacted + 1, asked: revision)
            }
            state.history.compacted = revision
        }
    }

    package func sendBookmarks() {
        state.withLock { state in
            for watch in state.watches.values { watch.tell(bookmark: state.history.newest) }
        }
    }

    package func endWatches() {
        state.withLock { state in
            state.isEnded = true
            for watch in state.watches.values { watch.end() }
            state.watches = [:]
        }
    }
}
