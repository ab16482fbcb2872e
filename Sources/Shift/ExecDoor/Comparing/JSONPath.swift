/// Where values stand in JSON: `$.trades[*].id`, `$..timestamp`.
package struct JSONPath: Hashable, Sendable, CustomStringConvertible {
    enum Step: Hashable, Sendable {
        case name(String)
        case index(Int)
        /// Every element or member.
        case any
        /// A name at any depth.
        case below(String)
    }

    let steps: [Step]

    package init(_ text: String) throws(RuleProblem) {
        var rest = text[...]
        guard rest.popFirst() == "$" else { throw RuleProblem(text, "a path begins with $, such as $.run.id") }
        var steps: [Step] = []
        while let first = rest.first {
            if rest.hasPrefix("..") {
                rest = rest.dropFirst(2)
                steps.append(.below(try Self.name(&rest, text)))
            } else if first == "." {
                rest.removeFirst()
                let name = try Self.name(&rest, text)
                steps.append(name == "*" ? .any : .name(name))
            } else if first == "[" {
                guard let end = rest.firstIndex(of: "]") else { throw RuleProblem(text, "a [ has no ]") }
                let inner = rest[rest.index(after: rest.startIndex)..<end]
                if inner == "*" {
                    steps.append(.any)
                } else if let index = Int(inner), index >= 0 {
                    steps.append(.index(index))
                } else {
                    throw RuleProblem(text, "[\(inner)] is neither a number nor [*]")
                }
                rest = rest[rest.index(after: end)...]
            } else {
                throw RuleProblem(text, "expected . or [ before \"\(rest)\"")
            }
        }
        self.steps = steps
    }

    private static func name(_ rest: inout Substring, _ text: String) throws(RuleProblem) -> String {
        let name = rest.prefix { $0 != "." && $0 != "[" }
        guard !name.isEmpty else { throw RuleProblem(text, "a name is missing behind a dot") }
        rest = rest[name.endIndex...]
        return String(name)
    }

    package var description: String {
        "$"
            + steps.map { step in
                switch step {
                case .name(let name): ".\(name)"
                case .index(let index): "[\(index)]"
                case .any: "[*]"
                case .below(let name): "..\(name)"
                }
            }.joined()
    }

    /// Whether a value at `place` is named by this path. What lies below it is not asked for: it goes with it.
    func matches(_ place: [JSONPlace]) -> Bool { Self.matches(steps[...], place[...]) }

    private static func matches(_ steps: ArraySlice<Step>, _ place: ArraySlice<JSONPlace>) -> Bool {
        guard let step = steps.first else { return place.isEmpty }
        guard let here = place.first else { return false }
        let (later, below) = (steps.dropFirst(), place.dropFirst())
        switch step {
        case .name(let name): return here == .name(name) && matches(later, below)
        case .index(let index): return here == .index(index) && matches(later, below)
        case .any: return matches(later, below)
        case .below(let name): return here == .name(name) && matches(later, below) || matches(steps, below)
        }
    }
}

/// A step from a value of JSON to one within it.
enum JSONPlace: Hashable, Sendable {
    case name(String)
    case index(Int)
}
