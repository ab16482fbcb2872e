internal import JSON
internal import Lambda

/// Finds the key and the order of calls, as the settings of their functions say.
///
/// A call that lacks what its function's settings name is refused when the caller could have given it: a header of a
/// request, a value in the payload. Without an `amz-sdk-invocation-id` (no SDK was used) or a message id (it did not come
/// from a message) there is no key, and nothing is refused. An event that never had header fields has no key in a header.
struct CallKeys {
    /// Longer ones would make every index long; a digest of it will do.
    static let longestKey = 1024
    private static let compiledLimit = 1000

    /// Paths are read once for each text, not for each call.
    private var compiled: [String: JSONPath] = [:]

    /// - Throws: InvalidParameterValueException (400), which says what is missing.
    mutating func find(
        _ source: FunctionSettings.KeySource, _ what: String, in call: FunctionCall
    ) throws(LambdaFailure) -> String? {
        let key: String?
        switch source {
        case .sdk: key = call.sdkInvocationID
        case .message: key = call.messageID
        case .header(let name):
            guard !call.headers.isEmpty else { return nil }
            guard let value = call.headers[name.lowercased()], !value.isEmpty else {
                throw .invalidParameter(
                    "run \(call.function.name): it takes its \(what) from the header \(name), which the request does not have."
                )
            }
            key = value
        case .path(let text): key = try value(at: text, what, in: call)
        }
        if let key, key.utf8.count > Self.longestKey {
            throw .invalidParameter(
                "run \(call.function.name): its \(what) is \(key.utf8.count) bytes long; at most \(Self.longestKey) are allowed."
            )
        }
        return key
    }

    private mutating func value(
        at text: String, _ what: String, in call: FunctionCall
    ) throws(LambdaFailure) -> String {
        let path = try path(text, what, call.function.name)
        let json: JSONValue
        do throws(JSONError) { json = try JSONParser.parse(call.payload) } catch {
            throw .invalidParameter(
                "run \(call.function.name): it takes its \(what) from \(text) in the payload, which is no JSON: \(error)"
            )
        }
        let found = path.value(in: json)
        switch found {
        case .string(let value) where !value.isEmpty: return value
        case .integer(let value): return "\(value)"
        case .number(let value): return value.text
        case .bool(let value): return value ? "true" : "false"
        default:
            let kind = found.map { $0.kindName == "a string" ? "an empty string" : $0.kindName } ?? "nothing"
            throw .invalidParameter(
                "run \(call.function.name): it takes its \(what) from \(text) in the payload, where there is \(kind); "
                    + "a text, a number or a boolean is needed.")
        }
    }

    private mutating func path(_ text: String, _ what: String, _ function: String) throws(LambdaFailure) -> JSONPath {
        if let path = compiled[text] { return path }
        do throws(JSONPathError) {
            let path = try JSONPath(text)
            if compiled.count >= Self.compiledLimit { compiled.removeAll() }
            compiled[text] = path
            return path
        } catch { throw .invalidParameter("run \(function): find its \(what): \(error)") }
    }
}
