import KubeObjects
import KubeStore

/// A view that knows up to where it has seen what was written.
protocol DatedView: ObjectView {
    /// Up to where everything that was written to a resource has been taken in; nil for one that is not followed.
    func revision(_ resource: Resource) -> Int64?
}

extension ObjectCache: DatedView {}

/// Something that a worker has done, and that the cache has to show before the worker decides about the same object
/// again: a decision from before would do it twice.
enum Expectation: Hashable, Sendable {
    /// Written by a create or an update.
    case written(Resource, ObjectKey, revision: Int64)
    /// Deleted, or on its way out with a deletionTimestamp.
    case deleted(Resource, ObjectKey, uid: String?)

    var resource: Resource {
        switch self {
        case .written(let resource, _, _), .deleted(let resource, _, _): resource
        }
    }

    func isMet(in view: any DatedView) -> Bool {
        // Nobody would ever see it come.
        guard let revision = view.revision(resource) else { return true }
        switch self {
        case .written(let resource, let key, let written):
            return revision >= written
                || (view.get(resource, namespace: key.namespace, key.name)?.revision ?? 0) >= written
        case .deleted(let resource, let key, let uid):
            guard let object = view.get(resource, namespace: key.namespace, key.name).map({ KubeObject($0) }) else {
                return true
            }
            return object.isBeingDeleted || uid.map { $0 != object.uid } ?? false
        }
    }
}
