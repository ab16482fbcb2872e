import JSON
import KubeObjects
import KubeSchema
import KubeStore

/// What of an object stays when another one takes its place (`rest.BeforeUpdate` and the kinds' `PrepareForUpdate`).
///
/// Invariants
/// 1. A write of the status changes nothing that is asked for, and any other write nothing of the status.
///    (tests: `a status is written by itself`, `an update leaves the status alone`)
/// 2. The generation grows exactly when something besides metadata and status changes.
///    (test: `the generation counts changes of what is asked for`)
enum ChangedObject {
    /// Turns what a client sent into what would be stored.
    static func complete(_ new: inout JSONValue, over old: JSONValue, _ call: Call) {
        let strategy = Strategy(call.served)
        switch call.subresource {
        case "status": status(&new, old, call)
        case "finalize": finalize(&new, old)
        case "ephemeralcontainers": ephemeral(&new, old)
        default:
            if strategy.hasStatus { new["status"] = old["status"] }
            if call.kind.id.kind == "Namespace", call.kind.id.group.isEmpty {
                new["spec", "finalizers"] = old["spec", "finalizers"]
            }
        }
        metadata(&new, old)
        new["metadata", "generation"] = old["metadata", "generation"]
        if strategy.countsGenerations, asksForMore(new, old) {
            new["metadata", "generation"] = .integer((old["metadata", "generation"]?.integer ?? 0) &+ 1)
        }
    }

    private static func status(_ new: inout JSONValue, _ old: JSONValue, _ call: Call) {
        let status = new["status"]
        var metadata = new["metadata"] ?? [:]
        if call.isCustom {
            metadata = old["metadata"] ?? [:]
            metadata["managedFields"] = new["metadata", "managedFields"]
        } else {
            if call.kind.id.group == "apps" { metadata["labels"] = old["metadata", "labels"] }
            metadata["ownerReferences"] = old["metadata", "ownerReferences"]
            metadata["finalizers"] = old["metadata", "finalizers"]
        }
        new = old
        new["metadata"] = metadata
        new["status"] = status
    }

    private static func finalize(_ new: inout JSONValue, _ old: JSONValue) {
        let finalizers = new["spec", "finalizers"]
        let metadata = new["metadata"]
        new = old
        new["metadata"] = metadata
        new["spec", "finalizers"] = finalizers
    }

    /// Of metadata only what says which object, which version and which writers are meant: whoever may add a container for
    /// debugging may not by that change labels, owners or finalizers.
    private static func ephemeral(_ new: inout JSONValue, _ old: JSONValue) {
        let containers = new["spec", "ephemeralContainers"]
        var metadata = old["metadata"] ?? [:]
        for field in ["uid", "resourceVersion", "managedFields"] { metadata[field] = new["metadata", field] }
        new = old
        new["metadata"] = metadata
        new["spec", "ephemeralContainers"] = containers
    }

    /// Only the server writes these; what clients leave out stays (`ValidateObjectMetaAccessorUpdate`).
    private static func metadata(_ new: inout JSONValue, _ old: JSONValue) {
        var metadata = new["metadata"]?.object ?? [:]
        let before = old["metadata"]?.object ?? [:]
        metadata["creationTimestamp"] = before["creationTimestamp"]
        metadata["selfLink"] = nil
        if (metadata["uid"]?.string ?? "").isEmpty { metadata["uid"] = before["uid"] }
        if before["deletionTimestamp"] != nil { metadata["deletionTimestamp"] = before["deletionTimestamp"] }
        if metadata["deletionGracePeriodSeconds"] == nil {
            metadata["deletionGracePeriodSeconds"] = before["deletionGracePeriodSeconds"]
        }
        if before["deletionTimestamp"] == nil {
            metadata["deletionTimestamp"] = nil
            metadata["deletionGracePeriodSeconds"] = nil
        }
        metadata["resourceVersion"] = before["resourceVersion"]
        new["metadata"] = .object(metadata)
    }

    private static func asksForMore(_ new: JSONValue, _ old: JSONValue) -> Bool {
        let (a, b) = (new.object ?? [:], old.object ?? [:])
        let aside: Set<String> = ["metadata", "status", "apiVersion", "kind"]
        let names = Set(a.keys).union(b.keys).subtracting(aside)
        return names.contains { a[$0] != b[$0] }
    }

    /// Whether an update was the last thing that a deletion waited for (`ShouldDeleteDuringUpdate`).
    static func isGone(_ new: JSONValue, _ old: JSONValue, _ kind: Kind) -> Bool {
        guard (new["metadata", "finalizers"]?.array ?? []).isEmpty, old["metadata", "deletionTimestamp"] != nil,
            old["metadata", "deletionGracePeriodSeconds"]?.integer == 0
        else { return false }
        guard kind.id.kind == "Namespace", kind.id.group.isEmpty else { return true }
        return (new["spec", "finalizers"]?.array ?? []).isEmpty
    }
}
