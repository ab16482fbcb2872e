import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import Testing

@testable import KubeControllers

@Suite(.timeLimit(.minutes(1)))
struct ActionPerformerTests {
    /// Decides what it was told, whatever there is.
    private struct Fixed: Controller {
        let actions: [ObjectAction]
        var name: String { "fixed" }
        var resources: [Resource] { [.configMaps] }
        func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey] { [change.key] }
        func decide(_ key: ObjectKey, in view: any ObjectView, now: Linux.Timestamp) -> Decision { Decision(actions) }
    }

    private func work(_ actions: [ObjectAction], _ api: WorkloadAPI) async -> WorkQueue.Outcome {
        let clock = StoppedClock()
        let performer = ActionPerformer(
            controller: Fixed(actions: actions), view: LaggedView(api, [.configMaps]), client: api,
            recorder: EventRecorder(api, now: { clock.now }), clock: clock, report: { _ in })
        return await performer.work(Resource.configMaps.key(namespace: "default", "a"))
    }

    @Test func `after an action that fails the rest is left`() async throws {
        let api = WorkloadAPI(MemoryObjectStore(), clock: StoppedClock())
        let object = Fixture.object(.configMaps, "a", [:])
        let outcome = await work(
            [
                .create(.configMaps, object), .create(.configMaps, object),
                .create(.configMaps, Fixture.object(.configMaps, "b", [:])),
            ], api)
        #expect(outcome.hasFailed)
        #expect(outcome.expectations.count == 1)
        #expect(try await api.list(.configMaps, namespace: nil, labels: .everything).map(\.name) == ["a"])
    }

    @Test func `two updates of one object in a decision do not conflict`() async throws {
        let api = WorkloadAPI(MemoryObjectStore(), clock: StoppedClock())
        var object = try await api.create(.configMaps, Fixture.object(.configMaps, "a", [:]))
        object.metadata.annotations["one"] = "1"
        var second = object
        second.metadata.annotations["two"] = "2"
        let outcome = await work([.update(.configMaps, object), .update(.configMaps, second)], api)
        #expect(!outcome.hasFailed)
        #expect(try await api.get(.configMaps, namespace: "default", "a").metadata.annotations.count == 2)
    }

    @Test func `what was made just before a namespace's deletion goes before it`() async throws {
        let api = WorkloadAPI(MemoryObjectStore(), clock: StoppedClock())
        try await api.create(.namespaces, KubeObject(json: ["metadata": ["name": "default"]]))
        try await api.create(.configMaps, Fixture.object(.configMaps, "late", [:]))
        let actions: [ObjectAction] = [
            .confirmEmpty([.secrets, .configMaps], namespace: "default"),
            .delete(.namespaces, namespace: nil, name: "default", DeletionOptions()),
        ]
        #expect(await work(actions, api).hasFailed)
        #expect(try await api.list(.namespaces, namespace: nil, labels: .everything).count == 1)
        try await api.delete(.configMaps, namespace: "default", "late", DeletionOptions())
        #expect(await !work(actions, api).hasFailed)
        #expect(try await api.list(.namespaces, namespace: nil, labels: .everything).isEmpty)
    }
}
