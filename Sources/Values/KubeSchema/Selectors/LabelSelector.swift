package import JSON

/// Which objects are meant, by their labels: `app=web,tier in (front,back),!canary`, or as an object with `matchLabels`
/// and `matchExpressions` (`k8s.io/apimachinery/pkg/labels`).
///
/// Invariants (tests in LabelSelectorTests):
/// 1. What a selector is written as reads back as the same selector. (`a selector reads back from what it is written as`)
/// 2. Both forms mean the same. (`the forms of a selector hold for the same labels`)
/// 3. No text traps. (`no text traps the parser of selectors`)
package struct LabelSelector: Hashable, Sendable {
    package enum Operator: String, Hashable, Sendable {
        case equals = "="
        case doubleEquals = "=="
        case notEquals = "!="
        case `in` = "in"
        case notIn = "notin"
        case exists = "exists"
        case doesNotExist = "!"
        case greaterThan = "gt"
        case lessThan = "lt"
    }

    package struct Requirement: Hashable, Sendable {
        package let key: String
        package let `operator`: Operator
        /// Sorted, none twice.
        package let values: [String]

        /// - Throws: `SelectorError` for a key or value that no label can have, or a number of values that makes no sense.
        package init(key: String, operator: Operator, values: [String]) throws(SelectorError) {
            self.key = key
            self.operator = `operator`
            self.values = Set(values).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            try check()
        }
    }

    /// All must hold.
    package let requirements: [Requirement]
    /// Whether it holds for no object: that is a selector which is not there.
    package let isNothing: Bool

    package static let everything = LabelSelector(requirements: [], isNothing: false)
    package static let nothing = LabelSelector(requirements: [], isNothing: true)

    init(requirements: [Requirement], isNothing: Bool = false) {
        self.requirements = requirements
        self.isNothing = isNothing
    }

    /// Whether it holds for an object's labels; nil and null are no labels.
    package func matches(_ labels: JSONValue?) -> Bool {
        guard !isNothing else { return false }
        let labels = labels?.object ?? [:]
        return requirements.allSatisfy { $0.holds(for: labels[$0.key]?.string) }
    }
}

/// Why a text or an object is no selector. The server answers 400 with this sentence.
package struct SelectorError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}

extension LabelSelector.Requirement {
    func holds(for value: String?) -> Bool {
        switch `operator` {
        case .in, .equals, .doubleEquals: value.map(values.contains) ?? false
        case .notIn, .notEquals: value.map { !values.contains($0) } ?? true
        case .exists: value != nil
        case .doesNotExist: value == nil
        case .greaterThan: compare(value, >)
        case .lessThan: compare(value, <)
        }
    }

    private func compare(_ value: String?, _ order: (Int64, Int64) -> Bool) -> Bool {
        guard let value, let number = Int64(value), let bound = values.first.flatMap({ Int64($0) }) else {
            return false
        }
        return order(number, bound)
    }

    private func check() throws(SelectorError) {
        var problems = Names.labelKey(key).map { "key: Invalid value: \(quoted(key)): \($0)" }
        let list = "[" + values.map(quoted).joined(separator: ",") + "]"
        switch `operator` {
        case .in, .notIn:
            if values.isEmpty {
                problems.append("values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty")
            }
        case .equals, .doubleEquals, .notEquals:
            if values.count != 1 {
                problems.append("values: Invalid value: \(list): exact-match compatibility requires one single value")
            }
        case .exists, .doesNotExist:
            if !values.isEmpty {
                problems.append(
                    "values: Invalid value: \(list): values set must be empty for exists and does not exist")
            }
        case .greaterThan, .lessThan:
            if values.count != 1 {
                problems.append(
                    "values: Invalid value: \(list): for 'Gt', 'Lt' operators, exactly one value is required")
            }
            for (index, value) in values.enumerated() where Int64(value) == nil {
                problems.append(
                    "values[\(index)]: Invalid value: \(quoted(value)): for 'Gt', 'Lt' operators, the value must be an integer"
                )
            }
        }
        for (index, value) in values.enumerated() {
            problems += Names.labelValue(value).map { "values[\(index)]: Invalid value: \(quoted(value)): \($0)" }
        }
        if let first = problems.first {
            throw SelectorError(problems.count == 1 ? first : "[" + problems.joined(separator: ", ") + "]")
        }
    }
}

extension LabelSelector: CustomStringConvertible {
    /// The form that `labelSelector=` takes, requirements in order of their keys.
    package var description: String { requirements.map(\.description).joined(separator: ",") }
}

extension LabelSelector.Requirement: CustomStringConvertible {
    package var description: String {
        let list = values.joined(separator: ",")
        switch `operator` {
        case .equals, .doubleEquals, .notEquals: return key + `operator`.rawValue + list
        case .in, .notIn: return "\(key) \(`operator`.rawValue) (\(list))"
        case .exists: return key
        case .doesNotExist: return "!" + key
        case .greaterThan: return "\(key)>\(list)"
        case .lessThan: return "\(key)<\(list)"
        }
    }
}

extension LabelSelector {
    /// Reads a selector object, as specs have it. One that is not there holds for nothing, an empty one for everything.
    /// - Throws: `SelectorError`.
    package init(object: JSONValue?) throws(SelectorError) {
        guard let object, !object.isNull else {
            self = .nothing
            return
        }
        var requirements: [Requirement] = []
        for label in object["matchLabels"]?.object?.members ?? [] {
            requirements.append(
                try Requirement(key: label.key, operator: .equals, values: [label.value.string ?? ""]))
        }
        for expression in object["matchExpressions"]?.array ?? [] {
            let name = expression["operator"]?.string ?? ""
            guard let `operator` = Self.operators[name] else {
                throw SelectorError("\(quoted(name)) is not a valid label selector operator")
            }
            requirements.append(
                try Requirement(
                    key: expression["key"]?.string ?? "", operator: `operator`,
                    values: (expression["values"]?.array ?? []).map { $0.string ?? "" }))
        }
        self.init(requirements: requirements.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) })
    }

    private static let operators: [String: Operator] = [
        "In": .in, "NotIn": .notIn, "Exists": .exists, "DoesNotExist": .doesNotExist,
    ]

    /// Reads a map of labels that must be there, as services and replication controllers have it. An empty one holds
    /// for nothing there.
    package init(labels: JSONValue?) throws(SelectorError) {
        guard let labels, labels.object?.isEmpty == false else {
            self = .nothing
            return
        }
        try self.init(object: ["matchLabels": labels])
    }
}
