import JSON
import Yams

/// Reads a YAML document as JSON, as sigs.k8s.io/yaml does for the server: YAML 1.2's core schema with Go's reading of
/// numbers, names as text, one document.
///
/// Invariants
/// 1. Any bytes give a value or an error, none traps. (test: `no YAML makes the reader trap`)
/// 2. What aliases multiply is bounded: a document makes `nodeLimit` values at most.
///    (test: `aliases that multiply are refused`)
enum YAMLBody {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Lists and maps within each other; Yams itself reads them by recursion.
    static let depthLimit = 100
    /// Values of one document, those that aliases repeat counted each time.
    static let nodeLimit = 500_000

    static func read(_ bytes: [UInt8]) throws(Failure) -> JSONValue {
        if let value = try? JSONParser.parse(bytes) { return value }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(description: "yaml: the document is not UTF-8")
        }
        guard !isTooDeep(bytes) else {
            throw Failure(description: "yaml: more than \(depthLimit) lists and maps within each other")
        }
        let root: Node?
        do { root = try Parser(yaml: text, resolver: .basic).singleRoot() } catch { throw failure(error) }
        guard let root else { return .null }
        var count = 0
        return try value(root, 0, &count)
    }

    /// Whether brackets or indentation nest deeper than what is read: counted before the parser, which recurses, sees it.
    private static func isTooDeep(_ bytes: [UInt8]) -> Bool {
        var (open, indent, isStart, dashes) = (0, 0, true, 0)
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"): (indent, isStart, dashes) = (0, true, 0)
            case UInt8(ascii: " ") where isStart: indent += 1
            case UInt8(ascii: "-") where isStart: dashes += 1
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                isStart = false
                open += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): open = max(0, open - 1)
            default: isStart = false
            }
            if open > depthLimit || dashes > depthLimit || indent > depthLimit * 16 { return true }
        }
        return false
    }

    private static func failure(_ error: any Error) -> Failure {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return Failure(description: "yaml: line \(mark.line): \(problem)")
        case .duplicatedKeysInMapping(let names, let context):
            return Failure(
                description:
                    "yaml: line \(context.mark.line): key \(names.joined(separator: ", ").goQuoted) already set in map")
        default: return Failure(description: "yaml: \(error)")
        }
    }

    private static func value(_ node: Node, _ depth: Int, _ count: inout Int) throws(Failure) -> JSONValue {
        count += 1
        guard count <= nodeLimit else { throw Failure(description: "yaml: document contains excessive aliasing") }
        guard depth < depthLimit else {
            throw Failure(description: "yaml: more than \(depthLimit) lists and maps within each other")
        }
        switch node {
        case .scalar(let scalar):
            return YAMLScalar.value(scalar.string, isPlain: scalar.style == .plain, tag: "\(scalar.tag)")
        case .sequence(let sequence):
            var elements: [JSONValue] = []
            for element in sequence { elements.append(try value(element, depth + 1, &count)) }
            return .array(elements)
        case .mapping(let mapping):
            var object = JSONObject()
            for (key, member) in mapping {
                guard case .scalar(let name) = key else {
                    throw Failure(description: "yaml: a name in a map must be text")
                }
                guard name.string != "<<" || name.style != .plain else {
                    throw Failure(description: "yaml: merges (<<) are not read: write the values out")
                }
                object[name.string] = try value(member, depth + 1, &count)
            }
            return .object(object)
        case .alias: throw Failure(description: "yaml: an alias without its anchor")
        }
    }
}

/// What a scalar of YAML is in JSON.
enum YAMLScalar {
    static func value(_ text: String, isPlain: Bool, tag: String) -> JSONValue {
        guard isPlain, tag != "!", tag != "tag:yaml.org,2002:str" || !isTagged(tag) else { return .string(text) }
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return true
        case "false", "False", "FALSE": return false
        // sigs.k8s.io/yaml reads YAML 1.1 booleans as text only when they are quoted.
        case "yes", "Yes", "YES", "on", "On", "ON": return true
        case "no", "No", "NO", "off", "Off", "OFF": return false
        default: return number(text) ?? .string(text)
        }
    }

    private static func isTagged(_ tag: String) -> Bool { tag.hasPrefix("!") }

    private static func number(_ text: String) -> JSONValue? {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, (48...57).contains(first) || "+-.".utf8.contains(first) else { return nil }
        let (sign, digits) =
            first == UInt8(ascii: "-")
            ? ("-", text.dropFirst()) : ("", first == UInt8(ascii: "+") ? text.dropFirst() : text[...])
        let plain = digits.filter { $0 != "_" }
        for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where plain.hasPrefix(prefix) {
            return Int64(sign + plain.dropFirst(2), radix: radix).map { .integer($0) }
        }
        // YAML 1.1: a leading zero makes it octal.
        if plain.utf8.count > 1, plain.hasPrefix("0"), plain.utf8.allSatisfy({ (48...55).contains($0) }) {
            return Int64(sign + plain, radix: 8).map { .integer($0) }
        }
        if plain.utf8.allSatisfy({ (48...57).contains($0) }), let integer = Int64(sign + plain) {
            return .integer(integer)
        }
        let isDecimal = plain.utf8.allSatisfy { (48...57).contains($0) || ".eE+-".utf8.contains($0) }
        guard isDecimal, plain.utf8.contains(where: { (48...57).contains($0) }), let number = Double(sign + plain),
            number.isFinite
        else { return nil }
        return .number(JSONNumber(number))
    }
}
