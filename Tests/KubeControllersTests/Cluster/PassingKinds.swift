import JSON
import KubeSchema
import Synchronization

@testable import KubeControllers
@testable import KubeObjects

/// Kubernetes' kinds, and custom ones that come and go as a test says.
final class PassingKinds: KindCatalog {
    private struct State {
        var custom: [ServedKind] = []
        var generation = 1
        var listeners: [AsyncStream<Void>.Continuation] = []
    }

    private let state = Mutex(State())

    static let widgets = Resource(
        group: "example.com", version: "v1", plural: "widgets", kind: "Widget", isNamespaced: true)

    func set(_ resources: [Resource]) {
        let listeners = state.withLock { state in
            state.custom = resources.map { Self.served($0) }
            state.generation += 1
            return state.listeners
        }
        for listener in listeners { listener.yield() }
    }

    private static func served(_ resource: Resource) -> ServedKind {
        let shape = Schema.kubernetes.kind(group: "", version: "v1", plural: "configmaps")!
        let kind = Kind(
            id: resource.gvk, plural: resource.plural, singular: resource.kind.lowercased(),
            isNamespaced: resource.isNamespaced, type: shape.type)
        return ServedKind(
            kind, in: .kubernetes,
            custom: CustomKind(
                definition: "\(resource)", listKind: resource.kind + "List", openAPI: [:],
                scale: CustomKind.ScalePaths(
                    specReplicas: ["spec", "size"], statusReplicas: ["status", "size"],
                    labelSelector: ["status", "selector"])))
    }

    func kind(group: String, version: String, plural: String) -> ServedKind? {
        kinds.first { $0.resource.group == group && $0.resource.version == version && $0.resource.plural == plural }
    }

    var kinds: [ServedKind] { BuiltInKinds().kinds + state.withLock { $0.custom } }
    var generation: Int { state.withLock { $0.generation } }

    func changes() -> AsyncStream<Void> {
        let (stream, continuation) = AsyncStream<Void>.makeStream()
        state.withLock { $0.listeners.append(continuation) }
        continuation.yield()
        return stream
    }
}
