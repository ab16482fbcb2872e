/// What an event is to a watcher that sees only some objects: one that begins to match has come, one that matches no
/// longer is gone. As kube-apiserver does it (storage/cacher/cache_watcher.go, `convertToWatchEvent`).
enum Visibility {
    static func view(_ event: ObjectEvent, _ predicate: (StoredObject) -> Bool) -> WatchEvent? {
        // Of a deleted object the last content is what counts, and `object` has it.
        let sawBefore = event.previous.map(predicate) ?? false
        let seesNow = event.kind != .deleted && predicate(event.object)
        switch (sawBefore, seesNow) {
        case (false, false): return nil
        case (false, true): return .added(event.object)
        case (true, true): return .modified(event.object)
        // The content that it saw, at the revision at which it went.
        case (true, false): return .deleted(event.previous!.at(event.revision))
        }
    }
}
