package import JSON

/// Who wrote which fields: the entries of `metadata.managedFields`.
///
/// Invariant: one entry for each manager, operation, subresource and (of updates) version.
/// (`managed fields read back in their order`, in ManagedFieldsTests)
package struct ManagedFields: Hashable, Sendable {
    package enum Operation: String, Hashable, Sendable {
        case apply = "Apply"
        case update = "Update"
    }

    /// Whose entry it is. An applier is the same in all versions.
    package struct Manager: Hashable, Sendable {
        package var name: String
        package var operation: Operation
        package var subresource: String
        /// Empty for appliers.
        package var apiVersion: String

        package init(name: String, operation: Operation, subresource: String = "", apiVersion: String) {
            self.name = name
            self.operation = operation
            self.subresource = subresource
            self.apiVersion = operation == .apply ? "" : apiVersion
        }
    }

    package struct Entry: Hashable, Sendable {
        package var fields: FieldSet
        package var apiVersion: String
        /// RFC 3339; nil where it is not known.
        package var time: String?
    }

    package var entries: [Manager: Entry] = [:]

    package init() {}

    /// Reads `metadata.managedFields`.
    /// - Throws: `FieldsV1Error` for an entry that cannot be read.
    package init(_ json: JSONValue?) throws(FieldsV1Error) {
        for entry in json?.array ?? [] {
            let apiVersion = entry["apiVersion"]?.string ?? ""
            guard let operation = Operation(rawValue: entry["operation"]?.string ?? "") else {
                throw FieldsV1Error(description: "operation must be either `Apply` or `Update`")
            }
            let type = entry["fieldsType"]?.string ?? "FieldsV1"
            guard type == "FieldsV1" else {
                throw FieldsV1Error(description: "fieldsType must be `FieldsV1`, not `\(type)`")
            }
            let manager = Manager(
                name: entry["manager"]?.string ?? "", operation: operation,
                subresource: entry["subresource"]?.string ?? "",
                apiVersion: apiVersion)
            let fields = try FieldSet(fieldsV1: entry["fieldsV1"] ?? [:])
            entries[manager] = Entry(
                fields: entries[manager]?.fields.union(fields) ?? fields, apiVersion: apiVersion,
                time: entry["time"]?.string)
        }
    }

    /// As the server writes it: appliers first, then by time and name.
    package var json: JSONValue {
        .array(
            entries.sorted { Self.order($0.key, $0.value) < Self.order($1.key, $1.value) }.map { manager, entry in
                var json: JSONValue = [
                    "manager": .string(manager.name), "operation": .string(manager.operation.rawValue),
                ]
                json["apiVersion"] = .string(entry.apiVersion)
                if let time = entry.time { json["time"] = .string(time) }
                json["fieldsType"] = "FieldsV1"
                json["fieldsV1"] = entry.fields.fieldsV1
                if !manager.subresource.isEmpty { json["subresource"] = .string(manager.subresource) }
                return json
            })
    }

    private static func order(_ manager: Manager, _ entry: Entry) -> (String, String, String, String, String) {
        (manager.operation.rawValue, entry.time ?? "", manager.name, entry.apiVersion, manager.subresource)
    }

    // MARK: Limits

    /// As many entries of updates are kept apart (`DefaultMaxUpdateManagers`).
    static let updateLimit = 10
    static let ancient = "ancient-changes"

    /// Puts the oldest entries of updates together, those of each version, when there are too many.
    mutating func cap() {
        let updates = entries.filter { $0.key.operation == .update }
            .sorted { Self.order($0.key, $0.value) < Self.order($1.key, $1.value) }
        var count = updates.count
        var first: [String: Manager] = [:]
        for (manager, entry) in updates where count > Self.updateLimit {
            guard let other = first[entry.apiVersion] else {
                first[entry.apiVersion] = manager
                continue
            }
            let bucket = Manager(name: Self.ancient, operation: .update, apiVersion: entry.apiVersion)
            let before = entries[bucket] ?? entries[other]
            if entries[bucket] == nil { entries[other] = nil }
            entries[manager] = nil
            entries[bucket] = Entry(
                fields: before?.fields.union(entry.fields) ?? entry.fields, apiVersion: entry.apiVersion,
                time: entry.time)
            count -= 1
        }
    }
}
