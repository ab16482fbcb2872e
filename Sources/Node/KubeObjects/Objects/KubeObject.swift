package import JSON
import KubeSchema
package import KubeStore
package import Linux

/// A lens over any object of the API: what all kinds have in common.
package struct KubeObject: JSONView {
    package var json: JSONValue
    package init(json: JSONValue) { self.json = json }
    package init(_ stored: StoredObject) { json = stored.value }

    package var apiVersion: String? {
        get { self["apiVersion"] }
        set { self["apiVersion"] = newValue }
    }
    package var kind: String? {
        get { self["kind"] }
        set { self["kind"] = newValue }
    }
    package var metadata: ObjectMetadata {
        get { self[view: "metadata"] }
        set { self[view: "metadata"] = newValue }
    }
    package var spec: JSONValue {
        get { json["spec"] ?? .object([:]) }
        set { json["spec"] = newValue }
    }
    package var status: JSONValue {
        get { json["status"] ?? .object([:]) }
        set { json["status"] = newValue }
    }

    /// Of an object without a name, empty.
    package var name: String { metadata.name ?? "" }
    package var namespace: String? { metadata.namespace }
    package var uid: String { metadata.uid ?? "" }
    package var isBeingDeleted: Bool { metadata.deletionTimestamp != nil }

    /// The status that spec asks for: "" stands for a missing one.
    package func condition(_ type: String) -> JSONValue? {
        status["conditions"]?.array?.first { $0["type"]?.string == type }
    }
}

/// metav1.ObjectMeta.
package struct ObjectMetadata: JSONView {
    package var json: JSONValue
    package init(json: JSONValue) { self.json = json }

    package var name: String? {
        get { self["name"] }
        set { self["name"] = newValue }
    }
    package var generateName: String? {
        get { self["generateName"] }
        set { self["generateName"] = newValue }
    }
    package var namespace: String? {
        get { self["namespace"] }
        set { self["namespace"] = newValue }
    }
    package var uid: String? {
        get { self["uid"] }
        set { self["uid"] = newValue }
    }
    package var resourceVersion: String? {
        get { self["resourceVersion"] }
        set { self["resourceVersion"] = newValue }
    }
    package var generation: Int64? {
        get { self["generation"] }
        set { self["generation"] = newValue }
    }
    package var creationTimestamp: String? {
        get { self["creationTimestamp"] }
        set { self["creationTimestamp"] = newValue }
    }
    package var deletionTimestamp: String? {
        get { self["deletionTimestamp"] }
        set { self["deletionTimestamp"] = newValue }
    }
    package var deletionGracePeriodSeconds: Int64? {
        get { self["deletionGracePeriodSeconds"] }
        set { self["deletionGracePeriodSeconds"] = newValue }
    }
    package var labels: [String: String] {
        get { self["labels"] ?? [:] }
        set { self["labels"] = newValue }
    }
    package var annotations: [String: String] {
        get { self["annotations"] ?? [:] }
        set { self["annotations"] = newValue }
    }
    package var finalizers: [String] {
        get { self["finalizers"] ?? [] }
        set { self["finalizers"] = newValue.isEmpty ? nil : newValue }
    }
    package var ownerReferences: [OwnerReference] {
        get { self["ownerReferences"] ?? [] }
        set { self["ownerReferences"] = newValue.isEmpty ? nil : newValue }
    }
    /// The owner that manages the object, if one does.
    package var controller: OwnerReference? { ownerReferences.first { $0.isController } }
}

/// metav1.OwnerReference.
package struct OwnerReference: JSONView {
    package var json: JSONValue
    package init(json: JSONValue) { self.json = json }

    /// A reference to the object that manages another one.
    package init(controller owner: KubeObject, _ resource: Resource) {
        json = [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind), "name": .string(owner.name),
            "uid": .string(owner.uid), "controller": true, "blockOwnerDeletion": true,
        ]
    }

    package var apiVersion: String { self["apiVersion", default: ""] }
    package var kind: String { self["kind", default: ""] }
    package var name: String { self["name", default: ""] }
    package var uid: String { self["uid", default: ""] }
    package var isController: Bool { self["controller", default: false] }
    package var blocksOwnerDeletion: Bool { self["blockOwnerDeletion", default: false] }
}

extension Linux.Timestamp {
    /// metav1.Time: RFC 3339 with whole seconds.
    package var kubeTime: String { seconds.text(.seconds) }
    /// metav1.MicroTime: RFC 3339 with microseconds.
    package var kubeMicroTime: String { seconds.text(.micro) }

    private var seconds: KubeSchema.Timestamp {
        let fraction = (nanoseconds % 1_000_000_000 + 1_000_000_000) % 1_000_000_000
        return KubeSchema.Timestamp(
            seconds: Int64((nanoseconds - fraction) / 1_000_000_000), microseconds: Int64(fraction / 1000))
    }
}
