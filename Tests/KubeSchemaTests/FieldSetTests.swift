import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct FieldSetTests {
    func random(_ chance: inout SeededChance) -> (FieldSet, Set<[PathElement]>) {
        let elements: [PathElement] = [.field("a"), .field("b"), .key(["name": "x"]), .value("v"), .index(0)]
        let paths = (0..<Int.random(in: 0...8, using: &chance)).map { _ in
            (0..<Int.random(in: 1...3, using: &chance)).map { _ in elements.randomElement(using: &chance)! }
        }
        return (FieldSet(paths), Set(paths))
    }

    @Test func `sets of fields follow the laws of sets`() {
        var chance = SeededChance(seed: 81)
        for _ in 0..<3000 {
            let (a, x) = random(&chance)
            let (b, y) = random(&chance)
            #expect(a.union(b) == FieldSet(Array(x.union(y))), "\(chance)")
            #expect(a.intersection(b) == FieldSet(Array(x.intersection(y))), "\(chance)")
            #expect(a.subtracting(b) == FieldSet(Array(x.subtracting(y))), "\(chance)")
            #expect(
                a.subtractingWhole(b) == FieldSet(x.filter { path in !y.contains { path.starts(with: $0) } }),
                "\(chance)")
            #expect(a.paths.count == x.count && x.allSatisfy(a.contains))
        }
    }

    @Test func `field sets read back`() throws {
        var chance = SeededChance(seed: 82)
        for _ in 0..<2000 {
            let (set, _) = random(&chance)
            #expect(try FieldSet(fieldsV1: JSONParser.parse(JSONWriter.text(set.fieldsV1))) == set, "\(chance)")
        }
    }

    @Test func `the form is that of the KEP`() throws {
        let text =
            #"{"f:metadata":{"f:labels":{".":{},"f:app":{}},"f:finalizers":{"v:\"x\"":{}}},"#
            + #""f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{}}}}}"#
        let set = try FieldSet(fieldsV1: JSONParser.parse(text))
        #expect(
            set.paths == [
                #".metadata.finalizers[="x"]"#, ".metadata.labels", ".metadata.labels.app",
                #".spec.containers[name="web"]"#, #".spec.containers[name="web"].image"#,
            ])
        #expect(try set.fieldsV1 == JSONParser.parse(text))
        for wrong in [#"{"x":{}}"#, #"{"k:[]":{}}"#, #"{"i:-1":{}}"#, #"{"v:":{}}"#, "[]", #"{"f:a":1}"#] {
            #expect(throws: FieldsV1Error.self, "\(wrong)") { try FieldSet(fieldsV1: JSONParser.parse(wrong)) }
        }
    }
}
