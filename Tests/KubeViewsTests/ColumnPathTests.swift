import JSON
import TestKit
import Testing

@testable import KubeViews

/// Paths of printer columns.
@Suite(.timeLimit(.minutes(1))) struct ColumnPathTests {
    private let object: JSONValue = [
        "spec": ["replicas": 3, "list": [["n": "a"], ["n": "b"], 7], "a.b": "dotted"],
        "metadata": ["annotations": ["x.io/y": "z"]],
        "status": [
            "conditions": [
                ["type": "Ready", "status": "True", "ok": true], ["type": "Other", "status": "False", "n": 2],
            ]
        ],
    ]

    @Test(
        arguments: [
            (".spec.replicas", [3]), (".spec.list[0].n", ["a"]), (".spec.list[-1]", [7]),
            (".spec.list[*].n", ["a", "b"]),
            (".spec.list[9]", []), (".spec['a.b']", ["dotted"]), (#".spec.a\.b"#, ["dotted"]),
            (#".metadata.annotations.x\.io/y"#, ["z"]), (#".status.conditions[?(@.type=="Ready")].status"#, ["True"]),
            (#".status.conditions[?(@.type == 'Other')].status"#, ["False"]),
            (#".status.conditions[?(@.ok==true)].type"#, ["Ready"]), (#".status.conditions[?(@.n!=2)].type"#, []),
            (#".status.conditions[?(@.type!="Ready")].type"#, ["Other"]), (".nothing.here", []),
            (".spec.replicas.x", []),
        ] as [(String, [JSONValue])])
    func `paths lead to values`(path: String, values: [JSONValue]) throws {
        #expect(try ColumnPath(path).values(in: object) == values)
    }

    @Test(arguments: [
        "", "spec", ".spec.", "..x", ".a[", ".a[]", ".a[x]", ".a[?(@.b)]", ".a['b", ".a b", ".a[1", "{.a}",
        ".a[?(@.b==)]",
        String(repeating: ".a", count: 100),
    ])
    func `what is no path is refused`(path: String) {
        #expect(throws: ColumnPathError.self) { try ColumnPath(path) }
    }

    @Test func `a path takes so many values and no more`() throws {
        let row = JSONValue.array(Array(repeating: 1, count: 50))
        let square = JSONValue.array(Array(repeating: row, count: 50))
        #expect(try ColumnPath("[*][*]").values(in: square).count == ColumnPath.limit)
    }

    @Test(arguments: 0..<50) func `no text traps the reader of paths`(seed: Int) {
        var chance = SeededChance(seed: UInt64(seed))
        let letters = Array(#".a[]*?(@)='"\0-9é!"#)
        for _ in 0..<300 {
            let path =
                "."
                + String(
                    (0..<Int.random(in: 0..<16, using: &chance)).map { _ in letters.randomElement(using: &chance)! })
            _ = try? ColumnPath(path).values(in: object)
        }
    }
}
