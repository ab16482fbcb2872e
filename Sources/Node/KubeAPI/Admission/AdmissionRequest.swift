import JSON
import KubeObjects
import KubeStore
import Linux

/// A write as the rules of admission see it: decoded, filled in, not yet stored.
struct AdmissionRequest: Sendable {
    enum Operation: String, Sendable {
        case create = "CREATE"
        case update = "UPDATE"
        case delete = "DELETE"
        case connect = "CONNECT"
    }

    let operation: Operation
    let call: Call
    /// What would be stored; of a deletion what is there.
    var object: JSONValue
    /// nil for a creation.
    let old: JSONValue?
    let now: Timestamp

    /// Whether it is a write of this resource itself and not of something below it.
    func isFor(_ resource: Resource) -> Bool {
        call.subresource == nil && call.resource.storeName == resource.storeName
    }

    var name: String { object["metadata", "name"]?.string ?? "" }

    func forbidden(_ why: String) -> APIFailure { .forbidden(call.resource, name, why) }
}

/// What rules of admission may look at: everything in memory, so that they never wait.
struct AdmissionView: Sendable {
    let known: KnownObjects
    let settings: APISettings
    let chance: Chance
    let access: AccessPolicy

    func get(_ resource: Resource, namespace: String? = nil, _ name: String) -> StoredObject? {
        known.get(resource, namespace: namespace, name)
    }

    func objects(_ resource: Resource, namespace: String? = nil) -> [StoredObject] {
        known.objects(resource, namespace: namespace)
    }
}

/// One rule of admission: changes what is to be stored, or refuses it. A pure function of the request and of the objects
/// that are known.
protocol AdmissionRule: Sendable {
    /// - Throws: why it is refused.
    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure)
    /// Asked when everything has been filled in and is valid.
    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure)
}

extension AdmissionRule {
    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {}
    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {}
}

/// All rules, in the order in which Kubernetes asks them.
struct Admission: Sendable {
    var rules: [any AdmissionRule] = []

    func change(_ request: inout AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        for rule in rules { try rule.change(&request, view) }
    }

    func check(_ request: AdmissionRequest, _ view: AdmissionView) throws(APIFailure) {
        for rule in rules { try rule.check(request, view) }
    }
}
