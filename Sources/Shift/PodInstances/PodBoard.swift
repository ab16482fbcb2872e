internal import Engine
import JSON
internal import Synchronization

/// The pods of one provider as the cluster last told: one watch for all of them.
///
/// Invariant: a pod that is gone is seen to be gone, also when it went while the watch was broken off.
/// (test: `a pod that was deleted by others has ended`)
final class PodBoard: Sendable {
    private struct State: Sendable {
        var pods: [String: JSONValue] = [:]
        /// Whether the list was read since the provider began.
        var isRead = false
    }

    private let client: ClusterClient
    private let namespace: String
    private let selector: String
    private let state = Published(State())
    private let following = Mutex<Task<Void, Never>?>(nil)

    /// - Parameter selector: a label selector, encoded for a query.
    init(_ client: ClusterClient, namespace: String, selector: String) {
        self.client = client
        self.namespace = namespace
        self.selector = selector
    }

    /// Begins to watch, once.
    func start() {
        following.withLock { task in
            guard task == nil else { return }
            task = Task { await self.follow() }
        }
    }

    func stop() { following.withLock { $0?.cancel() } }

    /// Waits until the pod is as wanted; nil is a pod that is not there.
    /// - Returns: nil when the task was cancelled.
    func pod(_ name: String, until fits: @escaping @Sendable (JSONValue?) -> Bool) async -> JSONValue?? {
        let state = await state.wait { $0.isRead && fits($0.pods[name]) }
        return state.map { $0.pods[name] }
    }

    /// A pod that was just made, which the watch may not have told yet.
    func add(_ pod: JSONValue) {
        guard let name = pod["metadata", "name"]?.string, state.value.pods[name] == nil else { return }
        put("ADDED", pod)
    }

    private func follow() async {
        while !Task.isCancelled {
            do throws(ClusterFailure) {
                let list = try await client.call(
                    "GET", "/api/v1/namespaces/\(namespace)/pods?labelSelector=\(selector)")
                let pods = (list["items"]?.array ?? []).compactMap { pod in
                    pod["metadata", "name"]?.string.map { ($0, pod) }
                }
                changes.withLock { _ in
                    state.set(State(pods: Dictionary(pods) { $1 }, isRead: true))
                }
                let revision = list["metadata", "resourceVersion"]?.string ?? ""
                try await client.watch(
                    "/api/v1/namespaces/\(namespace)/pods?watch=true&labelSelector=\(selector)&resourceVersion=\(revision)"
                ) { type, pod in
                    guard type != "ERROR" else { return false }
                    put(type, pod)
                    return !Task.isCancelled
                }
            } catch {
                // The cluster does not answer: what is known stays until it does.
                try? await Task.sleep(for: .milliseconds(200))
            }
        }
    }

    /// Changes come from the watch and from those who make pods.
    private let changes = Mutex(())

    private func put(_ type: String, _ pod: JSONValue) {
        guard let name = pod["metadata", "name"]?.string else { return }
        changes.withLock { _ in
            var next = state.value
            // Not `? nil : pod`, which would be the value null.
            if type == "DELETED" { next.pods.removeValue(forKey: name) } else { next.pods[name] = pod }
            state.set(next)
        }
    }
}
