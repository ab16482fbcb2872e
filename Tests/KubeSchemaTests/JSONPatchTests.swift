import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct JSONPatchTests {
    func apply(_ patch: JSONValue, _ document: JSONValue) throws -> JSONValue {
        try JSONPatch(patch).applied(to: document)
    }

    func failure(_ patch: JSONValue, _ document: JSONValue) -> PatchError? {
        do throws(PatchError) {
            _ = try JSONPatch(patch).applied(to: document)
            return nil
        } catch {
            return error
        }
    }

    @Test func `the examples of the RFC`() throws {
        // RFC 6902 appendix A.
        #expect(
            try apply([["op": "add", "path": "/baz", "value": "qux"]], ["foo": "bar"]) == ["baz": "qux", "foo": "bar"])
        #expect(
            try apply([["op": "add", "path": "/foo/1", "value": "qux"]], ["foo": ["bar", "baz"]]) == [
                "foo": ["bar", "qux", "baz"]
            ])
        #expect(try apply([["op": "remove", "path": "/baz"]], ["baz": "qux", "foo": "bar"]) == ["foo": "bar"])
        #expect(
            try apply([["op": "remove", "path": "/foo/1"]], ["foo": ["bar", "qux", "baz"]]) == ["foo": ["bar", "baz"]])
        #expect(
            try apply([["op": "replace", "path": "/baz", "value": "boo"]], ["baz": "qux", "foo": "bar"]) == [
                "baz": "boo", "foo": "bar",
            ])
        #expect(
            try apply(
                [["op": "move", "from": "/foo/waldo", "path": "/qux/thud"]],
                ["foo": ["bar": "baz", "waldo": "fred"], "qux": ["corge": "grault"]]) == [
                    "foo": ["bar": "baz"], "qux": ["corge": "grault", "thud": "fred"],
                ])
        #expect(
            try apply([["op": "move", "from": "/foo/1", "path": "/foo/3"]], ["foo": ["all", "grass", "cows", "eat"]])
                == ["foo": ["all", "cows", "eat", "grass"]])
        #expect(
            try apply(
                [["op": "test", "path": "/baz", "value": "qux"], ["op": "test", "path": "/foo/1", "value": 2]],
                ["baz": "qux", "foo": ["a", 2, "c"]]) == ["baz": "qux", "foo": ["a", 2, "c"]])
        #expect(
            failure([["op": "test", "path": "/baz", "value": "bar"]], ["baz": "qux"])
                == PatchError(.unprocessable, "testing value /baz failed: test failed"))
        #expect(
            try apply([["op": "add", "path": "/child", "value": ["grandchild": [:]]]], ["foo": "bar"]) == [
                "foo": "bar", "child": ["grandchild": [:]],
            ])
        #expect(failure([["op": "add", "path": "/baz/bat", "value": "qux"]], ["foo": "bar"])?.status == .unprocessable)
        #expect(try apply([["op": "test", "path": "/~01", "value": 10]], ["/": 9, "~1": 10]) == ["/": 9, "~1": 10])
        #expect(failure([["op": "test", "path": "/~01", "value": "10"]], ["/": 9, "~1": 10]) != nil)
        #expect(
            try apply([["op": "add", "path": "/foo/-", "value": ["abc", "def"]]], ["foo": ["bar"]]) == [
                "foo": ["bar", ["abc", "def"]]
            ])
        // RFC 7386 appendix A.
        let merges: [(JSONValue, JSONValue, JSONValue)] = [
            (["a": "b"], ["a": "c"], ["a": "c"]), (["a": "b"], ["b": "c"], ["a": "b", "b": "c"]),
            (["a": "b"], ["a": nil], [:]), (["a": "b", "b": "c"], ["a": nil], ["b": "c"]),
            (["a": ["b"]], ["a": "c"], ["a": "c"]), (["a": "c"], ["a": ["b"]], ["a": ["b"]]),
            (["a": ["b": "c"]], ["a": ["b": "d", "c": nil]], ["a": ["b": "d"]]),
            (["a": [["b": "c"]]], ["a": [1]], ["a": [1]]),
            (["a", "b"], ["c", "d"], ["c", "d"]), (["a": "b"], ["c"], ["c"]), (["a": "foo"], nil, nil),
            (["a": "foo"], "bar", "bar"), (["e": nil], ["a": 1], ["e": nil, "a": 1]),
            ([1, 2], ["a": "b", "c": nil], ["a": "b"]), ([:], ["a": ["bb": ["ccc": nil]]], ["a": ["bb": [:]]]),
        ]
        for (target, patch, result) in merges { #expect(JSONMergePatch.apply(patch, to: target) == result) }
    }

    @Test func `copies, and the whole document`() throws {
        #expect(
            try apply([["op": "copy", "from": "/a", "path": "/b/0"]], ["a": [1], "b": [2]]) == [
                "a": [1], "b": [[1], 2],
            ])
        #expect(try apply([["op": "replace", "path": "", "value": [1]]], ["a": 1]) == [1])
        #expect(try apply([["op": "move", "from": "/a", "path": ""]], ["a": ["b": 1]]) == ["b": 1])
    }

    @Test func `a patch that fails says in the server's words why`() {
        let document: JSONValue = ["a": ["b": 1], "l": [1]]
        let cases: [(JSONValue, PatchError.Status, String)] = [
            (["a": 1], .badRequest, "json: cannot unmarshal object into Go value of type jsonpatch.Patch"),
            ([["op": "put", "path": "/a"]], .badRequest, "Unexpected kind: put"),
            ([["op": "add", "path": "a", "value": 1]], .badRequest, #"JSON pointer "a" has to begin with "/""#),
            ([["op": "add", "path": "/a"]], .badRequest, #"operation "add" has to have a "value""#),
            (
                [["op": "remove", "path": "/x/y"]], .unprocessable,
                #"remove operation does not apply: doc is missing path: "/x/y": missing value"#
            ),
            (
                [["op": "remove", "path": "/a/x"]], .unprocessable,
                "error in remove for path: '/a/x': Unable to remove nonexistent key: x: missing value"
            ),
            (
                [["op": "replace", "path": "/a/x", "value": 1]], .unprocessable,
                "replace operation does not apply: doc is missing key: /a/x: missing value"
            ),
            (
                [["op": "add", "path": "/l/5", "value": 1]], .unprocessable,
                "Unable to access invalid index: 5: invalid array index"
            ),
            (
                [["op": "move", "from": "/a", "path": "/a/b"]], .unprocessable,
                "move operation does not apply: /a/b is inside of /a"
            ),
            (
                [["op": "copy", "from": "/q", "path": "/a/b"]], .unprocessable,
                "copy operation does not apply: doc is missing from path: /q: missing value"
            ),
            (
                .array(Array(repeating: ["op": "test", "path": "/q"], count: 10_001)), .tooLarge,
                "The allowed maximum operations in a JSON patch is 10000, got 10001"
            ),
        ]
        for (patch, status, message) in cases { #expect(failure(patch, document) == PatchError(status, message)) }
        let doubling = Array(repeating: ["op": "copy", "from": "", "path": "/l/-"] as JSONValue, count: 60)
        #expect(
            failure(.array(doubling), ["l": []])?.description
                == "copy and move operations touch more than 3145728 bytes")
        // One text, shared in memory: written out it would be ten gigabytes.
        let text: JSONValue = ["a": .string(String(repeating: "x", count: 1 << 20))]
        let sharing = (0..<10_000).map { ["op": "copy", "from": "/a", "path": .string("/a\($0)")] as JSONValue }
        #expect(
            failure(.array(sharing), text)
                == PatchError(.tooLarge, "copy and move operations touch more than 3145728 bytes"))
        let nesting = Array(repeating: ["op": "copy", "from": "", "path": "/a"] as JSONValue, count: 600)
        #expect(
            failure(.array(nesting), ["x": 1])?.description
                == "copy operation does not apply: /a would be deeper than 512 levels")
    }

    @Test func `patches of huge objects end`() throws {
        // What takes quadratic time here would take minutes.
        var (labels, nulls) = (JSONObject(), JSONObject())
        for number in 0..<20_000 {
            labels["l\(number)"] = "x"
            nulls["l\(number)"] = .null
        }
        let object: JSONValue = ["metadata": ["labels": .object(labels)]]
        let patch: JSONValue = ["metadata": ["labels": .object(nulls)]]
        #expect(JSONMergePatch.apply(patch, to: object) == ["metadata": ["labels": [:]]])
        #expect(
            try StrategicMergePatch.apply(patch, to: object, of: kind("v1", "Pod"), in: .kubernetes)
                == ["metadata": ["labels": [:]]])
        let containers: JSONValue = .array((0..<20_000).map { ["name": .string("c\($0)"), "image": "i"] })
        let pod: JSONValue = ["spec": ["containers": containers]]
        #expect(try StrategicMergePatch.apply(pod, to: pod, of: kind("v1", "Pod"), in: .kubernetes) == pod)
        let removals = (0..<200).map { ["op": "remove", "path": .string("/metadata/labels/l\($0)")] as JSONValue }
        #expect(failure(.array(removals), object)?.description == "removals pass over more than 2000000 members")
    }

    @Test func `a patch that fails changes nothing`() {
        let document: JSONValue = ["a": 1]
        #expect(failure([["op": "add", "path": "/b", "value": 1], ["op": "remove", "path": "/c"]], document) != nil)
        #expect(document == ["a": 1])
    }

    /// A document as all of its paths with the scalar, or the empty container, at each.
    func flat(_ json: JSONValue, _ path: [String] = []) -> [[String]: JSONValue] {
        switch json {
        case .object(let members) where !members.isEmpty:
            members.members.reduce(into: [:]) { $0.merge(flat($1.value, path + [$1.key])) { a, _ in a } }
        default: [path: json]
        }
    }

    @Test func `patches of random documents agree with a model`() throws {
        var chance = SeededChance(seed: 61)
        let random = RandomObjects(schema: .kubernetes)
        var applied = 0
        for _ in 0..<4000 {
            let document = random.anything(4, &chance)
            let names = ["a", "b", "c", "http"]
            let path = (0..<Int.random(in: 1...3, using: &chance)).map { _ in names.randomElement(using: &chance)! }
            let text = path.map { "/" + $0 }.joined()
            let value = random.anything(1, &chance)
            let pointed = try JSONPointer(text)
            let parent = try JSONPointer(path.dropLast().map { "/" + $0 }.joined())
            // The model knows objects only: their members by path.
            guard parent.value(in: document)?.object != nil else {
                if parent.value(in: document)?.array == nil {
                    #expect(failure([["op": "add", "path": .string(text), "value": value]], document) != nil)
                }
                continue
            }
            applied += 1
            let added = try apply([["op": "add", "path": .string(text), "value": value]], document)
            var model = flat(document).filter { !$0.key.starts(with: path) && $0.key != Array(path.dropLast()) }
            model.merge(flat(value, path)) { _, new in new }
            #expect(flat(added) == model, "\(chance)")
            #expect(pointed.value(in: added) == value)
            let removed = try apply([["op": "remove", "path": .string(text)]], added)
            #expect(pointed.value(in: removed) == nil)
            if pointed.value(in: document) == nil { #expect(removed == document) }
        }
        #expect(applied > 100, "\(applied)")
    }

    @Test func `no patch traps`() {
        var chance = SeededChance(seed: 62)
        let random = RandomObjects(schema: .kubernetes)
        let paths = ["", "/", "/a", "/a/0", "/a/-", "/b/1/c", "/~0", "/~", "a", "/-1", "/01", "/99999999999999999999"]
        for _ in 0..<5000 {
            let operations = (0..<Int.random(in: 0...4, using: &chance)).map { _ -> JSONValue in
                [
                    "op": .string(
                        ["add", "remove", "replace", "move", "copy", "test", "x"].randomElement(using: &chance)!),
                    "path": .string(paths.randomElement(using: &chance)!),
                    "from": .string(paths.randomElement(using: &chance)!), "value": random.anything(2, &chance),
                ]
            }
            _ = failure(.array(operations), random.anything(3, &chance))
            _ = failure(random.anything(3, &chance), random.anything(3, &chance))
        }
    }
}
