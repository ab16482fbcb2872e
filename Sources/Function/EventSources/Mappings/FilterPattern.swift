package import JSON

/// A pattern of `FilterCriteria`: which events a function wants. Pure.
///
/// A pattern is an object; each field is an object again or a list of conditions, of which one must hold for the value of
/// that field (of an array: for one of its elements). All fields must match; `$or` holds a list of patterns of which one must.
/// Conditions: a value; `null`; `{"prefix": ..}`, `{"suffix": ..}` (each also with `equals-ignore-case`),
/// `{"equals-ignore-case": ..}`, `{"anything-but": ..}` (a value, a list, or prefix, suffix, equals-ignore-case),
/// `{"numeric": [">", 0, "<=", 5]}`, `{"exists": true}`.
///
/// Invariants
/// 1. What is not understood is refused when the pattern is read, never ignored. (test: `a pattern that says more than is known is refused`)
/// 2. Matching ends for every pattern and event. (test: `filters survive whatever comes`)
package struct FilterPattern: Hashable, Sendable {
    indirect enum Rule: Hashable, Sendable {
        case all([Rule])
        case any([Rule])
        case field(String, Rule)
        case value([Condition])
    }

    enum Condition: Hashable, Sendable {
        case equals(JSONValue)
        case prefix(String, ignoringCase: Bool)
        case suffix(String, ignoringCase: Bool)
        case equalsIgnoringCase(String)
        case anythingBut([Condition])
        case numeric([Comparison])
        case exists(Bool)
    }

    struct Comparison: Hashable, Sendable {
        enum Sign: String, Hashable, Sendable {
            case equal = "="
            case less = "<"
            case lessOrEqual = "<="
            case greater = ">"
            case greaterOrEqual = ">="
        }
        var sign: Sign
        var number: Double

        func holds(_ value: Double) -> Bool {
            switch sign {
            case .equal: value == number
            case .less: value < number
            case .lessOrEqual: value <= number
            case .greater: value > number
            case .greaterOrEqual: value >= number
            }
        }
    }

    let rule: Rule

    package init(_ text: String) throws(FilterError) {
        let value: JSONValue
        do { value = try JSONParser.parse(text) } catch { throw FilterError("\(text) is no JSON: \(error)") }
        rule = try FilterReading.rule(value, "the pattern")
    }

    package func matches(_ event: JSONValue) -> Bool { Self.matches(rule, event) }

    private static func matches(_ rule: Rule, _ value: JSONValue?) -> Bool {
        switch rule {
        case .all(let rules): rules.allSatisfy { matches($0, value) }
        case .any(let rules): rules.contains { matches($0, value) }
        case .field(let name, let rule):
            // Of an array of objects one must match.
            if case .array(let elements) = value {
                elements.contains { matches(rule, $0[name]) }
            } else {
                matches(rule, value?[name])
            }
        case .value(let conditions): conditions.contains { holds($0, value) }
        }
    }

    private static func holds(_ condition: Condition, _ value: JSONValue?) -> Bool {
        if case .exists(let wanted) = condition {
            // A field that is an object has no value of its own, and does not exist for a filter.
            let exists = value.map { if case .object = $0 { false } else { true } } ?? false
            return exists == wanted
        }
        guard let value else { return false }
        if case .array(let elements) = value {
            if case .anythingBut(let conditions) = condition {
                return elements.contains { element in !conditions.contains { holds($0, element) } }
            }
            return elements.contains { holds(condition, $0) }
        }
        switch condition {
        case .equals(let wanted): return isEqual(wanted, value)
        case .prefix(let prefix, let ignoresCase): return part(prefix, ignoresCase, value) { $0.starts(with: $1) }
        case .suffix(let suffix, let ignoresCase):
            return part(suffix, ignoresCase, value) { $0.reversed().starts(with: $1.reversed()) }
        case .equalsIgnoringCase(let wanted):
            return value.string.map { $0.lowercased() == wanted.lowercased() } ?? false
        case .anythingBut(let conditions):
            if case .object = value { return false }
            return !conditions.contains { holds($0, value) }
        case .numeric(let comparisons):
            guard let number = value.double else { return false }
            return comparisons.allSatisfy { $0.holds(number) }
        case .exists: return false
        }
    }

    /// Numbers are equal by what they mean: 300 and 300.0.
    private static func isEqual(_ wanted: JSONValue, _ value: JSONValue) -> Bool {
        if wanted == value { return true }
        if let one = wanted.double, let other = value.double { return one == other }
        return false
    }

    private static func part(
        _ wanted: String, _ ignoresCase: Bool, _ value: JSONValue, _ test: ([UInt8], [UInt8]) -> Bool
    ) -> Bool {
        guard let text = value.string else { return false }
        return ignoresCase
            ? test(Array(text.lowercased().utf8), Array(wanted.lowercased().utf8))
            : test(Array(text.utf8), Array(wanted.utf8))
    }
}

/// Why a text is no pattern of a filter.
package struct FilterError: Error, Hashable, Sendable, CustomStringConvertible {
    package var description: String

    init(_ description: String) { self.description = description }
}
