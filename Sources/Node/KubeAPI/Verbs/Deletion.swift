import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux

/// What a deletion does to an object as it is (`rest.BeforeDelete` and `Store.Delete` of k8s.io/apiserver). Pure.
///
/// Invariants
/// 1. An object with finalizers is never removed, only marked. (test: `finalizers hold an object`)
/// 2. A pod that a node runs stays until the node deletes it without grace. (test: `a pod stays until its node lets it go`)
/// 3. A grace period only gets shorter. (test: `a grace period gets shorter only`)
enum Deletion {
    enum Decision: Hashable, Sendable {
        /// It goes now.
        case remove
        /// It is marked as going, and stays.
        case mark(JSONValue)
        /// It is going already; nothing is to be done.
        case pending
    }

    static func decide(
        _ object: JSONValue, _ options: DeleteOptions, _ strategy: Strategy, _ kind: Kind, now: Timestamp
    ) throws(APIFailure) -> Decision {
        try check(object, options, kind)
        if kind.id.group.isEmpty, kind.id.kind == "Namespace" { return namespace(object, now) }
        let isPod = kind.id.group.isEmpty && kind.id.kind == "Pod"
        if object["metadata", "deletionTimestamp"] != nil {
            return again(object, options, isPod: isPod, now)
        }
        var object = object
        let finalizers = finalizers(object, options, strategy)
        object["metadata", "finalizers"] = nil
        if !finalizers.isEmpty { object["metadata", "finalizers"] = .array(finalizers.map { .string($0) }) }
        let grace = isPod ? gracePeriod(object, options) : 0
        guard grace > 0 || !finalizers.isEmpty else { return .remove }
        return .mark(marked(object, grace: grace, now))
    }

    private static func check(_ object: JSONValue, _ options: DeleteOptions, _ kind: Kind) throws(APIFailure) {
        let resource = Resource(kind)
        let name = object["metadata", "name"]?.string ?? ""
        let uid = object["metadata", "uid"]?.string ?? ""
        if let wanted = options.uid, wanted != uid {
            throw .conflict(
                resource, name,
                "the UID in the precondition (\(wanted)) does not match the UID in record (\(uid)). The object might have "
                    + "been deleted and then recreated")
        }
        let version = object["metadata", "resourceVersion"]?.string ?? ""
        if let wanted = options.resourceVersion, wanted != version {
            throw .conflict(
                resource, name,
                "the ResourceVersion in the precondition (\(wanted)) does not match the ResourceVersion in record "
                    + "(\(version)). The object might have been modified")
        }
    }

    /// A second deletion of what is going already.
    private static func again(
        _ object: JSONValue, _ options: DeleteOptions, isPod: Bool, _ now: Timestamp
    ) -> Decision {
        let hasFinalizers = object["metadata", "finalizers"]?.array?.isEmpty == false
        guard let current = object["metadata", "deletionGracePeriodSeconds"]?.integer else {
            return hasFinalizers ? .pending : .remove
        }
        guard isPod else { return hasFinalizers ? .pending : .remove }
        let period = max(0, options.gracePeriodSeconds ?? current)
        guard period < current || period == 0 && !hasFinalizers else { return .pending }
        guard period > 0 || hasFinalizers else { return .remove }
        var object = object
        object["metadata", "deletionTimestamp"] = .string(later(now, period))
        object["metadata", "deletionGracePeriodSeconds"] = .integer(period)
        return .mark(object)
    }

    private static func marked(_ object: JSONValue, grace: Int64, _ now: Timestamp) -> JSONValue {
        var object = object
        object["metadata", "deletionTimestamp"] = .string(later(now, grace))
        object["metadata", "deletionGracePeriodSeconds"] = .integer(grace)
        // Who reconciles it has to behave differently from now on.
        if let generation = object["metadata", "generation"]?.integer, generation > 0 {
            object["metadata", "generation"] = .integer(generation &+ 1)
        }
        return object
    }

    private static func later(_ now: Timestamp, _ seconds: Int64) -> String {
        let bounded = Int(min(seconds, 100_000_000))
        return Timestamp(nanoseconds: now.nanoseconds + bounded * 1_000_000_000).kubeTime
    }

    /// How long a pod may take to stop (`podStrategy.CheckGracefulDelete`).
    private static func gracePeriod(_ pod: JSONValue, _ options: DeleteOptions) -> Int64 {
        let period = options.gracePeriodSeconds ?? pod["spec", "terminationGracePeriodSeconds"]?.integer ?? 0
        if (pod["spec", "nodeName"]?.string ?? "").isEmpty { return 0 }
        if ["Failed", "Succeeded"].contains(pod["status", "phase"]?.string ?? "") { return 0 }
        return period < 0 ? 1 : period
    }

    private static let orphan = "orphan"
    private static let foreground = "foregroundDeletion"

    /// With what the collector of garbage is told by finalizers (`deletionFinalizersForGarbageCollection`).
    static func finalizers(_ object: JSONValue, _ options: DeleteOptions, _ strategy: Strategy) -> [String] {
        let present = (object["metadata", "finalizers"]?.array ?? []).compactMap(\.string)
        var result = present.filter { $0 != orphan && $0 != foreground }
        let orphans: Bool
        var isForeground = false
        if let old = options.orphansDependents {
            orphans = old
        } else if let propagation = options.propagation {
            orphans = propagation == .orphan
            isForeground = propagation == .foreground
        } else {
            isForeground = present.contains(foreground)
            orphans = present.contains(orphan) || strategy.orphansByDefault && !isForeground
        }
        if orphans { result.append(orphan) }
        if isForeground { result.append(foreground) }
        return result
    }

    /// A namespace goes when its content has gone: its own finalizers say so.
    private static func namespace(_ object: JSONValue, _ now: Timestamp) -> Decision {
        let isHeld =
            object["spec", "finalizers"]?.array?.isEmpty == false
            || object["metadata", "finalizers"]?.array?.isEmpty == false
        guard object["metadata", "deletionTimestamp"] == nil else { return isHeld ? .pending : .remove }
        var object = object
        object["metadata", "deletionTimestamp"] = .string(now.kubeTime)
        object["metadata", "deletionGracePeriodSeconds"] = 0
        object["status", "phase"] = "Terminating"
        return isHeld ? .mark(object) : .remove
    }
}
