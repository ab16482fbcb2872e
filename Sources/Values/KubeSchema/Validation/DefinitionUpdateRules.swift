import JSON

/// What of a CustomResourceDefinition may not change (`ValidateCustomResourceDefinitionUpdate` of apiextensions-apiserver).
enum DefinitionUpdateRules {
    static func check(_ new: Located, _ old: Located, _ causes: inout Causes) {
        let (spec, before) = (new["spec"], old["spec"])
        // Objects may be there once the names are served: they are found by these.
        if isEstablished(old) {
            Immutable.check(spec["scope"], before["scope"], &causes)
            Immutable.check(spec["names"]["kind"], before["names"]["kind"], &causes)
        }
        Immutable.check(spec["group"], before["group"], &causes)
        Immutable.check(spec["names"]["plural"], before["names"]["plural"], &causes)
        storedVersions(new["status"]["storedVersions"], spec["versions"], old["status"]["storedVersions"], &causes)
    }

    private static func isEstablished(_ definition: Located) -> Bool {
        definition["status"]["conditions"].elements.contains {
            $0["type"].text == "Established" && $0["status"].text == "True"
        }
    }

    /// A version in which objects may be stored stays. That the storage version is among them is written behind the update.
    private static func storedVersions(
        _ stored: Located, _ versions: Located, _ before: Located, _ causes: inout Causes
    ) {
        if stored.elements.isEmpty, !before.elements.isEmpty {
            return causes.invalid(stored, "must have at least one stored version", value: stored.json ?? [])
        }
        let names = Set(versions.elements.map { $0["name"].text })
        for version in stored.elements where !names.contains(version.text) {
            let name = version.text
            causes.invalid(
                version,
                "missing from spec.versions; \(name) was previously a storage version, and must remain in spec.versions until "
                    + "a storage migration ensures no data remains persisted in \(name) and removes \(name) from "
                    + "status.storedVersions")
        }
    }
}
