import JSON
import TestKit
import Testing

@Suite struct JSONValueTests {
    @Test func `the order of members does not matter for equality and the order of elements does`() {
        let a: JSONValue = ["x": 1, "y": [1, 2]]
        let b: JSONValue = ["y": [1, 2], "x": 1]
        #expect(a == b)
        #expect(a.hashValue == b.hashValue)
        #expect(a != ["x": 1, "y": [2, 1]])
        #expect(a != ["x": 1])
    }

    @Test func `strings are equal when their bytes are`() {
        let composed: JSONValue = "\u{e9}"
        let decomposed: JSONValue = "e\u{301}"
        #expect(composed != decomposed)
        let both: JSONValue = ["\u{e9}": 1, "e\u{301}": 2]
        #expect(both.object?.count == 2)
        #expect(both["\u{e9}"] == 1)
        #expect(both["e\u{301}"] == 2)
    }

    @Test func `numbers have one form each`() throws {
        #expect(JSONValue(numberText: "5") == 5)
        #expect(JSONValue(numberText: "5.0") != 5)
        #expect(JSONValue(numberText: "-0")?.integer == nil)
        #expect(JSONValue(numberText: "-0")?.double?.sign == .minus)
        #expect(JSONValue(numberText: "1e400")?.double == .infinity)
        #expect(JSONValue(numberText: "0.1")?.double == 0.1)
        for text in ["", "+1", "1 ", "01", "0x1", "nan", "1."] { #expect(JSONValue(numberText: text) == nil) }
        #expect(JSONValue.integer(.min).description == "-9223372036854775808")
        #expect((1.5 as JSONValue).description == "1.5")
    }

    @Test func `a nested write makes the objects on its way`() {
        var value: JSONValue = nil
        value["spec", "template", "name"] = "x"
        value["spec", "replicas"] = 3
        #expect(value.description == #"{"spec":{"template":{"name":"x"},"replicas":3}}"#)
        value["spec", "template", "name"] = nil
        #expect(value.description == #"{"spec":{"template":{},"replicas":3}}"#)
        value["none", "of", "these"] = nil
        #expect(value["none"] == nil)
        value["spec"]?["replicas"] = 4
        #expect(value["spec", "replicas"] == 4)
    }

    @Test func `removing from what is no object changes nothing`() {
        var value: JSONValue = "text"
        value["a"] = nil
        #expect(value == "text")
    }

    @Test func `writing into what has another kind leaves it alone`() {
        var value: JSONValue = ["text": "x", "list": [1]]
        value["text"]?.array?.append(1)
        value["text"]?.array = nil
        value["missing"]?.array?.append(1)
        #expect(value == ["text": "x", "list": [1]])
        value["list"]?.array = nil
        #expect(value["list"] == .null)
    }

    @Test func `a default is written back changed`() {
        var value: JSONValue = [:]
        value["list", default: []].array?.append(1)
        value["list", default: []].array?.append(2)
        #expect(value == ["list": [1, 2]])
    }

    @Test func `reading the wrong kind gives nil`() {
        let value: JSONValue = ["a": [1, "x", true, 2.5]]
        #expect(value["a"]?[0]?.integer == 1)
        #expect(value["a"]?[1]?.string == "x")
        #expect(value["a"]?[2]?.bool == true)
        #expect(value["a"]?[3]?.double == 2.5)
        #expect(value["a"]?[3]?.integer == nil)
        #expect(value["a"]?[4] == nil)
        #expect(value["a"]?[-1] == nil)
        #expect(value["a"]?["b"] == nil)
        #expect(value.string == nil)
    }
}

@Suite struct JSONObjectTests {
    /// The same operations on the object and on a list of pairs, across the size at which the index begins.
    @Test(arguments: [5, 16, 17, 40, 300]) func `an object behaves like a list of pairs`(names: Int) {
        var chance = SeededChance(seed: UInt64(names))
        var object = JSONObject()
        var model: [(key: String, value: JSONValue)] = []
        for step in 0..<(names * 20) {
            let key = "name-\(Int.random(in: 0..<names, using: &chance))"
            let value: JSONValue? = Int.random(in: 0..<4, using: &chance) == 0 ? nil : .integer(Int64(step))
            object[key] = value
            let at = model.firstIndex { $0.key == key }
            switch (at, value) {
            case (let at?, let value?): model[at].value = value
            case (let at?, nil): model.remove(at: at)
            case (nil, let value?): model.append((key, value))
            case (nil, nil): break
            }
        }
        #expect(object.keys == model.map(\.key), "\(chance)")
        for number in 0..<names {
            let key = "name-\(number)"
            #expect(object[key] == model.first { $0.key == key }?.value, "\(chance)")
        }
    }

    @Test func `a copy is not changed by a write to the original`() {
        var original: JSONValue = ["a": ["b": [1]]]
        let copy = original
        original["a", "b"]?.array?.append(2)
        #expect(copy == ["a": ["b": [1]]])
        #expect(original == ["a": ["b": [1, 2]]])
    }
}

@Suite struct JSONWriterTests {
    @Test func `indented text has a line per element and member`() {
        let value: JSONValue = ["a": [1, ["b": nil]], "empty": [:], "none": []]
        #expect(
            JSONWriter.text(value, .indented(2)) == """
                {
                  "a": [
                    1,
                    {
                      "b": null
                    }
                  ],
                  "empty": {},
                  "none": []
                }
                """)
    }

    @Test func `only what must be escaped is escaped`() {
        let all = String(String.UnicodeScalarView((0..<0x80).map { Unicode.Scalar($0)! }))
        let text = JSONWriter.text(.string(all + "é/\u{2028}"))
        #expect(text.contains(#"\u0000"#) && text.contains(#"\u001f !\"#) && text.contains("é/\u{2028}"))
        #expect(try! JSONParser.parse(text) == .string(all + "é/\u{2028}"))
    }

    @Test func `a random value comes back as it was, in every layout`() throws {
        var chance = SeededChance(seed: 7)
        for _ in 0..<2000 {
            let value = randomValue(depth: 0, &chance)
            for layout in [JSONWriter.Layout.compact, .indented(0), .indented(3)] {
                let text = JSONWriter.text(value, layout)
                let again = try JSONParser.parse(text)
                #expect(again == value, "\(chance): \(text)")
                // The order too, which equality does not see.
                #expect(JSONWriter.text(again, layout) == text, "\(chance)")
            }
        }
    }

    private func randomValue(depth: Int, _ chance: inout SeededChance) -> JSONValue {
        switch Int.random(in: 0..<(depth < 5 ? 9 : 7), using: &chance) {
        case 0: return .null
        case 1: return .bool(.random(using: &chance))
        case 2: return .integer(Int64(bitPattern: chance.next()))
        case 3: return .integer(Int64.random(in: -9...9, using: &chance))
        case 4:
            let double = Double(bitPattern: chance.next())
            return double.isFinite
                ? .number(JSONNumber(double)) : JSONValue(numberText: "1\(chance.next())\(chance.next())")!
        case 5, 6: return .string(randomText(&chance))
        case 7:
            return .array(
                (0..<Int.random(in: 0...5, using: &chance)).map { _ in randomValue(depth: depth + 1, &chance) })
        default:
            var object = JSONObject()
            for _ in 0..<Int.random(in: 0...20, using: &chance) {
                object[randomText(&chance)] = randomValue(depth: depth + 1, &chance)
            }
            return .object(object)
        }
    }

    private func randomText(_ chance: inout SeededChance) -> String {
        var scalars = String.UnicodeScalarView()
        let limits: [UInt32] = [0x80, 0x80, 0x80, 0x800, 0x10000, 0x110000]
        for _ in 0..<Int.random(in: 0...20, using: &chance) {
            let limit = limits.randomElement(using: &chance)!
            if let scalar = Unicode.Scalar(UInt32.random(in: 0..<limit, using: &chance)) { scalars.append(scalar) }
        }
        return String(scalars)
    }
}
