import KubeObjects
import KubeStore
import Synchronization

@testable import KubeControllers

/// A cache that is told what happened only when the test says so.
final class LaggedView: DatedView {
    private struct State {
        var objects: [String: [ObjectKey: StoredObject]] = [:]
        var places: [String: Int] = [:]
        var revisions: [String: Int64] = [:]
    }

    private let api: WorkloadAPI
    let resources: [Resource]
    private let state = Mutex(State())

    init(_ api: WorkloadAPI, _ resources: [Resource]) {
        self.api = api
        self.resources = resources
    }

    func get(_ resource: Resource, namespace: String?, _ name: String) -> StoredObject? {
        let key = resource.key(namespace: namespace, name)
        return state.withLock { $0.objects[resource.storeName]?[key] }
    }

    func objects(_ resource: Resource, namespace: String?) -> [StoredObject] {
        let all = state.withLock { $0.objects[resource.storeName] ?? [:] }
        return all.values.filter { namespace == nil || $0.key.namespace == namespace }.sorted { $0.key < $1.key }
    }

    func revision(_ resource: Resource) -> Int64? {
        guard resources.contains(resource) else { return nil }
        return state.withLock { $0.revisions[resource.storeName] ?? 0 }
    }

    /// Takes in the next changes of a resource.
    func take(_ resource: Resource, atMost count: Int = .max) -> [ObjectCache.Change] {
        state.withLock { state in
            let name = resource.storeName
            let news = api.log(resource, from: state.places[name] ?? 0).prefix(count)
            for written in news {
                state.objects[name, default: [:]][written.change.key] = written.change.new
                state.revisions[name] = written.revision
            }
            state.places[name, default: 0] += news.count
            return news.map(\.change)
        }
    }
}
