internal import JSON

/// Reads the pattern of a filter.
enum FilterReading {
    /// Objects in objects; more are refused, as the service does.
    static let depthLimit = 16

    static func rule(_ value: JSONValue, _ path: String, depth: Int = 0) throws(FilterError) -> FilterPattern.Rule {
        guard case .object(let object) = value, !object.isEmpty else {
            throw FilterError("\(path) must be an object with at least one field")
        }
        guard depth < depthLimit else { throw FilterError("\(path) is more than \(depthLimit) levels deep") }
        var rules: [FilterPattern.Rule] = []
        for member in object.members {
            let here = "\(path), \(member.key)"
            switch (member.key, member.value) {
            case ("$or", .array(let patterns)):
                guard patterns.count >= 2 else { throw FilterError("\(here): a list of two or more patterns") }
                var any: [FilterPattern.Rule] = []
                for pattern in patterns { any.append(try rule(pattern, here, depth: depth + 1)) }
                rules.append(.any(any))
            case (let name, .array(let conditions)):
                guard !conditions.isEmpty else { throw FilterError("\(here): the list of values is empty") }
                var read: [FilterPattern.Condition] = []
                for value in conditions { read.append(try condition(value, here)) }
                rules.append(.field(name, .value(read)))
            case (let name, .object): rules.append(.field(name, try rule(member.value, here, depth: depth + 1)))
            default: throw FilterError("\(here) must be an object or a list of values, not \(member.value.kindName)")
            }
        }
        return .all(rules)
    }

    private static func condition(_ value: JSONValue, _ path: String) throws(FilterError) -> FilterPattern.Condition {
        switch value {
        case .null, .bool, .integer, .number, .string: return .equals(value)
        case .array: throw FilterError("\(path): a value of a list cannot be a list")
        case .object(let object):
            guard object.count == 1, let member = object.members.first else {
                throw FilterError("\(path): a condition has one name, such as {\"prefix\": \"a\"}")
            }
            return try condition(member.key, member.value, path)
        }
    }

    private static func condition(
        _ name: String, _ value: JSONValue, _ path: String
    ) throws(FilterError) -> FilterPattern.Condition {
        switch (name, value) {
        case ("prefix", .string(let text)): return .prefix(text, ignoringCase: false)
        case ("suffix", .string(let text)): return .suffix(text, ignoringCase: false)
        case ("prefix", .object), ("suffix", .object):
            guard let text = value["equals-ignore-case"]?.string, value.object?.count == 1 else { break }
            return name == "prefix" ? .prefix(text, ignoringCase: true) : .suffix(text, ignoringCase: true)
        case ("equals-ignore-case", .string(let text)): return .equalsIgnoringCase(text)
        case ("exists", .bool(let exists)): return .exists(exists)
        case ("numeric", .array(let parts)): return .numeric(try comparisons(parts, path))
        case ("anything-but", _): return .anythingBut(try anythingBut(value, path))
        default: break
        }
        throw FilterError(
            "\(path): \"\(name)\" with \(value.kindName) is not known. Known are a value, null, and prefix, suffix, "
                + "equals-ignore-case, anything-but, numeric and exists, each as {NAME: WHAT}")
    }

    private static func anythingBut(_ value: JSONValue, _ path: String) throws(FilterError) -> [FilterPattern.Condition]
    {
        let values: [JSONValue]
        switch value {
        case .array(let list) where !list.isEmpty: values = list
        case .string, .integer, .number: values = [value]
        case .object(let object):
            guard object.count == 1, let member = object.members.first,
                ["prefix", "suffix", "equals-ignore-case"].contains(member.key)
            else { throw FilterError("\(path): anything-but takes values, prefix, suffix or equals-ignore-case") }
            guard case .array(let list) = member.value, !list.isEmpty else {
                return [try condition(member.key, member.value, path)]
            }
            var conditions: [FilterPattern.Condition] = []
            for value in list { conditions.append(try condition(member.key, value, path)) }
            return conditions
        default: throw FilterError("\(path): anything-but takes a text, a number or a list of them")
        }
        for value in values where value.string == nil && value.double == nil {
            throw FilterError("\(path): anything-but takes texts and numbers, not \(value.kindName)")
        }
        return values.map { .equals($0) }
    }

    private static func comparisons(_ parts: [JSONValue], _ path: String) throws(FilterError) -> [FilterPattern
        .Comparison]
    {
        guard parts.count == 2 || parts.count == 4 else {
            throw FilterError("\(path): numeric takes one or two comparisons, such as [\">\", 0, \"<=\", 5]")
        }
        var comparisons: [FilterPattern.Comparison] = []
        for at in stride(from: 0, to: parts.count, by: 2) {
            guard let sign = parts[at].string.flatMap(FilterPattern.Comparison.Sign.init),
                let number = parts[at + 1].double
            else {
                throw FilterError(
                    "\(path): numeric takes one of = < <= > >= and a number, not \(parts[at]) \(parts[at + 1])")
            }
            comparisons.append(.init(sign: sign, number: number))
        }
        return comparisons
    }
}
