import JSON
import TestKit
import Testing

/// Values read in part.
@Suite(.timeLimit(.minutes(1))) struct JSONProjectionTests {
    private func read(_ paths: [String], _ text: String) throws -> JSONValue {
        try JSONProjection(paths).value(in: Array(text.utf8)).value
    }

    @Test func `members are read that a path names, through lists too`() throws {
        let text = #"{"a": {"b": 1, "c": [true, {"d": "x", "e": 2}], "f": {"g": "\"}]"}}, "h": [1, 2], "i": null}"#
        #expect(try read(["a.b"], text) == ["a": ["b": 1]])
        #expect(try read(["a.c.d", "h"], text) == ["a": ["c": [true, ["d": "x"]]], "h": [1, 2]])
        #expect(
            try read(["a", "a.b"], text) == ["a": ["b": 1, "c": [true, ["d": "x", "e": 2]], "f": ["g": "\"}]"]]])
        #expect(try read(["a.b", "a"], text) == read(["a"], text))
        #expect(try read(["a.b.c", "i.j"], text) == ["a": ["b": 1], "i": nil])
        #expect(try read([], text) == [:])
        #expect(try read(["é", "x"], #"{"\u0078": 1, "é": 2, "y": 3}"#) == ["x": 1, "é": 2])
    }

    @Test func `the place of a member is told`() throws {
        let bytes = Array(#"{"x": {"m": 1}, "m" : {"a": "}"} , "y": 2}"#.utf8)
        for paths in [["y"], ["m.a"], ["m"]] {
            let (_, span) = try JSONProjection(paths).value(in: bytes, spanOf: "m")
            #expect(span.map { String(decoding: bytes[$0], as: UTF8.self) } == #"{"a": "}"}"#)
        }
        #expect(try JSONProjection(["x"]).value(in: bytes, spanOf: "z").span == nil)
    }

    private func random(_ chance: inout SeededChance, _ depth: Int) -> JSONValue {
        switch Int.random(in: 0..<(depth > 3 ? 4 : 7), using: &chance) {
        case 0: return .integer(Int64.random(in: -5...5, using: &chance))
        case 1: return .string(["", "a\"b", "é\u{1}", "}]", "\\"].randomElement(using: &chance)!)
        case 2: return .bool(true)
        case 3: return .null
        case 4: return .array((0..<Int.random(in: 0..<4, using: &chance)).map { _ in random(&chance, depth + 1) })
        default:
            var object = JSONObject()
            for name in ["a", "b", "c", "d\n"] where Bool.random(using: &chance) {
                object[name] = random(&chance, depth + 1)
            }
            return .object(object)
        }
    }

    private func cut(_ value: JSONValue, _ paths: [[String]]) -> JSONValue {
        if paths.contains([]) { return value }
        switch value {
        case .array(let elements): return .array(elements.map { cut($0, paths) })
        case .object(let members):
            var result = JSONObject()
            for member in members.members {
                let below = paths.filter { $0.first == member.key }.map { Array($0.dropFirst()) }
                if !below.isEmpty { result[member.key] = cut(member.value, below) }
            }
            return .object(result)
        default: return value
        }
    }

    @Test(arguments: 0..<200) func `a projection is the parsed value without the rest`(seed: Int) throws {
        var chance = SeededChance(seed: UInt64(seed))
        let value = random(&chance, 0)
        let paths = (0..<Int.random(in: 0..<4, using: &chance)).map { _ in
            (0..<Int.random(in: 1..<4, using: &chance)).map { _ in
                ["a", "b", "c", "d\n"].randomElement(using: &chance)!
            }
        }
        for layout in [JSONWriter.Layout.compact, .indented(2)] {
            let bytes = JSONWriter.bytes(value, layout)
            let read = try JSONProjection(paths.map { $0.joined(separator: ".") }).value(in: bytes).value
            #expect(read == cut(value, paths))
        }
    }

    @Test(arguments: 0..<50) func `no bytes trap a projection`(seed: Int) {
        var chance = SeededChance(seed: UInt64(seed))
        let letters = Array(#"{}[]",:\ab1-. tn"#.utf8) + [0, 0xFF, 0xC3]
        for _ in 0..<200 {
            let bytes = (0..<Int.random(in: 0..<40, using: &chance)).map { _ in letters.randomElement(using: &chance)! }
            let read = try? JSONProjection(["a", "b.a"]).value(in: bytes, spanOf: "a")
            if let whole = try? JSONParser.parse(bytes) { #expect(read?.value == cut(whole, [["a"], ["b", "a"]])) }
        }
        let deep = Array(repeating: UInt8(ascii: "["), count: 100_000)
        #expect(throws: JSONError.self) { try JSONProjection(["a"]).value(in: deep) }
        #expect(throws: JSONError.self) { try JSONProjection(["a"]).value(in: Array(#"{"b":"#.utf8) + deep) }
    }
}
