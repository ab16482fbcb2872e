package import JSON
package import KubeSchema
package import Linux

/// Decides which names of a CustomResourceDefinition are served: what the controllers "naming" and "establish" of
/// apiextensions-apiserver write into its status.
///
/// Invariants (tests in CustomDefinitionTests):
/// 1. No name is served for two kinds of a group. (`names that others have are not accepted`)
/// 2. A status that is right already stays as it is, with its times.
///    (`a review that changes nothing says the same again`)
/// 3. What was accepted stays so, whatever others wish later. (`accepted names stay`)
package enum CustomResourceReview {
    /// Keeps a definition until its objects are gone. Whoever writes the status adds it, deletes the objects of a
    /// definition that is being deleted, and then takes it away.
    package static let finalizer = "customresourcecleanup.apiextensions.k8s.io"

    /// - Parameter others: the other definitions there are. Those of other groups do not matter.
    /// - Parameter builtIn: kinds whose names are taken.
    /// - Returns: the whole status.
    package static func decide(
        _ definition: JSONValue, others: [JSONValue], builtIn: [Kind] = Schema.kubernetes.kinds, now: Linux.Timestamp
    ) -> JSONValue {
        let own = CustomDefinition(json: definition)
        let taken = Taken(own, others.map { CustomDefinition(json: $0) }, builtIn)
        var status = definition["status"] ?? [:]
        let (accepted, conflict) = taken.accept(own.names, before: own.acceptedNames)
        status["acceptedNames"] = accepted
        var stored = status.list("storedVersions").compactMap(\.string)
        let storage = own.spec.list("versions").first { $0["storage"]?.bool == true }?.text("name") ?? ""
        if !storage.isEmpty, !stored.contains(storage) { stored.append(storage) }
        status["storedVersions"] = .array(stored.map { .string($0) })
        let time = Timestamp(seconds: Int64(now.nanoseconds / 1_000_000_000)).text(.seconds)
        var conditions = Conditions(status.list("conditions"), time)
        if let conflict {
            conditions.set("NamesAccepted", false, conflict.reason, conflict.message)
        } else {
            conditions.set("NamesAccepted", true, "NoConflicts", "no conflicts found")
        }
        if conflict == nil {
            conditions.set("Established", true, "InitialNamesAccepted", "the initial names have been accepted")
        } else if !conditions.holds("Established") {
            conditions.set("Established", false, "NotAccepted", "not all names are accepted")
        }
        if definition["metadata", "deletionTimestamp"]?.string != nil {
            conditions.set("Terminating", true, "InstanceDeletionInProgress", "CustomResource deletion is in progress")
        }
        status["conditions"] = .array(conditions.list)
        return status
    }

    /// Names in a group that others have.
    private struct Taken {
        private var resources: Set<String> = []
        private var kinds: Set<String> = []

        init(_ own: CustomDefinition, _ others: [CustomDefinition], _ builtIn: [Kind]) {
            for other in others where other.group == own.group && other.name != own.name {
                let names = other.acceptedNames
                resources.formUnion([names.json.text("plural"), names.json.text("singular")] + names.shortNames)
                kinds.formUnion([names.json.text("kind"), names.json.text("listKind")])
            }
            for kind in builtIn where kind.id.group == own.group {
                resources.formUnion([kind.plural, kind.singular] + kind.shortNames)
                kinds.formUnion([kind.id.kind, kind.id.kind + "List"])
            }
            resources.remove("")
            kinds.remove("")
        }

        /// The names that are served, and the first that is not free.
        func accept(
            _ wished: CustomDefinition.Names, before: CustomDefinition.Names
        ) -> (JSONValue, (reason: String, message: String)?) {
            var names: JSONValue = [:]
            var conflict: (reason: String, message: String)?
            func take(_ field: String, _ name: String, _ taken: Set<String>, _ old: String) {
                guard taken.contains(name) else {
                    names[field] = .string(name)
                    return
                }
                if !old.isEmpty { names[field] = .string(old) }
                let word = field.prefix(1).uppercased() + field.dropFirst()
                conflict = conflict ?? ("\(word)Conflict", "\(quoted(name)) is already in use")
            }
            take("plural", wished.plural, resources, before.plural)
            take("singular", wished.singular, resources, before.json.text("singular"))
            let free = wished.shortNames.filter { !resources.contains($0) }
            if let used = wished.shortNames.first(where: { resources.contains($0) }) {
                conflict = conflict ?? ("ShortNamesConflict", "\(quoted(used)) is already in use")
            }
            if !free.isEmpty { names["shortNames"] = .array(free.map { .string($0) }) }
            take("kind", wished.kind, kinds, before.kind)
            take("listKind", wished.listKind, kinds, before.json.text("listKind"))
            if !wished.categories.isEmpty { names["categories"] = .array(wished.categories.map { .string($0) }) }
            return (names, conflict)
        }
    }

    private struct Conditions {
        var list: [JSONValue]
        private let time: String

        init(_ list: [JSONValue], _ time: String) {
            self.list = list
            self.time = time
        }

        func holds(_ type: String) -> Bool {
            list.first { $0["type"]?.string == type }?["status"]?.string == "True"
        }

        mutating func set(_ type: String, _ holds: Bool, _ reason: String, _ message: String) {
            let at = list.firstIndex { $0["type"]?.string == type }
            let old = at.map { list[$0] }
            let status = holds ? "True" : "False"
            let since = old?["status"]?.string == status ? old?["lastTransitionTime"] : nil
            let condition: JSONValue = [
                "type": .string(type), "status": .string(status), "lastTransitionTime": since ?? .string(time),
                "reason": .string(reason), "message": .string(message),
            ]
            if let at { list[at] = condition } else { list.append(condition) }
        }
    }
}
