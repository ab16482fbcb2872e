package import JSON

/// Why an object was not applied.
package enum ApplyFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// The object cannot be taken apart, or says what it must not: 400.
    case badRequest(String)
    /// Others own fields that it would change: 409.
    case conflicts([Conflict])

    package struct Conflict: Hashable, Sendable {
        package var manager: ManagedFields.Manager
        package var time: String?
        /// Such as `.spec.containers[name="web"].image`.
        package var path: String

        /// The manager as messages name it; of updates with version and time.
        var who: String {
            var text = quoted(manager.name)
            if !manager.subresource.isEmpty { text += " with subresource \(quoted(manager.subresource))" }
            guard manager.operation == .update else { return text }
            text += " using \(manager.apiVersion)"
            return time.map { text + " at " + $0 } ?? text
        }
    }

    /// In the server's words (`getConflictMessage`).
    package var description: String {
        switch self {
        case .badRequest(let problem): return problem
        case .conflicts(let conflicts):
            if conflicts.count == 1 {
                return "Apply failed with 1 conflict: conflict with \(conflicts[0].who): \(conflicts[0].path)"
            }
            var lines: [String] = []
            var last: String?
            for conflict in conflicts {
                if conflict.who != last { lines.append("conflicts with \(conflict.who):") }
                lines.append("- \(conflict.path)")
                last = conflict.who
            }
            return "Apply failed with \(conflicts.count) conflicts: " + lines.joined(separator: "\n")
        }
    }

    /// The causes of the Status.
    package var causes: JSONValue {
        guard case .conflicts(let conflicts) = self else { return [] }
        return .array(
            conflicts.map { conflict in
                [
                    "reason": "FieldManagerConflict", "message": .string("conflict with \(conflict.who)"),
                    "field": .string(conflict.path),
                ]
            })
    }
}
