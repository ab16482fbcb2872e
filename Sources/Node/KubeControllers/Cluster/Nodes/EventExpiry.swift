internal import JSON
package import KubeObjects
package import KubeStore
package import Linux

/// Events go an hour after they happened last (--event-ttl).
///
/// The keys are minutes rather than events: an event that comes costs nothing but its minute being noted, and once a minute
/// all that is due goes.
package struct EventExpiry: Controller {
    package let name = "event-expiry"
    package let resources: [Resource] = [.events]
    private let lifetime: Int64

    /// - Parameter lifetime: seconds.
    package init(lifetime: Int64 = 3600) { self.lifetime = lifetime }

    package func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] {
        guard let event = change.new, let end = end(event.value) else { return [] }
        // The end of its minute.
        return [Resource.nodes.key(String(end.nanoseconds / 60_000_000_000 + 1))]
    }

    package func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision {
        guard let minute = Int(key.name), minute >= 0, minute < Int.max / 60_000_000_000 else { return Decision() }
        let due = Timestamp(nanoseconds: minute * 60_000_000_000)
        guard due <= now else { return Decision(again: due) }
        return Decision(
            view.objects(.events, namespace: nil).filter { event in end(event.value).map { $0 <= now } ?? false }
                .sorted { $0.key < $1.key }.map { event in
                    let options = DeletionOptions(uid: event.uid, resourceVersion: event.resourceVersion)
                    return .delete(.events, namespace: event.key.namespace, name: event.key.name, options)
                })
    }

    /// When an event has to go.
    private func end(_ event: JSONValue) -> Timestamp? {
        let times = [
            event["series", "lastObservedTime"], event["lastTimestamp"], event["eventTime"], event["firstTimestamp"],
            event["metadata", "creationTimestamp"],
        ]
        return times.compactMap { $0?.string.flatMap { Timestamp($0) } }.max()?.later(bySeconds: lifetime)
    }
}
