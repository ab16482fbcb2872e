package import JSON

/// A list of changes to a JSON document (RFC 6902), `application/json-patch+json`.
///
/// Invariants (tests in JSONPatchTests):
/// 1. A patch is applied as a whole or not at all: the document is a value. (`a patch that fails changes nothing`)
/// 2. Applied to any document it gives a document or an error. (`no patch traps`)
/// 3. It does what a model does that knows only paths and values. (`patches of random documents agree with a model`)
package struct JSONPatch: Hashable, Sendable {
    package enum Operation: Hashable, Sendable {
        case add(JSONPointer, JSONValue)
        case remove(JSONPointer)
        case replace(JSONPointer, JSONValue)
        case move(from: JSONPointer, JSONPointer)
        case copy(from: JSONPointer, JSONPointer)
        case test(JSONPointer, JSONValue)
    }

    package let operations: [Operation]

    /// As many operations as the server takes (`maxJSONPatchOperations`).
    package static let operationLimit = 10_000
    /// As many bytes of JSON, about, as are copied and moved in one patch: each copy can double a document, and text that is
    /// shared in memory is written out for each copy (`JSONPatchMaxCopyBytes` of k8s.io/apiserver).
    static let copyLimit = 3 << 20
    /// As many members as are passed over in one patch by removals from large objects, each of which takes linear time.
    static let passLimit = 2_000_000

    /// - Throws: `PatchError`, 400 for what is no patch, 413 for too many operations.
    package init(_ json: JSONValue) throws(PatchError) {
        guard let list = json.array else {
            throw PatchError(
                .badRequest,
                "json: cannot unmarshal \(ObjectDecoder.goName(json)) into Go value of type jsonpatch.Patch")
        }
        guard list.count <= Self.operationLimit else {
            throw PatchError(
                .tooLarge, "The allowed maximum operations in a JSON patch is \(Self.operationLimit), got \(list.count)"
            )
        }
        var operations: [Operation] = []
        for one in list { operations.append(try Self.operation(one)) }
        self.operations = operations
    }

    private static func operation(_ json: JSONValue) throws(PatchError) -> Operation {
        guard json.object != nil else {
            throw PatchError(
                .badRequest,
                "json: cannot unmarshal \(ObjectDecoder.goName(json)) into Go value of type jsonpatch.Operation")
        }
        let name = json["op"]?.string ?? "unknown"
        func pointer(_ field: String) throws(PatchError) -> JSONPointer {
            guard let text = json[field]?.string else {
                throw PatchError(.badRequest, "operation \"\(name)\" has to have a string as \"\(field)\"")
            }
            return try JSONPointer(text)
        }
        func value() throws(PatchError) -> JSONValue {
            guard let value = json["value"] else {
                throw PatchError(.badRequest, "operation \"\(name)\" has to have a \"value\"")
            }
            return value
        }
        switch name {
        case "add": return .add(try pointer("path"), try value())
        case "remove": return .remove(try pointer("path"))
        case "replace": return .replace(try pointer("path"), try value())
        case "move": return .move(from: try pointer("from"), try pointer("path"))
        case "copy": return .copy(from: try pointer("from"), try pointer("path"))
        // A test without a value is a test for null, as in evanphx/json-patch.
        case "test": return .test(try pointer("path"), json["value"] ?? .null)
        default: throw PatchError(.badRequest, "Unexpected kind: \(name)")
        }
    }

    /// - Throws: `PatchError` 422 for the first operation that does not fit, in the words of evanphx/json-patch.
    package func applied(to document: JSONValue) throws(PatchError) -> JSONValue {
        var document = document
        var work = Work()
        for operation in operations { try Self.apply(operation, to: &document, &work) }
        return document
    }

    private static func apply(_ operation: Operation, to document: inout JSONValue, _ work: inout Work)
        throws(PatchError)
    {
        switch operation {
        case .add(let path, let value): try add(value, at: path, to: &document, "add")
        case .remove(let path): _ = try remove(path, from: &document, "remove", &work)
        case .replace(let path, let value):
            guard path.value(in: document) != nil else {
                throw unfit("replace operation does not apply: doc is missing key: \(path): missing value")
            }
            try change(path.steps[...], in: &document, "replace", path) { place, step throws(PatchError) in
                try Self.set(value, at: step, of: &place)
            } whole: {
                $0 = value
            }
        case .move(let from, let path):
            guard !path.isInside(from) else {
                throw unfit("move operation does not apply: \(path) is inside of \(from)")
            }
            let value = try remove(from, from: &document, "move", &work)
            try count(value, &work)
            try add(value, at: path, to: &document, "move")
        case .copy(let from, let path):
            guard let value = from.value(in: document) else {
                throw unfit("copy operation does not apply: doc is missing from path: \(from): missing value")
            }
            try count(value, &work)
            try add(value, at: path, to: &document, "copy")
        case .test(let path, let value):
            let found = path.value(in: document)
            guard found == value || found == nil && value.isNull else {
                throw unfit("testing value \(path) failed: test failed")
            }
        }
    }

    /// What a patch has cost so far.
    private struct Work {
        var copied = 0
        var passed = 0
    }

    private static func count(_ value: JSONValue, _ work: inout Work) throws(PatchError) {
        work.copied += value.textLength
        guard work.copied <= copyLimit else {
            throw PatchError(.tooLarge, "copy and move operations touch more than \(copyLimit) bytes")
        }
    }

    private static func unfit(_ problem: String) -> PatchError { PatchError(.unprocessable, problem) }

    // MARK: Changes

    private static func add(
        _ value: JSONValue, at path: JSONPointer, to document: inout JSONValue, _ name: String
    ) throws(PatchError) {
        // Deeper than what is read is not written.
        guard path.steps.count + value.depth <= JSONParser.depthLimit else {
            throw unfit(
                "\(name) operation does not apply: \(path) would be deeper than \(JSONParser.depthLimit) levels")
        }
        try change(path.steps[...], in: &document, name, path) { place, step throws(PatchError) in
            guard var elements = place.array else { return try Self.set(value, at: step, of: &place) }
            if step == "-" {
                elements.append(value)
            } else {
                guard let index = JSONPointer.index(step), index <= elements.count else {
                    throw PatchError(.unprocessable, "Unable to access invalid index: \(step): invalid array index")
                }
                elements.insert(value, at: index)
            }
            place = .array(elements)
        } whole: {
            $0 = value
        }
    }

    private static func remove(
        _ path: JSONPointer, from document: inout JSONValue, _ name: String, _ work: inout Work
    ) throws(PatchError) -> JSONValue {
        guard let value = path.value(in: document) else {
            let what = name == "move" ? "from path" : "path"
            if path.steps.isEmpty { throw unfit("\(name) operation does not apply") }
            let parent = try JSONPointer(path.steps.dropLast().map { "/" + Self.escaped($0) }.joined())
            if parent.value(in: document)?.object != nil, name == "remove" {
                throw unfit(
                    "error in remove for path: '\(path)': Unable to remove nonexistent key: \(path.steps.last!): missing value"
                )
            }
            throw unfit(
                "\(name) operation does not apply: doc is missing \(what): \(quoted(path.description)): missing value")
        }
        var passed = 0
        try change(path.steps[...], in: &document, name, path) { place, step throws(PatchError) in
            passed = place.object?.count ?? 0
            if var elements = place.array, let index = JSONPointer.index(step) {
                elements.remove(at: index)
                place = .array(elements)
            } else {
                place[step] = nil
            }
        } whole: {
            $0 = .null
        }
        work.passed += passed
        guard work.passed <= passLimit else { throw unfit("removals pass over more than \(passLimit) members") }
        return value
    }

    private static func escaped(_ step: String) -> String {
        step.split(separator: "~", omittingEmptySubsequences: false).joined(separator: "~0")
            .split(separator: "/", omittingEmptySubsequences: false).joined(separator: "~1")
    }

    private static func set(_ value: JSONValue, at step: String, of place: inout JSONValue) throws(PatchError) {
        if var elements = place.array, let index = JSONPointer.index(step), index < elements.count {
            elements[index] = value
            place = .array(elements)
        } else {
            place[step] = value
        }
    }

    /// Goes down to what holds the last step and changes it there.
    private static func change(
        _ steps: ArraySlice<String>, in json: inout JSONValue, _ name: String, _ path: JSONPointer,
        _ body: (inout JSONValue, String) throws(PatchError) -> Void, whole: (inout JSONValue) -> Void
    ) throws(PatchError) {
        guard let step = steps.first else { return whole(&json) }
        let missing = unfit(
            "\(name) operation does not apply: doc is missing path: \(quoted(path.description)): missing value")
        guard json.array != nil || json.object != nil else { throw missing }
        if steps.count == 1 { return try body(&json, step) }
        if var elements = json.array {
            guard let index = JSONPointer.index(step), index < elements.count else { throw missing }
            json = .null
            try change(steps.dropFirst(), in: &elements[index], name, path, body, whole: whole)
            json = .array(elements)
        } else {
            guard var next = json[step] else { throw missing }
            json[step] = .null
            try change(steps.dropFirst(), in: &next, name, path, body, whole: whole)
            json[step] = next
        }
    }
}

extension JSONValue {
    /// How many levels of lists and objects it has.
    var depth: Int {
        switch self {
        case .array(let elements): 1 + (elements.map(\.depth).max() ?? 0)
        case .object(let members): 1 + (members.members.map(\.value.depth).max() ?? 0)
        default: 0
        }
    }

    /// How many bytes its text has, about: escapes count as one.
    var textLength: Int {
        switch self {
        case .string(let text): text.utf8.count + 2
        case .array(let elements): elements.reduce(2) { $0 + $1.textLength + 1 }
        case .object(let members): members.members.reduce(2) { $0 + $1.key.utf8.count + $1.value.textLength + 4 }
        default: 8
        }
    }
}
