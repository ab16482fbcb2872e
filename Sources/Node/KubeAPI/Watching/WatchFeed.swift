import JSON
import KubeObjects
import KubeStore
import Synchronization

/// A watch as the parts of an answer: one line for each event, until its time is over, the client goes, or it fails.
///
/// Invariants
/// 1. A failure is the last event, of type ERROR. (test: `a watch of what is compacted ends with 410 Gone`)
/// 2. It ends when its time is over. (test: `a watch ends after its time`)
final class WatchFeed: APIParts {
    private let watch: (any ObjectWatching)?
    private let encoder: WatchEncoder
    private let shared: EncodedEvents
    /// Whether bookmarks are shown, and the one that ends the initial events.
    private let showsBookmarks: Bool
    private let showsEnd: Bool
    private let timer: Task<Void, Never>?
    /// What is said before the end.
    private let failure: Mutex<APIFailure?>
    private let isFirst = Mutex(true)

    init(
        _ watch: any ObjectWatching, _ encoder: WatchEncoder, _ shared: EncodedEvents, showsBookmarks: Bool,
        showsEnd: Bool, lasting duration: Duration, _ clock: any WaitingClock
    ) {
        self.watch = watch
        self.encoder = encoder
        self.shared = shared
        self.showsBookmarks = showsBookmarks
        self.showsEnd = showsEnd
        failure = Mutex(nil)
        timer = Task {
            guard (try? await clock.sleep(for: duration)) != nil else { return }
            watch.cancel()
        }
    }

    /// One that could not begin.
    init(_ failure: APIFailure, _ encoder: WatchEncoder, _ shared: EncodedEvents) {
        watch = nil
        self.encoder = encoder
        self.shared = shared
        (showsBookmarks, showsEnd) = (false, false)
        timer = nil
        self.failure = Mutex(failure)
    }

    deinit {
        timer?.cancel()
        watch?.cancel()
    }

    func next() async -> [UInt8]? {
        while let watch {
            do throws(ObjectStoreFailure) {
                guard let event = try await watch.next() else { break }
                if case .bookmark(_, let ends) = event, !(ends ? showsEnd : showsBookmarks) { continue }
                let isFirst = isFirst.withLock { isFirst in
                    defer { isFirst = false }
                    return isFirst
                }
                return encoder.line(event, isFirst: isFirst, shared)
            } catch {
                let said = Self.failure(error)
                failure.withLock { $0 = said }
                break
            }
        }
        timer?.cancel()
        let last = failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        return last.map { WatchEncoder.line("ERROR", JSONWriter.bytes($0.status)) }
    }

    func cancel() {
        timer?.cancel()
        watch?.cancel()
    }

    static func failure(_ failure: ObjectStoreFailure) -> APIFailure {
        switch failure {
        case .tooOld(let oldest, let asked):
            APIFailure(410, "Expired", "too old resource version: \(asked) (\(oldest))")
        case .slowConsumer: APIFailure(410, "Expired", "The watch was too slow: \(failure)")
        default: APIFailure.internalError(failure.description)
        }
    }
}

extension APIServer {
    func watch(
        _ call: Call, _ options: ListOptions, _ encoder: WatchEncoder
    ) async -> WatchFeed {
        let scope = call.resource.scope(namespace: call.namespace)
        let sendsAll = options.sendsInitialEvents ?? false
        let start: WatchRequest.Start
        switch options.resourceVersion {
        case _ where sendsAll: start = .initialEvents
        case nil where options.sendsInitialEvents == false: start = .now
        case nil, 0: start = .initialEvents
        case let revision?: start = .after(revision)
        }
        let matches: @Sendable (StoredObject) -> Bool = { options.selectsAll || options.matches($0, call) }
        do throws(ObjectStoreFailure) {
            if sendsAll, let least = options.resourceVersion {
                let newest = try await store.history().newest
                guard least <= newest else { throw .futureRevision(newest: newest, asked: least) }
            }
            let watch = try await store.watch(
                WatchRequest(scope, start, bookmarks: options.allowsBookmarks, where: matches))
            return WatchFeed(
                watch, encoder, encoded, showsBookmarks: options.allowsBookmarks,
                showsEnd: sendsAll && options.allowsBookmarks, lasting: options.timeout ?? ordinaryDuration(), clock)
        } catch {
            let failure: APIFailure
            if case .futureRevision = error {
                failure = APIFailure(error, call.resource, "")
            } else {
                failure = WatchFeed.failure(error)
            }
            return WatchFeed(failure, encoder, encoded)
        }
    }

    /// Watches that began together do not end together.
    private func ordinaryDuration() -> Duration {
        settings.watchDuration + settings.watchDuration * Int(chance.below(1024)) / 1024
    }
}
