package import JSON

/// Server-side apply (KEP-555): who owns which field, what an applied object changes, and what it takes away
/// (`merge.Updater` of structured-merge-diff, `managedfields` of apimachinery).
///
/// Invariants (tests in FieldManagerTests and ManagedFieldsTests):
/// 1. What an applier does not name and nobody else owns goes, if it owned it before.
///    (`a field that is no longer applied goes, unless another owns it`)
/// 2. Without force no field changes that another manager owns. (`fields of others are conflicts`)
/// 3. Applying the same object twice changes nothing. (`applying again changes nothing`)
/// 4. Any two objects of a kind can be applied to each other, or are an error. (`whatever decodes can be applied`)
package struct FieldManager: Sendable {
    private let kind: Kind
    private let schema: Schema
    private let ignored: FieldSet

    /// Fields that nobody owns (`stripMeta`).
    private static let unowned = FieldSet(
        [["apiVersion"], ["kind"], ["metadata"]].map { $0.map { .field($0) } }
            + [
                "name", "namespace", "creationTimestamp", "selfLink", "uid", "generation", "managedFields",
                "resourceVersion",
            ]
            .map { [.field("metadata"), .field($0)] })

    /// Whose fields those are that were there before anything was applied.
    static let beforeFirstApply = "before-first-apply"

    /// - Parameter ignoring: Paths of names that this door resets and so does not own: ["status"] for the object itself,
    ///   ["spec"] for its status.
    package init(_ kind: Kind, in schema: Schema, ignoring: [[String]] = []) {
        self.kind = kind
        self.schema = schema
        ignored = FieldSet(ignoring.map { $0.map { .field($0) } })
    }

    // MARK: Updates

    /// The managed fields after `manager` has replaced `old` by `new`: it owns what it changed, others lose that.
    /// - Throws: `ApplyFailure.badRequest`.
    package func updated(
        from old: JSONValue, to new: JSONValue, _ managed: ManagedFields, by name: String, subresource: String = "",
        at time: String?
    ) throws(ApplyFailure) -> ManagedFields {
        let manager = ManagedFields.Manager(
            name: name, operation: .update, subresource: subresource, apiVersion: kind.id.apiVersion)
        let changes = try compare(old, new)
        let taken = changes.added.union(changes.modified).subtracting(Self.unowned)
        var result = managed
        for other in managed.entries.keys {
            result.entries[other]?.fields = managed.entries[other]!.fields.subtracting(taken).subtracting(
                changes.removed)
        }
        if !taken.isEmpty {
            let before = result.entries[manager]?.fields ?? FieldSet()
            result.entries[manager] = ManagedFields.Entry(
                fields: before.union(taken), apiVersion: kind.id.apiVersion, time: time)
        }
        result.entries = result.entries.filter { !$0.value.fields.isEmpty }
        result.cap()
        return result
    }

    // MARK: Apply

    package struct Applied: Hashable, Sendable {
        /// Without defaults: the server fills them in, and nobody owns them.
        package var object: JSONValue
        package var managed: ManagedFields
    }

    /// What becomes of a live object ({} for one that is not there) when `name` applies `config`.
    /// - Throws: `ApplyFailure`: conflicts unless `force`, or a bad request.
    package func apply(
        _ config: JSONValue, to live: JSONValue, _ managed: ManagedFields, by name: String, subresource: String = "",
        force: Bool, at time: String?
    ) throws(ApplyFailure) -> Applied {
        guard config["metadata"]?["managedFields"] == nil else {
            throw .badRequest("metadata.managedFields must be nil")
        }
        let manager = ManagedFields.Manager(name: name, operation: .apply, subresource: subresource, apiVersion: "")
        var managed = managed
        if managed.entries.isEmpty, live.object?.isEmpty == false {
            managed = try updated(from: [:], to: live, managed, by: Self.beforeFirstApply, at: time)
        }
        let last = managed.entries[manager]
        let set = try shaped { () throws(FieldShapeError) in try FieldSet(of: config, kind.type, in: schema) }
            .subtractingWhole(ignored).subtracting(Self.unowned)
        managed.entries[manager] = ManagedFields.Entry(fields: set, apiVersion: kind.id.apiVersion, time: time)
        var object = try shaped { () throws(FieldShapeError) in
            try FieldMerge(schema: schema).merge(live, config, kind.type)
        }
        if let last { object = try shaped { () throws(FieldShapeError) in try pruned(object, last.fields, managed) } }
        let changes = try compare(live, object)
        managed = try taking(changes, managed, for: manager, force: force)
        // The time says when something changed last, and not when somebody applied.
        if object == live, let last, last.fields == set { managed.entries[manager]?.time = last.time }
        managed.entries = managed.entries.filter { !$0.value.fields.isEmpty }
        managed.cap()
        return Applied(object: object, managed: managed)
    }

    /// Takes from the others what changes and what goes.
    private func taking(
        _ changes: FieldComparison, _ managed: ManagedFields, for manager: ManagedFields.Manager, force: Bool
    ) throws(ApplyFailure) -> ManagedFields {
        let changed = changes.modified.union(changes.added)
        var (result, conflicts) = (managed, [ApplyFailure.Conflict]())
        for (other, entry) in managed.entries where other != manager {
            let both = entry.fields.intersection(changed)
            conflicts += both.paths.map { ApplyFailure.Conflict(manager: other, time: entry.time, path: $0) }
            result.entries[other]?.fields = entry.fields.subtracting(both).subtracting(changes.removed)
        }
        guard force || conflicts.isEmpty else {
            throw .conflicts(
                conflicts.sorted { ($0.manager.name, $0.who, $0.path) < ($1.manager.name, $1.who, $1.path) })
        }
        return result
    }

    /// Takes away what the manager owned and no longer names, unless somebody owns it now (`prune`).
    private func pruned(_ merged: JSONValue, _ last: FieldSet, _ managed: ManagedFields) throws(FieldShapeError)
        -> JSONValue
    {
        let merge = FieldMerge(schema: schema)
        let owned = managed.entries.values.reduce(FieldSet()) { $0.union($1.fields) }
        var object = try merge.removing(last.withNamedParents(), from: merged, kind.type, owned: owned)
        let all = try FieldSet(of: merged, kind.type, in: schema).withNamedParents()
        let kept = try FieldSet(of: object, kind.type, in: schema).withNamedParents()
        let wanted = kept.union(owned.union(Self.unowned).withNamedParents())
        object = try merge.removing(all.subtracting(wanted), from: merged, kind.type, owned: owned)
        // What went with its parent, and the manager never owned, comes back.
        let now = try FieldSet(of: object, kind.type, in: schema).withNamedParents()
        let gone = all.subtracting(now).intersection(last.withNamedParents())
        return try merge.removing(gone, from: merged, kind.type, owned: owned)
    }

    private func compare(_ old: JSONValue, _ new: JSONValue) throws(ApplyFailure) -> FieldComparison {
        var comparison = try shaped { () throws(FieldShapeError) in
            try FieldComparison(old, new, kind.type, in: schema)
        }
        comparison.leaveOut(ignored)
        return comparison
    }

    private func shaped<Result>(_ body: () throws(FieldShapeError) -> Result) throws(ApplyFailure) -> Result {
        do throws(FieldShapeError) {
            return try body()
        } catch {
            throw .badRequest(
                "failed to create typed patch object (\(kind.id.apiVersion), Kind=\(kind.id.kind)): \(error)")
        }
    }
}
