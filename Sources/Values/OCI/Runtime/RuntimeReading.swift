import JSON

/// How much of a container's configuration is accepted: what the kernel would refuse anyway is refused with the
/// name of the field, and nothing is read into memory without a bound.
package enum RuntimeLimits {
    /// Bytes of config.json, process.json or the resources of an update.
    package static let documentBytes = 4 << 20
    /// Bytes of a path without its NUL (PATH_MAX, limits.h).
    package static let pathBytes = 4095
    /// Bytes of one value without its own limit: what execve takes for one argument (MAX_ARG_STRLEN less its NUL).
    package static let textBytes = 131_071
    /// Entries of a list without its own limit.
    package static let entries = 8192
    /// Ranges of one id map (user_namespaces(7)).
    package static let mapRanges = 340
    /// Supplementary groups (NGROUPS_MAX).
    package static let groups = 65_536
    /// Bytes of a host or domain name (__NEW_UTS_LEN).
    package static let hostNameBytes = 64
}

/// Readings that many parts of a container's configuration share. An empty text counts as missing where a text is
/// optional: the specification's own types leave it out or write it empty, as it comes.
extension JSONObjectReader {
    /// A text of at most `limit` bytes; nil when it is missing or empty.
    mutating func text(_ key: String, limit: Int = RuntimeLimits.textBytes) throws(JSONShapeError) -> String? {
        guard let text: String = try optional(key), !text.isEmpty else { return nil }
        guard text.utf8.count <= limit else {
            throw error(key, "\(text.utf8.count) bytes; at most \(limit) are accepted")
        }
        return text
    }

    /// A path of at most PATH_MAX bytes; nil when it is missing or empty.
    mutating func filePath(_ key: String) throws(JSONShapeError) -> String? {
        try text(key, limit: RuntimeLimits.pathBytes)
    }

    /// A text that must be there and not be empty.
    mutating func requiredText(
        _ key: String, limit: Int = RuntimeLimits.textBytes
    ) throws(JSONShapeError) -> String {
        guard let text = try text(key, limit: limit) else {
            throw error(key, has(key) ? "expected a string, found an empty one" : "expected a string, found nothing")
        }
        return text
    }

    /// A path that must be there.
    mutating func requiredPath(_ key: String) throws(JSONShapeError) -> String {
        try requiredText(key, limit: RuntimeLimits.pathBytes)
    }

    /// A list of texts.
    mutating func texts(
        _ key: String, count: Int = RuntimeLimits.entries, limit: Int = RuntimeLimits.textBytes
    ) throws(JSONShapeError) -> [String] {
        let texts: [String] = try list(key)
        try bound(key, texts.count, count)
        for (index, text) in texts.enumerated() where text.utf8.count > limit {
            throw error("\(key)[\(index)]", "\(text.utf8.count) bytes; at most \(limit) are accepted")
        }
        return texts
    }

    /// A list of objects of bounded length.
    mutating func parts<Element>(
        _ key: String, count limit: Int = RuntimeLimits.entries,
        _ read: (inout JSONObjectReader) throws(JSONShapeError) -> Element
    ) throws(JSONShapeError) -> [Element] {
        let result = try array(key, read)
        try bound(key, result.count, limit)
        return result
    }

    /// An object whose names are data and whose values are texts.
    mutating func textByName(
        _ key: String, limit: Int = RuntimeLimits.textBytes
    ) throws(JSONShapeError) -> [String: String] {
        guard let object: JSONObject = try optional(key) else { return [:] }
        try bound(key, object.count, RuntimeLimits.entries)
        var result: [String: String] = [:]
        for member in object.members where !member.value.isNull {
            try checkName(member.key, in: key)
            guard let text = member.value.string else {
                throw error("\(key).\(member.key)", "expected a string, found \(member.value.kindName)")
            }
            guard text.utf8.count <= limit else {
                throw error("\(key).\(member.key)", "\(text.utf8.count) bytes; at most \(limit) are accepted")
            }
            result[member.key] = text
        }
        return result
    }

    /// An object whose names are data and whose values are objects.
    mutating func partByName<Part>(
        _ key: String, _ read: (String, inout JSONObjectReader) throws(JSONShapeError) -> Part
    ) throws(JSONShapeError) -> [String: Part] {
        guard let object: JSONObject = try optional(key) else { return [:] }
        try bound(key, object.count, RuntimeLimits.entries)
        var result: [String: Part] = [:]
        for member in object.members where !member.value.isNull {
            try checkName(member.key, in: key)
            var reader = try JSONObjectReader(member.value, path: error("\(key).\(member.key)", "").path)
            result[member.key] = try read(member.key, &reader)
        }
        return result
    }

    /// One of the names that the specification lists; nil when it is missing or empty.
    mutating func name<Name: NamedBySpecification>(
        _ key: String, as type: Name.Type = Name.self
    ) throws(JSONShapeError) -> Name? {
        guard let text: String = try optional(key), !text.isEmpty else { return nil }
        return try Name.named(text, in: self, key)
    }

    /// The same where it must be there.
    mutating func requiredName<Name: NamedBySpecification>(
        _ key: String, as type: Name.Type = Name.self
    ) throws(JSONShapeError) -> Name {
        let text: String = try required(key)
        return try Name.named(text, in: self, key)
    }

    /// A list of such names.
    mutating func names<Name: NamedBySpecification>(
        _ key: String, as type: Name.Type = Name.self
    ) throws(JSONShapeError) -> [Name] {
        var result: [Name] = []
        for (index, text) in try texts(key, count: 256).enumerated() {
            result.append(try Name.named(text, in: self, "\(key)[\(index)]"))
        }
        return result
    }

    /// A whole number that may need all 64 bits (RLIM_INFINITY does).
    mutating func unsigned(_ key: String) throws(JSONShapeError) -> UInt64? {
        try optional(key, as: UnsignedNumber.self)?.value
    }

    /// The same where it must be there.
    mutating func requiredUnsigned(_ key: String) throws(JSONShapeError) -> UInt64 {
        try required(key, as: UnsignedNumber.self).value
    }

    private func checkName(_ name: String, in key: String) throws(JSONShapeError) {
        guard !name.isEmpty, name.utf8.count <= RuntimeLimits.pathBytes else {
            throw error(key, "a name in it is empty or has more than \(RuntimeLimits.pathBytes) bytes")
        }
    }

    private func bound(_ key: String, _ count: Int, _ limit: Int) throws(JSONShapeError) {
        guard count <= limit else { throw error(key, "\(count) entries; at most \(limit) are accepted") }
    }
}

/// A name out of a list of the specification.
package protocol NamedBySpecification: RawRepresentable<String>, CaseIterable, Hashable, Sendable {}

extension NamedBySpecification {
    static func named(_ text: String, in reader: JSONObjectReader, _ key: String) throws(JSONShapeError) -> Self {
        if let name = Self(rawValue: text) { return name }
        let names = allCases.map(\.rawValue).joined(separator: ", ")
        let shown = text.utf8.count <= 64 ? "\"\(text)\"" : "a string of \(text.utf8.count) bytes"
        throw reader.error(key, "expected one of \(names); found \(shown)")
    }
}

/// A whole number from 0 to 2^64 - 1.
struct UnsignedNumber: JSONConvertible {
    static var expectation: String { "a whole number from 0 to \(UInt64.max)" }

    var value: UInt64

    init?(json: JSONValue) {
        switch json {
        case .integer(let number):
            guard number >= 0 else { return nil }
            value = UInt64(number)
        case .number(let number):
            guard let number = UInt64(number.text) else { return nil }
            value = number
        default: return nil
        }
    }

    var json: JSONValue { Int64(exactly: value).map { .integer($0) } ?? JSONValue(numberText: String(value))! }
}

/// Reads a document of the runtime specification: size, syntax, no NUL, shape.
func readRuntimeDocument<Document>(
    _ name: String, _ bytes: [UInt8], _ read: (inout JSONObjectReader) throws(JSONShapeError) -> Document
) throws(DocumentError) -> Document {
    try readDocument(name, bytes, limit: RuntimeLimits.documentBytes, read)
}
