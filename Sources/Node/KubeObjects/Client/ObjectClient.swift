import JSON
package import KubeSchema

/// The API as what runs in the node uses it: with defaults, validation and admission, as a client from outside would,
/// but without a connection. Every call is made in the name of `self`'s user.
package protocol ObjectClient: Sendable {
    /// - Throws: 404.
    func get(_ resource: Resource, namespace: String?, _ name: String) async throws(APIFailure) -> KubeObject

    func list(
        _ resource: Resource, namespace: String?, labels: LabelSelector
    ) async throws(APIFailure) -> [KubeObject]

    /// - Returns: the object as it was stored.
    /// - Throws: 409 AlreadyExists, 422, 403 of admission ...
    @discardableResult
    func create(_ resource: Resource, _ object: KubeObject) async throws(APIFailure) -> KubeObject

    /// Replaces an object. Its `metadata.resourceVersion`, when it has one, must be the stored one's.
    /// - Parameter subresource: "status", "scale" ...; nil for the object but its status.
    /// - Throws: 404, 409 Conflict, 422 ...
    @discardableResult
    func update(
        _ resource: Resource, _ object: KubeObject, subresource: String?
    ) async throws(APIFailure) -> KubeObject

    /// - Throws: 404, 409 Conflict when a precondition does not hold.
    func delete(
        _ resource: Resource, namespace: String?, _ name: String, _ options: DeletionOptions
    ) async throws(APIFailure)
}

/// metav1.DeleteOptions.
package struct DeletionOptions: Hashable, Sendable {
    package enum Propagation: String, Hashable, Sendable {
        case orphan = "Orphan"
        case background = "Background"
        case foreground = "Foreground"
    }

    /// nil: the object's own.
    package var gracePeriodSeconds: Int64?
    /// nil: the kind's default, which is background for all that are served here but those that say otherwise.
    package var propagation: Propagation?
    /// Only the object that has this uid.
    package var uid: String?
    /// Only when it was not changed since.
    package var resourceVersion: String?

    package init(
        gracePeriodSeconds: Int64? = nil, propagation: Propagation? = nil, uid: String? = nil,
        resourceVersion: String? = nil
    ) {
        self.gracePeriodSeconds = gracePeriodSeconds
        self.propagation = propagation
        self.uid = uid
        self.resourceVersion = resourceVersion
    }
}

extension ObjectClient {
    /// Changes an object by what it is, again while others change it at the same time.
    ///
    /// - Parameter change: false when there is nothing to change.
    /// - Returns: the object as it is then.
    @discardableResult
    package func modify(
        _ resource: Resource, namespace: String?, _ name: String, subresource: String? = nil,
        _ change: (inout KubeObject) throws(APIFailure) -> Bool
    ) async throws(APIFailure) -> KubeObject {
        while true {
            var object = try await get(resource, namespace: namespace, name)
            guard try change(&object) else { return object }
            do throws(APIFailure) {
                return try await update(resource, object, subresource: subresource)
            } catch  where error.code == 409 && error.reason == "Conflict" && !Task.isCancelled {}
        }
    }
}
