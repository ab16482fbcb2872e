internal import JSON

/// The tags that set what Forkless offers beyond Lambda.
///
/// Invariants
/// 1. No tag that begins with "forkless:" is ignored: it is understood or refused.
///    (test: `a tag of Forkless is a setting or is refused`)
extension FunctionSettings {
    package static let tagPrefix = "forkless:"

    /// What the tags say of a function of `runtime`, the rest of it the default.
    ///
    /// - Parameter runtime: "python3.11", "provided.al2023", "forkless.stdio"; nil for images.
    /// - Throws: InvalidParameterValueException for a tag or a value that is not known, or that the runtime cannot have.
    package init(tags: [String: String], runtime: String?) throws(LambdaFailure) {
        self.init()
        let isStdio = runtime == "forkless.stdio"
        let isPython = runtime?.hasPrefix("python") == true
        if isPython { start = .zygote }
        if isStdio { freshness = .fresh }
        for (tag, value) in tags.sorted(by: { $0.key < $1.key }) where tag.hasPrefix(Self.tagPrefix) {
            switch tag.dropFirst(Self.tagPrefix.count) {
            case "freshness": freshness = try Self.freshness(tag, value, isStdio: isStdio)
            case "start": start = try Self.start(tag, value, canFork: runtime != nil && !isStdio)
            case "key": key = try Self.source(tag, value)
            case "key-expiry": keyExpirySeconds = try Self.seconds(tag, value)
            case "order": order = try Self.source(tag, value)
            case "deadline-header": deadlineHeader = try Self.fieldName(tag, value)
            case "record": recordsPayloads = try Self.choice(tag, value, ["on": true, "off": false])
            case "input": input = try Self.input(tag, value, isStdio: isStdio)
            default:
                throw .invalidParameter(
                    "There is no tag \(tag). Forkless knows forkless:freshness, forkless:start, forkless:key, "
                        + "forkless:key-expiry, forkless:order, forkless:deadline-header, forkless:record and forkless:input.")
            }
        }
    }

    private static func refusal(_ tag: String, _ value: String, _ expected: String) -> LambdaFailure {
        .invalidParameter("The tag \(tag) cannot be \(String(reflecting: String(value.prefix(256)))): \(expected).")
    }

    private static func choice<Value>(_ tag: String, _ value: String, _ choices: [String: Value]) throws(LambdaFailure) -> Value {
        guard let choice = choices[value] else {
            throw refusal(tag, value, "it is one of \(choices.keys.sorted().joined(separator: ", "))")
        }
        return choice
    }

    private static func freshness(_ tag: String, _ value: String, isStdio: Bool) throws(LambdaFailure) -> Freshness {
        let result: Freshness
        if value.hasPrefix("concurrent:") {
            guard let count = number(value.dropFirst(11)), 1...1600 ~= count else {
                throw refusal(tag, value, "concurrent:N takes 1 to 1600 calls at once")
            }
            result = .concurrent(count)
        } else if value == "reuse" {
            result = .reuse
        } else if value == "fresh" {
            result = .fresh
        } else {
            throw refusal(tag, value, "it is reuse, fresh or concurrent:N")
        }
        guard !isStdio || result == .fresh else {
            throw refusal(tag, value, "a program of forkless.stdio is a fresh process for each call")
        }
        return result
    }

    private static func start(_ tag: String, _ value: String, canFork: Bool) throws(LambdaFailure) -> Start {
        let start: Start = try choice(tag, value, ["cold": .cold, "zygote": .zygote])
        guard start == .cold || canFork else {
            throw refusal(tag, value, "only functions with a bootstrap or of python3.x can have a zygote")
        }
        return start
    }

    private static func input(_ tag: String, _ value: String, isStdio: Bool) throws(LambdaFailure) -> Input {
        guard isStdio else { throw refusal(tag, value, "only functions of forkless.stdio have an input") }
        return try choice(tag, value, ["event": .event, "body": .body, "file": .file])
    }

    private static func source(_ tag: String, _ value: String) throws(LambdaFailure) -> KeySource {
        if value == "message" { return .message }
        if value == "sdk" { return .sdk }
        if value.hasPrefix("header:") { return .header(try fieldName(tag, value.dropFirst(7)).lowercased()) }
        if value.hasPrefix("path:") { return .path(try path(tag, value)) }
        throw refusal(tag, value, "it is header:NAME, path:$.a.b[0], message or sdk")
    }

    private static func path(_ tag: String, _ value: String) throws(LambdaFailure) -> String {
        let text = String(value.dropFirst(5))
        do throws(JSONPathError) { _ = try JSONPath(text) } catch { throw refusal(tag, value, error.description) }
        return text
    }

    private static func seconds(_ tag: String, _ value: String) throws(LambdaFailure) -> Int {
        guard let seconds = number(value), 1...31_622_400 ~= seconds else {
            throw refusal(tag, value, "it takes 1 to 31622400 seconds")
        }
        return seconds
    }

    /// A token of RFC 9110 section 5.6.2.
    private static func fieldName(_ tag: String, _ value: some StringProtocol) throws(LambdaFailure) -> String {
        let isToken = !value.isEmpty && value.utf8.count <= 128
            && value.utf8.allSatisfy { byte in
                switch byte {
                case 48...57, 65...90, 97...122: true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
        guard isToken else { throw refusal(tag, String(value), "that is no name of a header field") }
        return String(value)
    }

    private static func number(_ text: some StringProtocol) -> Int? {
        guard !text.isEmpty, text.utf8.count <= 18, text.utf8.allSatisfy({ 48...57 ~= $0 }) else { return nil }
        return Int(text)
    }
}
