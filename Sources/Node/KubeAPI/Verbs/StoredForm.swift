import JSON
import KubeObjects
import KubeSchema

/// Between an object as it is stored and as a version of the API shows it.
///
/// Custom kinds have one form in all versions, and are stored in the one they were written in. Events have two groups for
/// one set of objects, which is stored as core/v1 (`Convert_v1_Event_To_core_Event` and its reverse).
///
/// Invariant: an event that went through both groups is the event that it was.
/// (test: `events of both groups are the same events`)
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
    static func differs(_ call: Call) -> Bool { call.isCustom || isEvent(call.resource) }

    static func stored(_ value: JSONValue, _ call: Call) -> JSONValue {
        isEvent(call.resource) ? renamed(value, storedNames, "v1") : value
    }

    static func shown(_ value: JSONValue, _ call: Call) -> JSONValue {
        guard differs(call), value["apiVersion"]?.string != call.kind.id.apiVersion else { return value }
        if isEvent(call.resource) { return renamed(value, shownNames, call.kind.id.apiVersion) }
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
