import JSON
import KubeObjects
import KubeSchema

/// Between an object as it is stored and as a version of the API shows it.
///
/// Custom kinds have one form in all versions, and are stored in the one they were written in. Events have two groups for
/// one set of objects, which is stored as core/v1 (`Convert_v1_Event_To_core_Event` and its reverse). Autoscalers are stored
/// as autoscaling/v2.
///
/// Invariant: an object that went through both forms is what it was.
/// (tests: `events of both groups are the same events`, `an autoscaler of the old version is one of the new version`)
enum StoredForm {
    /// Names in core/v1 and in events.k8s.io/v1, of what both have.
    private static let names = [
        ("involvedObject", "regarding"), ("message", "note"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"),
        ("count", "deprecatedCount"), ("reportingComponent", "reportingController"),
    ]
    private static let shownNames = Dictionary(uniqueKeysWithValues: names)
    private static let storedNames = Dictionary(uniqueKeysWithValues: names.map { ($1, $0) })

    static func isEvent(_ resource: Resource) -> Bool {
        resource.group == "events.k8s.io" && resource.plural == "events"
    }

    /// Whether objects may be stored in another form than they are shown in.
    static func differs(_ call: Call) -> Bool {
        call.isCustom || isEvent(call.resource) || AutoscalerVersions.isOlder(call.resource)
    }

    /// The version that is stored.
    private static let autoscalers: Kind = {
        let plural = "horizontalpodautoscalers"
        guard let kind = Schema.kubernetes.kind(group: "autoscaling", version: "v2", plural: plural) else {
            preconditionFailure("the schema has no autoscaling/v2 \(plural)")
        }
        return kind
    }()

    /// What is wrong with an object that its own version cannot say.
    static func check(_ value: JSONValue, over old: JSONValue?, _ call: Call) throws(InvalidObject) {
        guard AutoscalerVersions.isOlder(call.resource) else { return }
        let validation = Validation(autoscalers, in: .kubernetes)
        let stored = stored(value, call)
        if let old {
            try validation.checkUpdate(stored, of: self.stored(old, call))
        } else {
            try validation.checkNew(stored)
        }
    }

    static func stored(_ value: JSONValue, _ call: Call) -> JSONValue {
        if isEvent(call.resource) { return renamed(value, storedNames, "v1") }
        guard AutoscalerVersions.isOlder(call.resource) else { return value }
        var value = AutoscalerVersions.newer(value)
        Defaulting.apply(to: &value, of: autoscalers, in: .kubernetes)
        return value
    }

    static func shown(_ value: JSONValue, _ call: Call) -> JSONValue {
        guard differs(call), value["apiVersion"]?.string != call.kind.id.apiVersion else { return value }
        if isEvent(call.resource) { return renamed(value, shownNames, call.kind.id.apiVersion) }
        if AutoscalerVersions.isOlder(call.resource) { return AutoscalerVersions.older(value) }
        var value = value
        value["apiVersion"] = .string(call.kind.id.apiVersion)
        return value
    }

    private static func renamed(_ value: JSONValue, _ names: [String: String], _ apiVersion: String) -> JSONValue {
        var result = JSONObject()
        for member in value.object?.members ?? [] { result[names[member.key] ?? member.key] = member.value }
        result["apiVersion"] = .string(apiVersion)
        return .object(result)
    }
}
