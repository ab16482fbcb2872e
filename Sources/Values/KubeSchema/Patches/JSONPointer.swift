package import JSON

/// The place of a value in a JSON document (RFC 6901): "/spec/containers/0", with "~1" for "/" and "~0" for "~".
///
/// Invariant: any text gives a pointer or an error. (`no patch traps`)
package struct JSONPointer: Hashable, Sendable, CustomStringConvertible {
    package let steps: [String]
    package let description: String

    /// - Throws: `PatchError` for a text that neither is empty nor begins with "/", or has a "~" that is no escape.
    package init(_ text: String) throws(PatchError) {
        description = text
        guard !text.isEmpty else {
            steps = []
            return
        }
        guard text.hasPrefix("/") else {
            throw PatchError(.badRequest, "JSON pointer \(quoted(text)) has to begin with \"/\"")
        }
        var steps: [String] = []
        for part in text.utf8.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            steps.append(try Self.unescaped(part, of: text))
        }
        self.steps = steps
    }

    private static func unescaped(_ part: Substring.UTF8View, of text: String) throws(PatchError) -> String {
        var bytes: [UInt8] = []
        var rest = part
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "~") else {
                bytes.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "0"): bytes.append(UInt8(ascii: "~"))
            case UInt8(ascii: "1"): bytes.append(UInt8(ascii: "/"))
            default: throw PatchError(.badRequest, "JSON pointer \(quoted(text)) has a \"~\" before neither 0 nor 1")
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether this is the place of something inside of what `other` names.
    func isInside(_ other: JSONPointer) -> Bool { steps.count > other.steps.count && steps.starts(with: other.steps) }

    /// The value here; nil when there is none.
    package func value(in json: JSONValue) -> JSONValue? {
        var value = json
        for step in steps {
            switch value {
            case .object(let members):
                guard let next = members[step] else { return nil }
                value = next
            case .array(let elements):
                guard let index = Self.index(step), index < elements.count else { return nil }
                value = elements[index]
            default: return nil
            }
        }
        return value
    }

    /// Digits without a leading zero (RFC 6901 section 4).
    static func index(_ step: String) -> Int? {
        guard step.utf8.allSatisfy(Names.isDigit), step == "0" || !step.hasPrefix("0") else { return nil }
        return Int(step)
    }
}
