import JSON
import KubeObjects
import Linux
import Synchronization

/// Tells what happens to pods as Events: core/v1.Event. What happens again is counted in the Event that there is.
///
/// Invariant: who tells never waits, and what waits is bounded: beyond `limit` the oldest is dropped.
/// (test: `events that nobody takes are dropped and hold nobody up`)
final class EventRecorder: Sendable {
    private struct Told: Sendable {
        var pod: KubeObject
        var note: EventNote
        var at: Timestamp
    }

    private struct Key: Hashable {
        var uid: String
        var container: String?
        var reason: String
        var message: String
    }

    static let limit = 1000

    private let client: any ObjectClient
    private let nodeName: String
    private let words: AsyncStream<Told>
    private let mailbox: AsyncStream<Told>.Continuation

    init(client: any ObjectClient, nodeName: String) {
        self.client = client
        self.nodeName = nodeName
        (words, mailbox) = AsyncStream<Told>.makeStream(bufferingPolicy: .bufferingNewest(Self.limit))
    }

    func tell(_ note: EventNote, of pod: KubeObject, at time: Timestamp) {
        mailbox.yield(Told(pod: pod, note: note, at: time))
    }

    func finish() { mailbox.finish() }

    /// Writes until `finish`.
    func run() async {
        var names: [Key: String] = [:]
        for await told in words {
            let key = Key(
                uid: told.pod.uid, container: told.note.container, reason: told.note.reason, message: told.note.message)
            if let name = names[key], await count(name, told) { continue }
            if names.count >= Self.limit { names = [:] }
            names[key] = await make(told)
        }
    }

    /// - Returns: whether the Event is still there.
    private func count(_ name: String, _ told: Told) async -> Bool {
        let changed = try? await client.modify(.events, namespace: told.pod.namespace, name) { event in
            event.json["count"] = .integer((event.json["count"]?.integer ?? 1) + 1)
            event.json["lastTimestamp"] = .string(told.at.kubeTime)
            return true
        }
        return changed != nil
    }

    /// Nobody needs an Event so much that its failure would be worth anything more.
    private func make(_ told: Told) async -> String? {
        let pod = told.pod
        let name = "\(pod.name).\(String(UInt64(bitPattern: Int64(told.at.nanoseconds)), radix: 16))"
        var subject: JSONValue = [
            "apiVersion": "v1", "kind": "Pod", "namespace": .string(pod.namespace ?? "default"),
            "name": .string(pod.name),
            "uid": .string(pod.uid),
        ]
        if let container = told.note.container {
            let lists = ["containers", "initContainers", "ephemeralContainers"]
            let list = lists.first { key in pod.spec[key]?.array?.contains { $0["name"]?.string == container } ?? false
            }
            subject["fieldPath"] = .string("spec.\(list ?? "containers"){\(container)}")
        }
        let time = JSONValue.string(told.at.kubeTime)
        let event: JSONValue = [
            "apiVersion": "v1", "kind": "Event",
            "metadata": ["name": .string(name), "namespace": .string(pod.namespace ?? "default")],
            "involvedObject": subject, "reason": .string(told.note.reason),
            "message": .string(String(told.note.message.prefix(1024))),
            "source": ["component": "kubelet", "host": .string(nodeName)], "firstTimestamp": time,
            "lastTimestamp": time,
            "count": 1, "type": .string(told.note.kind.rawValue), "eventTime": .null, "reportingComponent": "kubelet",
            "reportingInstance": .string(nodeName),
        ]
        return (try? await client.create(.events, KubeObject(json: event)))?.name
    }
}
