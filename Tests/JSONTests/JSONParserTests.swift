import JSON
import TestKit
import Testing

@Suite struct JSONParserTests {
    /// Accepted, with the compact text that comes out again. After JSONTestSuite's y_ files.
    static let accepted: [(String, String)] = [
        ("[[]   ]", "[[]]"), ("[\"\"]", "[\"\"]"), ("[]", "[]"), ("[\"a\"]", "[\"a\"]"), ("[false]", "[false]"),
        ("[null, 1, \"1\", {}]", "[null,1,\"1\",{}]"), ("[null]", "[null]"), ("[1\n]", "[1]"), (" [1]", "[1]"),
        ("[1,null,null,null,2]", "[1,null,null,null,2]"), ("[2] ", "[2]"), ("[123e65]", "[123e65]"),
        ("[0e+1]", "[0e+1]"), ("[0e1]", "[0e1]"), ("[ 4]", "[4]"),
        ("[-0.00000000000000000001]", "[-0.00000000000000000001]"),
        ("[20e1]", "[20e1]"), ("[-0]", "[-0]"), ("[-123]", "[-123]"), ("[-1]", "[-1]"), ("[1E22]", "[1E22]"),
        ("[1E-2]", "[1E-2]"), ("[1E+2]", "[1E+2]"), ("[123e45]", "[123e45]"), ("[123.456e78]", "[123.456e78]"),
        ("[1e-2]", "[1e-2]"), ("[123.456789]", "[123.456789]"), ("[0.10]", "[0.10]"),
        ("[9223372036854775807]", "[9223372036854775807]"), ("[-9223372036854775808]", "[-9223372036854775808]"),
        ("[9223372036854775808]", "[9223372036854775808]"), ("[-9223372036854775809]", "[-9223372036854775809]"),
        ("[18446744073709551616]", "[18446744073709551616]"), ("[1e400]", "[1e400]"),
        ("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}", "{\"asd\":\"sdf\",\"dfg\":\"fgh\"}"), ("{\"\":0}", "{\"\":0}"),
        ("{\"a\":\"b\",\"a\":\"c\"}", "{\"a\":\"c\"}"), ("{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"),
        ("{\"foo\\u0000bar\": 42}", "{\"foo\\u0000bar\":42}"), ("{\n\"a\": \"b\"\n}", "{\"a\":\"b\"}"),
        ("[\"\\u0060\\u012a\\u12AB\"]", "[\"`\u{12a}\u{12ab}\"]"), ("[\"\\uD801\\udc37\"]", "[\"\u{10437}\"]"),
        ("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]", "[\"\u{1F639}\u{1F48D}\"]"),
        ("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]", "[\"\\\"\\\\/\\b\\f\\n\\r\\t\"]"), ("[\"\\\\u0000\"]", "[\"\\\\u0000\"]"),
        ("[\"\\\"\"]", "[\"\\\"\"]"), ("[\"a/*b*/c/*d//e\"]", "[\"a/*b*/c/*d//e\"]"),
        ("[\"\\u0012\"]", "[\"\\u0012\"]"),
        ("[\"\\uFFFF\"]", "[\"\u{FFFF}\"]"), ("[\"\u{7f}\"]", "[\"\u{7f}\"]"), ("[\"\u{2028}\"]", "[\"\u{2028}\"]"),
        ("[\"\\uDBFF\\uDFFF\"]", "[\"\u{10FFFF}\"]"), ("[\"€𝄞\"]", "[\"€𝄞\"]"), ("\"\"", "\"\""), ("false", "false"),
        ("42", "42"), ("-0.1", "-0.1"), ("null", "null"), ("\"asd\"", "\"asd\""), ("true", "true"),
        ("[true]\n", "[true]"), ("\t\r\n [] \t", "[]"),
    ]

    @Test(arguments: accepted) func `what the grammar allows is accepted`(text: String, written: String) throws {
        #expect(try JSONParser.parse(text).description == written)
    }

    /// Refused, with the error. After JSONTestSuite's n_ files, and i_ files on surrogates.
    static let refused: [(String, String)] = [
        ("", "line 1, column 1: expected a value, found the end of the text"),
        (" ", "line 1, column 2: expected a value, found the end of the text"),
        ("[1 true]", "line 1, column 4: expected \",\" or \"]\", found \"t\""),
        ("[1,]", "line 1, column 4: expected a value, found \"]\""),
        ("[1,,2]", "line 1, column 4: expected a value, found \",\""),
        ("[,1]", "line 1, column 2: expected a value, found \",\""),
        ("[\"x\"]]", "line 1, column 6: expected the end of the text, found \"]\""),
        ("[\"\"", "line 1, column 4: expected \",\" or \"]\", found the end of the text"),
        ("[x", "line 1, column 2: expected a value, found \"x\""),
        ("[3[4]]", "line 1, column 3: expected \",\" or \"]\", found \"[\""),
        ("[1:2]", "line 1, column 3: expected \",\" or \"]\", found \":\""),
        ("[nul]", "line 1, column 5: expected null, found \"]\""),
        ("[tru]", "line 1, column 5: expected true, found \"]\""),
        ("[fals]", "line 1, column 6: expected false, found \"]\""),
        ("[True]", "line 1, column 2: expected a value, found \"T\""),
        ("[++1]", "line 1, column 2: expected a value, found \"+\""),
        ("[+1]", "line 1, column 2: expected a value, found \"+\""),
        ("[-01]", "line 1, column 4: expected no digit after a leading zero, found \"1\""),
        ("[012]", "line 1, column 3: expected no digit after a leading zero, found \"1\""),
        ("[00]", "line 1, column 3: expected no digit after a leading zero, found \"0\""),
        ("[-]", "line 1, column 3: expected a digit, found \"]\""),
        ("[--2.]", "line 1, column 3: expected a digit, found \"-\""),
        ("[.2]", "line 1, column 2: expected a value, found \".\""),
        ("[2.]", "line 1, column 4: expected a digit, found \"]\""),
        ("[2.e3]", "line 1, column 4: expected a digit, found \"e\""),
        ("[0.e1]", "line 1, column 4: expected a digit, found \"e\""),
        ("[0e]", "line 1, column 4: expected a digit, found \"]\""),
        ("[0e+]", "line 1, column 5: expected a digit, found \"]\""),
        ("[1.0e+]", "line 1, column 7: expected a digit, found \"]\""),
        ("[1eE2]", "line 1, column 4: expected a digit, found \"E\""),
        ("[1 000.0]", "line 1, column 4: expected \",\" or \"]\", found \"0\""),
        ("[0x1]", "line 1, column 3: expected \",\" or \"]\", found \"x\""),
        ("[NaN]", "line 1, column 2: expected a value, found \"N\""),
        ("[Infinity]", "line 1, column 2: expected a value, found \"I\""),
        ("[-Infinity]", "line 1, column 3: expected a digit, found \"I\""),
        ("[1.2a]", "line 1, column 5: expected \",\" or \"]\", found \"a\""),
        ("{\"x\", null}", "line 1, column 5: expected \":\", found \",\""),
        ("{\"x\"::1}", "line 1, column 6: expected a value, found \":\""),
        ("{key: 1}", "line 1, column 2: expected a member's name or \"}\", found \"k\""),
        ("{'a':0}", "line 1, column 2: expected a member's name or \"}\", found \"'\""),
        ("{1:1}", "line 1, column 2: expected a member's name or \"}\", found \"1\""),
        ("{\"id\":0,}", "line 1, column 9: expected a member's name, found \"}\""),
        ("{\"id\":0,,}", "line 1, column 9: expected a member's name, found \",\""),
        ("{\"a\" b}", "line 1, column 6: expected \":\", found \"b\""),
        ("{\"a\":\"a\" 123}", "line 1, column 10: expected \",\" or \"}\", found \"1\""),
        ("{\"a\":\"b\"}/**/", "line 1, column 10: expected the end of the text, found \"/\""),
        ("{\"a\":", "line 1, column 6: expected a value, found the end of the text"),
        ("[\"\\x00\"]", "line 1, column 4: expected an escape: one of \" \\ / b f n r t u, found \"x\""),
        ("[\"\\\u{1F300}\"]", "line 1, column 4: expected an escape: one of \" \\ / b f n r t u, found byte 0xF0"),
        ("[\"\\u00A\"]", "line 1, column 8: expected a hexadecimal digit, found a quotation mark"),
        ("[\"\\uqqqq\"]", "line 1, column 5: expected a hexadecimal digit, found \"q\""),
        ("[\"\\uD800\"]", "line 1, column 9: expected the second half of a surrogate pair, found a quotation mark"),
        ("[\"\\uD800\\n\"]", "line 1, column 9: expected the second half of a surrogate pair, found \"\\\""),
        (
            "[\"\\uD800\\u0041\"]",
            "line 1, column 9: expected the second half of a surrogate pair, found another character"
        ),
        ("[\"\\uDc00\"]", "line 1, column 5: expected a character, found the second half of a surrogate pair alone"),
        (
            "[\"a\u{0}a\"]",
            "line 1, column 4: expected an escape in place of a control character in a string, found byte 0x00"
        ),
        (
            "[\"new\nline\"]",
            "line 1, column 6: expected an escape in place of a control character in a string, found the end of the line"
        ),
        (
            "[\"\t\"]",
            "line 1, column 3: expected an escape in place of a control character in a string, found byte 0x09"
        ),
        ("[\"a", "line 1, column 4: expected the end of the string, a quotation mark, found the end of the text"),
        ("\"\\", "line 1, column 3: expected an escape: one of \" \\ / b f n r t u, found the end of the text"),
        ("\u{FEFF}[]", "line 1, column 1: expected a value, found a byte order mark"),
        ("[\u{00A0}]", "line 1, column 2: expected a value, found byte 0xC2"),
        ("[\u{0B}]", "line 1, column 2: expected a value, found byte 0x0B"),
        ("1 2", "line 1, column 3: expected the end of the text, found \"2\""),
        ("[1]\u{0}", "line 1, column 4: expected the end of the text, found byte 0x00"),
        ("{\n  \"é\": [\n    1,\n    }\n", "line 4, column 5: expected a value, found \"}\""),
        ("{\"é€\":}", "line 1, column 7: expected a value, found \"}\""),
    ]

    @Test(arguments: refused) func `what the grammar does not allow is refused with the place`(
        text: String, error: String
    ) {
        let thrown = #expect(throws: JSONError.self) { try JSONParser.parse(text) }
        #expect(thrown?.description == error)
    }

    /// Overlong forms, surrogates, beyond U+10FFFF, cut short, lone continuation: with the offset of the fault.
    static let invalidUTF8: [([UInt8], Int)] = [
        ([0xFF], 0), ([0x80], 0), ([0xC0, 0xAF], 0), ([0xE0, 0x80, 0x80], 0), ([0xED, 0xA0, 0x80], 0),
        ([0xF4, 0x90, 0x80, 0x80], 0), ([0xE2, 0x82], 0), ([0x61, 0xC3], 1), ([0xC3, 0xA9, 0xFC], 2),
        ([0xF0, 0x9F, 0x98], 0),
        (Array("plain text long enough to run eight bytes at a time ".utf8) + [0xFF], 52),
        (Array("\\n".utf8) + [0x80], 2),
    ]

    @Test(arguments: invalidUTF8) func `invalid UTF-8 is refused at its first byte`(bytes: [UInt8], offset: Int) {
        let thrown = #expect(throws: JSONError.self) { try JSONParser.parse([0x22] + bytes + [0x22]) }
        #expect(thrown?.offset == offset + 1)
        #expect(thrown?.expected == "valid UTF-8")
    }

    @Test func `nesting is allowed up to the limit and refused one level deeper`() throws {
        func nested(_ levels: Int) -> [String] {
            [
                String(repeating: "[", count: levels) + String(repeating: "]", count: levels),
                String(repeating: "{\"a\":", count: levels - 1) + "{}" + String(repeating: "}", count: levels - 1),
            ]
        }
        for text in nested(JSONParser.depthLimit) { #expect(try JSONParser.parse(text).description == text) }
        for text in nested(JSONParser.depthLimit + 1) + nested(100_000) {
            let thrown = #expect(throws: JSONError.self) { try JSONParser.parse(text) }
            #expect(
                thrown?.description.contains("expected at most 512 levels of arrays and objects, found one more")
                    == true)
        }
    }

    @Test func `a stop is found at every place in a run of eight bytes`() throws {
        for length in 0..<40 {
            let plain = String(repeating: "x", count: length)
            #expect(try JSONParser.parse("\"\(plain)\"") == .string(plain))
            #expect(try JSONParser.parse("\"\(plain)\\n\(plain)\"") == .string("\(plain)\n\(plain)"))
            #expect(try JSONParser.parse("\"\(plain)é\(plain)!#[]^\u{7f}\"") == .string("\(plain)é\(plain)!#[]^\u{7f}"))
            #expect(throws: JSONError.self) { try JSONParser.parse("\"\(plain)\u{1f}\(plain)\"") }
        }
    }

    @Test func `random bytes give a value or an error and never a trap`() {
        var chance = SeededChance(seed: 20_260_101)
        let pieces =
            [
                "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u", "D800", "\\uDC00", "-", "0", "1", ".", "e", "true",
                "null",
                "\u{0}", "é", " ", "\n", "9223372036854775807", "a",
            ].map { Array($0.utf8) } + [[0xFF], [0xC3], [0x80], [0xED, 0xA0]]
        var accepted = 0
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...12, using: &chance)
            let bytes = (0..<count).flatMap { _ in pieces.randomElement(using: &chance)! }
            guard let value = try? JSONParser.parse(bytes) else { continue }
            accepted += 1
            #expect(try! JSONParser.parse(JSONWriter.bytes(value)) == value, "\(chance) \(bytes)")
        }
        // The pieces make JSON often enough for the other branch to be exercised too.
        #expect(accepted > 100)
    }

    @Test func `a document that loses or changes one byte never traps`() throws {
        let document = Array(#"{"a":[1,-2.5e3,"é\u00e9\ud83d\ude00\n"],"b":{"c":null,"d":[true,false]},"e":""}"#.utf8)
        _ = try JSONParser.parse(document)
        for index in document.indices {
            #expect(throws: JSONError.self) { try JSONParser.parse(Array(document[..<index])) }
            for byte in stride(from: UInt8(0), through: 255, by: 1) {
                var changed = document
                changed[index] = byte
                if let value = try? JSONParser.parse(changed) {
                    #expect(try JSONParser.parse(JSONWriter.bytes(value)) == value)
                }
            }
        }
    }
}
