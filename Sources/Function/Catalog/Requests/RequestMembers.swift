internal import JSON
internal import Lambda

/// The members of an object in a request, read with the limits of the service's model. What is wrong is said in the
/// service's words; a member that nobody asked for is refused, never ignored.
struct RequestMembers {
    private let object: JSONObject
    /// Where it stands: "environment."; empty for the whole.
    private let path: String
    private var known: Set<String> = []

    /// null and a body that is not there are the empty object.
    init(_ value: JSONValue, path: String = "") throws(LambdaFailure) {
        switch value {
        case .object(let object): self.object = object
        case .null: object = JSONObject()
        default:
            let place = path.isEmpty ? "The body of the request" : "'\(path.dropLast())'"
            throw .invalidParameter("\(place) must be an object, not \(value.kindName).")
        }
        self.path = path
    }

    mutating func has(_ key: String) -> Bool {
        known.insert(key)
        return object[key].map { !$0.isNull } ?? false
    }

    /// Text with a length in characters of UTF-8; `matches` and the pattern of the model, which is for the message.
    mutating func text(
        _ key: String, _ length: ClosedRange<Int> = 0...Int.max, _ pattern: TextPattern? = nil
    ) throws(LambdaFailure) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else { throw mismatch(key, value, "a string") }
        try check(text, key, length, pattern)
        return text
    }

    mutating func integer(_ key: String, _ range: ClosedRange<Int>) throws(LambdaFailure) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.integer.flatMap({ Int(exactly: $0) }) else { throw mismatch(key, value, "a whole number") }
        if number < range.lowerBound {
            throw violation("\(number)", key, "Member must have value greater than or equal to \(range.lowerBound)")
        }
        if number > range.upperBound {
            throw violation("\(number)", key, "Member must have value less than or equal to \(range.upperBound)")
        }
        return number
    }

    mutating func flag(_ key: String) throws(LambdaFailure) -> Bool? {
        guard let value = value(key) else { return nil }
        guard let flag = value.bool else { throw mismatch(key, value, "a boolean") }
        return flag
    }

    mutating func choice(_ key: String, _ choices: [String]) throws(LambdaFailure) -> String? {
        guard let text = try text(key) else { return nil }
        guard choices.contains(text) else {
            throw violation(text, key, "Member must satisfy enum value set: [\(choices.joined(separator: ", "))]")
        }
        return text
    }

    /// An object within this one, read by `body`, which may not leave a member unread.
    mutating func object<Value>(
        _ key: String, _ body: (inout RequestMembers) throws(LambdaFailure) -> Value
    ) throws(LambdaFailure) -> Value? {
        guard let value = value(key) else { return nil }
        var members = try RequestMembers(value, path: name(key) + ".")
        let result = try body(&members)
        try members.finish()
        return result
    }

    mutating func texts(
        _ key: String, count: ClosedRange<Int> = 0...Int.max, _ length: ClosedRange<Int> = 0...Int.max,
        _ pattern: TextPattern? = nil
    ) throws(LambdaFailure) -> [String]? {
        guard let elements = try elements(key, count) else { return nil }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element else { throw mismatch(key, element, "a string") }
            try check(text, key, length, pattern)
            texts.append(text)
        }
        return texts
    }

    mutating func objects<Value>(
        _ key: String, count: ClosedRange<Int> = 0...Int.max,
        _ body: (inout RequestMembers) throws(LambdaFailure) -> Value
    ) throws(LambdaFailure) -> [Value]? {
        guard let elements = try elements(key, count) else { return nil }
        var values: [Value] = []
        for (index, element) in elements.enumerated() {
            var members = try RequestMembers(element, path: "\(name(key)).\(index + 1).member.")
            values.append(try body(&members))
            try members.finish()
        }
        return values
    }

    /// An object whose names are data.
    mutating func map(_ key: String) throws(LambdaFailure) -> [String: String]? {
        guard let value = value(key) else { return nil }
        guard case .object(let object) = value else { throw mismatch(key, value, "an object") }
        var map: [String: String] = [:]
        for member in object.members {
            guard case .string(let text) = member.value else {
                throw mismatch("\(key).\(member.key)", member.value, "a string")
            }
            map[member.key] = text
        }
        return map
    }

    mutating func weights(_ key: String) throws(LambdaFailure) -> [String: Double]? {
        guard let value = value(key) else { return nil }
        guard case .object(let object) = value else { throw mismatch(key, value, "an object") }
        var map: [String: Double] = [:]
        for member in object.members {
            guard let weight = member.value.double, 0...1 ~= weight else {
                throw violation(
                    "\(member.value)", "\(key).\(member.key)", "Member must have value between 0.0 and 1.0")
            }
            map[member.key] = weight
        }
        return map
    }

    /// What this node does not have: refused with `sentence` unless it is missing or says nothing.
    mutating func refuse(_ key: String, _ sentence: String) throws(LambdaFailure) {
        guard let value = value(key), !Self.saysNothing(value) else { return }
        throw .invalidParameter("\(key) cannot be set: \(sentence)")
    }

    /// - Throws: InvalidParameterValueException when there is a member that nobody has asked for.
    func finish() throws(LambdaFailure) {
        guard let stranger = object.members.first(where: { !known.contains($0.key) }) else { return }
        throw .invalidParameter(
            "'\(path)\(stranger.key.prefix(128))' is no member that this operation knows. It knows "
                + (known.isEmpty ? "none." : known.sorted().joined(separator: ", ") + "."))
    }

    func missing(_ key: String) -> LambdaFailure { violation("null", key, "Member must not be null") }

    func violation(_ value: String, _ key: String, _ constraint: String) -> LambdaFailure {
        .invalidParameter(
            "1 validation error detected: Value '\(value.prefix(256))' at '\(name(key))' failed to satisfy constraint: \(constraint)")
    }

    // MARK: -

    private mutating func value(_ key: String) -> JSONValue? {
        known.insert(key)
        guard let value = object[key], !value.isNull else { return nil }
        return value
    }

    private mutating func elements(_ key: String, _ count: ClosedRange<Int>) throws(LambdaFailure) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { throw mismatch(key, value, "a list") }
        if elements.count < count.lowerBound {
            throw violation(
                "\(JSONValue.array(elements))", key, "Member must have length greater than or equal to \(count.lowerBound)")
        }
        if elements.count > count.upperBound {
            throw violation("[...]", key, "Member must have length less than or equal to \(count.upperBound)")
        }
        return elements
    }

    private func check(
        _ text: String, _ key: String, _ length: ClosedRange<Int>, _ pattern: TextPattern?
    ) throws(LambdaFailure) {
        if text.utf8.count < length.lowerBound {
            throw violation(text, key, "Member must have length greater than or equal to \(length.lowerBound)")
        }
        if text.unicodeScalars.count > length.upperBound {
            throw violation(text, key, "Member must have length less than or equal to \(length.upperBound)")
        }
        if let pattern, !pattern.accepts(text) {
            throw violation(text, key, "Member must satisfy regular expression pattern: \(pattern.pattern)")
        }
    }

    private func mismatch(_ key: String, _ value: JSONValue, _ expected: String) -> LambdaFailure {
        .invalidParameter("'\(name(key))' must be \(expected), not \(value.kindName).")
    }

    /// As the service writes it: the first letter small.
    private func name(_ key: String) -> String { path + key.prefix(1).lowercased() + key.dropFirst() }

    private static func saysNothing(_ value: JSONValue) -> Bool {
        switch value {
        case .null, .bool(false): true
        case .string(let text): text.isEmpty
        case .array(let elements): elements.isEmpty
        case .object(let object): object.members.allSatisfy { saysNothing($0.value) }
        default: false
        }
    }
}
