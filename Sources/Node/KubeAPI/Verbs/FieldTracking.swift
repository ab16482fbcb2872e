import JSON
import KubeObjects
import KubeSchema
import Linux

/// Keeps `metadata.managedFields` of objects that are written.
///
/// Invariant: a write that changes nothing else changes no managed fields, not even their time.
/// (test: `an update without a change is no event`)
struct FieldTracking {
    let call: Call
    let now: Timestamp

    private var manager: FieldManager {
        FieldManager(call.kind, in: call.served.schema, ignoring: Self.ignored(call))
    }

    /// What this way of writing resets, and so does not own.
    private static func ignored(_ call: Call) -> [[String]] {
        switch call.subresource {
        case "status": [["spec"]]
        case nil where call.kind.has(subresource: "status"): [["status"]]
        default: []
        }
    }

    /// Says in `new` who wrote what.
    /// - Parameter sent: the managed fields that the client sent; nil for none.
    func track(_ new: inout JSONValue, over old: JSONValue?, sent: JSONValue?) throws(APIFailure) {
        let before = old?["metadata", "managedFields"]
        new["metadata", "managedFields"] = nil
        if let sent = sent?.array, sent.isEmpty || sent == [[:]] { return }
        let managed = Self.read(sent) ?? Self.read(before) ?? ManagedFields()
        do throws(ApplyFailure) {
            let result = try manager.updated(
                from: old ?? [:], to: new, managed, by: call.options.fieldManager,
                subresource: call.subresource ?? "", at: now.kubeTime)
            if let before, Self.haveSameFields(result, before) {
                new["metadata", "managedFields"] = before
            } else {
                set(result, &new)
            }
        } catch {
            // An object that server-side apply cannot take apart (the same port twice) is still an object.
            new["metadata", "managedFields"] = before
        }
    }

    private func set(_ managed: ManagedFields, _ new: inout JSONValue) {
        new["metadata", "managedFields"] = nil
        if !managed.entries.isEmpty { new["metadata", "managedFields"] = managed.json }
    }

    private static func read(_ json: JSONValue?) -> ManagedFields? {
        guard let json, !json.isNull else { return nil }
        return try? ManagedFields(json)
    }

    private static func haveSameFields(_ result: ManagedFields, _ before: JSONValue) -> Bool {
        guard let managed = read(before), managed.entries.keys == result.entries.keys else { return false }
        return result.entries.allSatisfy { managed.entries[$0.key]?.fields == $0.value.fields }
    }

    /// What becomes of `live` when a configuration is applied.
    func apply(_ config: JSONValue, to live: JSONValue) throws(APIFailure) -> JSONValue {
        var base = live
        base["metadata", "managedFields"] = nil
        let managed = Self.read(live["metadata", "managedFields"]) ?? ManagedFields()
        do throws(ApplyFailure) {
            let applied = try manager.apply(
                config, to: base, managed, by: call.options.fieldManager, subresource: call.subresource ?? "",
                force: call.options.forces, at: now.kubeTime)
            var object = applied.object
            set(applied.managed, &object)
            return object
        } catch {
            switch error {
            case .badRequest(let sentence): throw .badRequest(sentence)
            case .conflicts: throw APIFailure(409, "Conflict", error.description, details: ["causes": error.causes])
            }
        }
    }
}
