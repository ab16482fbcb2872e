/// `--filter KEY=VALUE` as Docker has it: of one key any value fits, of several keys every one must.
///
///     let filters = try Filters(request.filters, known: ["name", "label"])
///     volumes.filter { filters.matches("name") { $0.contains(volume.name) } && filters.matchesLabels(volume.labels) }
package struct Filters: Hashable, Sendable {
    private var values: [String: [String]] = [:]

    /// - Throws: `NodeFailure` of kind `badRequest` for a filter without "=" or of a key that is not known here: a
    ///   filter is never ignored.
    package init(_ filters: [String], known: [String]) throws(NodeFailure) {
        for filter in filters {
            let parts = filter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2, !parts[0].isEmpty else {
                throw NodeFailure(.badRequest, "--filter \"\(filter)\": write KEY=VALUE; the keys are \(Self.list(known))")
            }
            guard known.contains(parts[0]) else {
                throw NodeFailure(.badRequest, "--filter \"\(filter)\": invalid filter; the keys are \(Self.list(known))")
            }
            values[parts[0], default: []].append(parts[1])
        }
    }

    package var isEmpty: Bool { values.isEmpty }

    /// What was given for a key.
    package func all(_ key: String) -> [String] { values[key] ?? [] }

    /// Whether nothing was asked for under this key, or one of the values fits.
    package func matches(_ key: String, _ fits: (String) -> Bool) -> Bool {
        guard let wanted = values[key] else { return true }
        return wanted.contains(where: fits)
    }

    /// `label=KEY` or `label=KEY=VALUE`: here every one must fit, as with Docker.
    package func matchesLabels(_ labels: [String: String], key: String = "label") -> Bool {
        all(key).allSatisfy { wanted in
            let pair = wanted.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard let value = labels[pair[0]] else { return false }
            return pair.count == 1 || pair[1] == value
        }
    }

    /// A truth value such as `dangling=true`; nil when it was not asked for.
    package func flag(_ key: String) throws(NodeFailure) -> Bool? {
        guard let text = values[key]?.last else { return nil }
        switch text {
        case "true", "1": return true
        case "false", "0": return false
        default: throw NodeFailure(.badRequest, "--filter \"\(key)=\(text)\": write true or false")
        }
    }

    private static func list(_ keys: [String]) -> String { keys.sorted().joined(separator: ", ") }
}
