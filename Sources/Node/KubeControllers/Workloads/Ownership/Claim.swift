import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// The objects of an owner: those that it manages and selects. Objects that nobody manages are adopted, those that it
/// does not select any more are let go (`controller.BaseControllerRefManager`).
struct Claim {
    var owned: [KubeObject] = []
    /// The adoptions and releases.
    var actions: [ObjectAction] = []

    /// - Parameter accepts: whether an object that is not the owner's yet may be.
    init(
        _ objects: some Sequence<KubeObject>, _ resource: Resource, by owner: KubeObject, _ ownerResource: Resource,
        _ selector: LabelSelector, accepts: (KubeObject) -> Bool = { _ in true }
    ) {
        for object in objects {
            let isSelected = selector.matches(object.json["metadata", "labels"]) && accepts(object)
            switch object.metadata.controller {
            case let controller? where controller.uid != owner.uid: continue
            case .some:
                if isSelected {
                    owned.append(object)
                } else if !owner.isBeingDeleted, !object.isBeingDeleted {
                    actions.append(.update(resource, Self.release(object, from: owner)))
                }
            case nil:
                guard isSelected, !owner.isBeingDeleted, !object.isBeingDeleted else { continue }
                let adopted = Self.adopt(object, owner, ownerResource)
                owned.append(adopted)
                actions.append(.update(resource, adopted))
            }
        }
    }

    private static func release(_ object: KubeObject, from owner: KubeObject) -> KubeObject {
        var object = object
        object.metadata.ownerReferences.removeAll { $0.uid == owner.uid }
        return object
    }

    private static func adopt(_ object: KubeObject, _ owner: KubeObject, _ resource: Resource) -> KubeObject {
        var object = object
        object.metadata.ownerReferences.removeAll { $0.uid == owner.uid }
        object.metadata.ownerReferences.append(OwnerReference(controller: owner, resource))
        return object
    }
}
