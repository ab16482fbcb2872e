package import KubeObjects
package import KubeStore
package import Linux

/// Objects as a decision sees them.
package protocol ObjectView: Sendable {
    func get(_ resource: Resource, namespace: String?, _ name: String) -> StoredObject?
    /// In no order.
    func objects(_ resource: Resource, namespace: String?) -> [StoredObject]
    /// Whether all of a resource is shown: one that has just come may not be here yet.
    func has(_ resource: Resource) -> Bool
}

extension ObjectView {
    package func has(_ resource: Resource) -> Bool { true }
}

extension ObjectCache: ObjectView {}

/// What a controller wants to be done. Every action names what it was decided from, so that one that comes late fails.
package enum ObjectAction: Hashable, Sendable {
    case create(Resource, KubeObject)
    /// With the object's `resourceVersion`; subresource "status" for the status. Of two updates of one object in a
    /// decision the second one is made on top of the first.
    case update(Resource, KubeObject, subresource: String? = nil)
    case delete(Resource, namespace: String?, name: String, DeletionOptions)
    /// Fails when an object of these kinds is in the namespace, whatever the view shows: what was made just before may not be
    /// in it yet.
    case confirmEmpty([Resource], namespace: String)
    /// An Event about an object.
    case event(KubeObject, Resource, type: String, reason: String, message: String)
}

/// What is to be done about one object.
package struct Decision: Hashable, Sendable {
    /// In this order; after one that fails the rest is left, and the object is looked at again.
    package var actions: [ObjectAction] = []
    /// Look again then, also when nothing changes.
    package var again: Timestamp?

    package init(_ actions: [ObjectAction] = [], again: Timestamp? = nil) {
        self.actions = actions
        self.again = again
    }
}

/// A level-triggered loop over objects: from how they are it says what is to be done next. It keeps nothing in between and
/// does nothing itself; `ControllerWorker` does.
package protocol Controller: Sendable {
    /// "deployment-controller"
    var name: String { get }
    /// The kinds that it looks at; more or fewer as kinds come and go.
    var resources: [Resource] { get }
    /// Whether it looks at objects of a kind, or did before the kind went.
    func watches(_ resource: Resource) -> Bool
    /// The objects of its own that have to be looked at after a change.
    func concerned(by change: ObjectCache.Change, in view: any ObjectView) -> [ObjectKey]
    /// The objects of its own that have to be looked at when a kind has come, with all of its objects.
    func concerned(byNewcomer resource: Resource, in view: any ObjectView) -> [ObjectKey]
    /// Decides about one of its objects, which may be gone.
    func decide(_ key: ObjectKey, in view: any ObjectView, now: Timestamp) -> Decision
    /// What else is to be done when an action failed, to tell the user: an event, a condition. The object is looked at
    /// again all the same.
    func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView, now: Timestamp
    ) -> [ObjectAction]
}

extension Controller {
    package func watches(_ resource: Resource) -> Bool { resources.contains(resource) }

    package func concerned(byNewcomer resource: Resource, in view: any ObjectView) -> [ObjectKey] { [] }

    package func failed(
        _ action: ObjectAction, _ failure: APIFailure, about key: ObjectKey, in view: any ObjectView, now: Timestamp
    ) -> [ObjectAction] { [] }
}
