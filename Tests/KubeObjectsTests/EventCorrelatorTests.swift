import JSON
import KubeSchema
import KubeStore
import Linux
import Synchronization
import TestKit
import Testing

@testable import KubeObjects

@Suite struct EventCorrelatorTests {
    private let start = Linux.Timestamp("2026-03-01T12:00:00Z")!

    private func later(_ seconds: Int) -> Linux.Timestamp {
        Linux.Timestamp(nanoseconds: start.nanoseconds + seconds * 1_000_000_000)
    }

    private func note(_ message: String, _ name: String = "web", reason: String = "Failed") -> EventReport {
        var object = KubeObject(json: ["metadata": ["name": .string(name), "namespace": "default"]])
        object.metadata.uid = "uid-\(name)"
        return EventReport(
            object, .deployments, by: EventReporter("test"), type: "Warning", reason: reason, message: message)
    }

    @Test func `the same event again is counted`() throws {
        var correlator = EventCorrelator()
        let one = correlator.correlate(note("it failed"), start)
        let first = try #require(one)
        guard case .create(var event) = first.write else {
            Issue.record("not created")
            return
        }
        #expect(event.json["count"] == 1)
        #expect(event.name.hasPrefix("web."))
        event.metadata.resourceVersion = "7"
        correlator.stored(event, first.key)
        let two = correlator.correlate(note("it failed"), later(5))
        let second = try #require(two)
        guard case .update(let again) = second.write else {
            Issue.record("not updated")
            return
        }
        #expect(again.json["count"] == 2)
        #expect(again.metadata.resourceVersion == "7")
        #expect(again.json["firstTimestamp"]?.string == "2026-03-01T12:00:00Z")
        #expect(again.json["lastTimestamp"]?.string == "2026-03-01T12:00:05Z")
        correlator.lost(second.key)
        let three = correlator.correlate(note("it failed"), start)
        let third = try #require(three)
        guard case .create = third.write else {
            Issue.record("not created anew")
            return
        }
    }

    @Test func `many similar events become one`() throws {
        var correlator = EventCorrelator()
        var messages: [String] = []
        for number in 0..<14 {
            let told = correlator.correlate(note("number \(number)"), start)
            let (write, key) = try #require(told)
            switch write {
            case .create(let event), .update(let event):
                messages.append(event.json["message"]?.string ?? "")
                correlator.stored(event, key)
                if number > 10 { #expect(event.json["count"] == .integer(Int64(number - 9))) }
            }
        }
        #expect(messages[9] == "number 9")
        #expect(messages[10] == "(combined from similar events): number 10")
        #expect(messages[13] == "(combined from similar events): number 13")
    }

    @Test func `a flood of events is cut off`() {
        var correlator = EventCorrelator()
        var told = 0
        for number in 0..<100 where correlator.correlate(note("x", reason: "R\(number)"), start) != nil { told += 1 }
        #expect(told == 25)
        let early = correlator.correlate(note("x"), later(299))
        #expect(early.map(\.key) == nil)
        let late = correlator.correlate(note("x"), later(301))
        #expect(late.map(\.key) != nil)
        let other = correlator.correlate(note("x", "other"), start)
        #expect(other.map(\.key) != nil)
    }

    @Test func `what the correlator remembers is bounded`() {
        var memory = RecentlyUsed<Int, Int>(limit: 100)
        for number in 0..<1000 {
            memory[number] = number
            _ = memory[0]
        }
        #expect(memory.count <= 100)
        let found = [memory[0], memory[999], memory[500]]
        #expect(found == [0, 999, nil])
    }
}

/// What is recorded, and who waits for it: nobody.
@Suite(.timeLimit(.minutes(1))) struct EventRecorderTests {
    /// Keeps what is created.
    private final class Keeping: ObjectClient {
        let made = Mutex<[KubeObject]>([])

        func get(_ resource: Resource, namespace: String?, _ name: String) async throws(APIFailure) -> KubeObject {
            throw .notFound(resource, name)
        }

        func list(
            _ resource: Resource, namespace: String?, labels: LabelSelector
        ) async throws(APIFailure) -> [KubeObject] { [] }

        func create(_ resource: Resource, _ object: KubeObject) async throws(APIFailure) -> KubeObject {
            made.withLock { $0.append(object) }
            return object
        }

        func update(
            _ resource: Resource, _ object: KubeObject, subresource: String?
        ) async throws(APIFailure) -> KubeObject { object }

        func delete(
            _ resource: Resource, namespace: String?, _ name: String, _ options: DeletionOptions
        ) async throws(APIFailure) {}
    }

    private func pod(_ number: Int) -> KubeObject {
        KubeObject(json: [
            "metadata": ["name": .string("web-\(number)"), "namespace": "default", "uid": .string("uid-\(number)")]
        ])
    }

    @Test func `events that nobody takes are dropped and hold nobody up`() async {
        let client = Keeping()
        let recorder = EventRecorder(client)
        for number in 0..<(EventRecorder.limit + 10) {
            recorder.record(
                pod(number), .pods, by: EventReporter("kubelet", host: "one"), type: "Normal", reason: "Started",
                message: "Container started", fieldPath: "spec.containers{main}")
        }
        recorder.finish()
        await recorder.run()
        let made = client.made.withLock { $0 }
        #expect(made.count == EventRecorder.limit)
        #expect(made.first?.json["involvedObject"]?["name"] == "web-10")
        let event = made.last?.json
        #expect(event?["source"] == ["component": "kubelet", "host": "one"])
        #expect(event?["reportingInstance"] == "one")
        #expect(event?["involvedObject"]?["fieldPath"] == "spec.containers{main}")
    }
}
