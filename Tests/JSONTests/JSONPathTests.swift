import TestKit
import Testing

@testable import JSON

@Suite struct JSONPathTests {
    @Test func `a path names one value`() throws {
        let json: JSONValue = [
            "a": ["b": [1, ["c": "deep"]]], "strange key": ["it's": true], "": "empty", "é": 1,
        ]
        func value(_ path: String) throws -> JSONValue? { try JSONPath(path).value(in: json) }
        #expect(try value("$") == json)
        #expect(try value("$.a.b[0]") == 1)
        #expect(try value("$.a.b[1].c") == "deep")
        #expect(try value("$['a'][\"b\"][1]['c']") == "deep")
        #expect(try value(#"$['strange key']['it\'s']"#) == true)
        #expect(try value("$['']") == "empty")
        #expect(try value("$.é") == 1)
        #expect(try value("$.a.b[2]") == nil)
        #expect(try value("$.a.x.y") == nil)
        #expect(try value("$.a[0]") == nil)
        #expect(try value("$.a.b.c") == nil)
    }

    @Test func `what names several values, or none, is refused with the place`() {
        let wrong = [
            "", "a", ".a", "$.", "$a", "$..a", "$.*", "$[*]", "$[-1]", "$[0:2]", "$[01]", "$[?(@.a)]", "$['a','b']",
            "$[",
            "$[0", "$['a", "$['a'", "$.a b", "$.a[0]x", "$[99999999999]", #"$['\n']"#, "$ ",
        ]
        for text in wrong {
            let error = #expect(throws: JSONPathError.self, "\(text)") { try JSONPath(text) }
            #expect(error?.description.contains("\"\(text)\": at byte") == true)
        }
    }

    @Test func `a path may be as long as JSON may be deep`() throws {
        let longest = "$" + String(repeating: "[0]", count: JSONPath.longest)
        #expect(try JSONPath(longest).steps.count == JSONPath.longest)
        #expect(throws: JSONPathError.self) { try JSONPath(longest + "[0]") }
    }

    @Test func `a path is written as it is read`() throws {
        for text in ["$", "$.a.b[0]", "$['a b'].c", #"$['it\'s \\ odd']"#, "$['']", "$.é[12]"] {
            #expect(try JSONPath(text).description == text)
        }
    }

    @Test func `no text traps the parser of paths`() throws {
        let pieces: [String] = [
            "$", ".", "[", "]", "'", "\"", "\\", "a", "é", "0", "12", "-", "*", "?", "@", "(", ")", " ", "\0", "🙂",
            "..", "['", "']",
            "e\u{301}", "99999999999999999999",
        ]
        let json: JSONValue = ["a": [["é": 1, "12": "x"]], "0": [1, 2]]
        var accepted = 0
        for seed in 1...5000 {
            var chance = SeededChance(seed: UInt64(seed))
            var text = Bool.random(using: &chance) ? "$" : ""
            for _ in 0..<Int.random(in: 0...12, using: &chance) { text += pieces.randomElement(using: &chance)! }
            guard let path = try? JSONPath(text) else { continue }
            accepted += 1
            _ = path.value(in: json)
            #expect(try JSONPath(path.description) == path, "\(chance): \(text)")
        }
        #expect(accepted > 100)
    }
}
