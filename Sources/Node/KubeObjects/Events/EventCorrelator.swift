internal import JSON
internal import Linux

/// Something to tell about an object, as core/v1.Event has it.
struct EventReport: Hashable, Sendable {
    var about: JSONValue
    var namespace: String
    var source: EventReporter
    var type: String
    var reason: String
    var message: String

    init(
        _ object: KubeObject, _ resource: Resource, by source: EventReporter, type: String, reason: String,
        message: String, fieldPath: String? = nil
    ) {
        var about: JSONValue = ["kind": .string(resource.kind)]
        if let namespace = object.namespace { about["namespace"] = .string(namespace) }
        about["name"] = .string(object.name)
        about["uid"] = .string(object.uid)
        about["apiVersion"] = .string(resource.apiVersion)
        if let version = object.metadata.resourceVersion { about["resourceVersion"] = .string(version) }
        if let fieldPath { about["fieldPath"] = .string(fieldPath) }
        self.about = about
        namespace = object.namespace ?? "default"
        self.source = source
        self.type = type
        self.reason = reason
        self.message = String(message.prefix(1024))
    }

    /// The object and who says what kind of thing about it, without its version.
    fileprivate var similar: [String] { speaker + [about["fieldPath"]?.string ?? "", type, reason] }
    /// The object and who speaks of it.
    fileprivate var speaker: [String] {
        ["kind", "namespace", "name", "uid", "apiVersion"].map { about[$0]?.string ?? "" }
            + [source.component, source.host]
    }
}

/// Puts events together that say the same, as client-go's EventCorrelator does, so that a loop that fails fills no disk.
///
/// Invariants
/// 1. The same event again is counted in the one that is there. (test: `the same event again is counted`)
/// 2. Of more than ten events in ten minutes that differ only in their messages the further ones become one.
///    (test: `many similar events become one`)
/// 3. About one object at most 25 events are told at once, then one in five minutes. (test: `a flood of events is cut off`)
/// 4. It remembers at most `limit` of each. (test: `what the correlator remembers is bounded`)
struct EventCorrelator {
    static let limit = 4096
    private static let similarLimit = 10
    private static let similarSeconds: Int64 = 600
    private static let burst = 25.0
    private static let secondsPerToken = 300.0

    private struct Similar {
        var messages: Set<String> = []
        var last: Timestamp
    }

    private struct Bucket {
        var tokens: Double
        var last: Timestamp
    }

    private var known = RecentlyUsed<[String], KubeObject>(limit: limit)
    private var similar = RecentlyUsed<[String], Similar>(limit: limit)
    private var buckets = RecentlyUsed<[String], Bucket>(limit: limit)

    enum Write: Equatable {
        case create(KubeObject)
        case update(KubeObject)
    }

    /// What to store; nil when there is too much already. Its outcome has to be told by `stored` or `lost`.
    mutating func correlate(_ note: EventReport, _ now: Timestamp) -> (write: Write, key: [String])? {
        let (note, key) = aggregated(note, now)
        guard takeToken(note, now) else { return nil }
        if var event = known[key] {
            event["count"] = (event["count", default: Int64(1)] + 1) as Int64
            event["lastTimestamp"] = now.kubeTime
            event["message"] = note.message
            return (.update(event), key)
        }
        return (.create(Self.event(note, now)), key)
    }

    mutating func stored(_ event: KubeObject, _ key: [String]) { known[key] = event }

    /// It expired, or somebody removed it: the next one begins anew.
    mutating func lost(_ key: [String]) { known[key] = nil }

    private mutating func aggregated(_ note: EventReport, _ now: Timestamp) -> (EventReport, [String]) {
        var group = similar[note.similar] ?? Similar(last: now)
        if now.nanoseconds - group.last.nanoseconds > Int(Self.similarSeconds) * 1_000_000_000 { group.messages = [] }
        group.messages.insert(note.message)
        group.last = now
        let isMany = group.messages.count > Self.similarLimit
        // Ten messages with any other say that there are too many.
        if isMany { group.messages.remove(note.message) }
        similar[note.similar] = group
        guard isMany else { return (note, note.similar + [note.message]) }
        var combined = note
        combined.message = "(combined from similar events): " + note.message
        return (combined, note.similar)
    }

    private mutating func takeToken(_ note: EventReport, _ now: Timestamp) -> Bool {
        var bucket = buckets[note.speaker] ?? Bucket(tokens: Self.burst, last: now)
        let passed = Double(max(0, now.nanoseconds - bucket.last.nanoseconds)) / 1e9
        bucket.tokens = min(Self.burst, bucket.tokens + passed / Self.secondsPerToken)
        bucket.last = now
        let isAllowed = bucket.tokens >= 1
        if isAllowed { bucket.tokens -= 1 }
        buckets[note.speaker] = bucket
        return isAllowed
    }

    private static func event(_ note: EventReport, _ now: Timestamp) -> KubeObject {
        let name =
            "\(note.about["name"]?.string ?? "").\(String(UInt64(bitPattern: Int64(now.nanoseconds)), radix: 16))"
        var source: JSONValue = ["component": .string(note.source.component)]
        if !note.source.host.isEmpty { source["host"] = .string(note.source.host) }
        return KubeObject(json: [
            "kind": "Event", "apiVersion": "v1",
            "metadata": ["name": .string(name), "namespace": .string(note.namespace)],
            "involvedObject": note.about, "reason": .string(note.reason), "message": .string(note.message),
            "source": source, "firstTimestamp": .string(now.kubeTime),
            "lastTimestamp": .string(now.kubeTime), "count": 1, "type": .string(note.type),
            "reportingComponent": .string(note.source.component), "reportingInstance": .string(note.source.host),
        ])
    }
}
