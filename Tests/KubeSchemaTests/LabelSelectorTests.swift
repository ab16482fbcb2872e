import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct LabelSelectorTests {
    @Test(arguments: [
        ("", "app=web", true), ("app=web", "app=web", true), ("app==web", "app=web", true),
        ("app!=web", "app=web", false), ("app!=web", "", true),
        ("app in (web, api)", "app=api", true), ("app notin (web)", "app=web", false), ("app notin (web)", "", true),
        ("app", "app=", true), ("!app", "app=", false),
        ("!app", "", true), ("n>3", "n=4", true), ("n<3", "n=4", false), ("n>3", "n=x", false), ("app=", "app=", true),
        ("a=1,b=2", "a=1", false), ("in in (in,notin)", "in=notin", true),
        ("a in ()", "a=", true), ("a in (,b)", "a=", true), (" a = b , ! c ", "a=b", true),
        ("x.io/a=b", "x.io/a=b", true),
    ])
    func `a text selects by labels`(_ text: String, _ labels: String, _ holds: Bool) throws {
        var object: JSONValue = [:]
        if let mark = labels.firstIndex(of: "=") {
            object[String(labels[..<mark])] = .string(String(labels[labels.index(after: mark)...]))
        }
        #expect(try LabelSelector(text).matches(object) == holds)
    }

    @Test(arguments: [
        ("a=b c", "found 'c', expected: ',' or 'end of string'"), ("a,", "found '', expected: identifier after ','"),
        ("=a", "found '=', expected: !, identifier, or 'end of string'"),
        ("a in b", "unable to parse requirement: found 'b' expected: '('"),
        ("a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("a ~ b", "unable to parse requirement: found '~', expected: in, notin, =, ==, !=, gt, lt"),
        (
            "a>b",
            #"unable to parse requirement: values[0]: Invalid value: "b": for 'Gt', 'Lt' operators, the value must be an integer"#
        ), ("!", "unable to parse requirement: found '', expected: identifier"),
        ("a=(", "unable to parse requirement: found '(', expected: identifier"),
    ])
    func `a text that is no selector says why`(_ text: String, _ problem: String) {
        let error = #expect(throws: SelectorError.self) { try LabelSelector(text) }
        #expect(error?.description == problem)
    }

    @Test func `keys and values must be possible labels`() {
        let key = #expect(throws: SelectorError.self) { try LabelSelector("a_/b=c") }
        #expect(
            key?.description.hasPrefix(
                #"unable to parse requirement: <nil>: Invalid value: "a_/b": prefix part a lowercase RFC 1123 subdomain"#
            ) == true)
        let value = #expect(throws: SelectorError.self) { try LabelSelector("a=_b") }
        #expect(
            value?.description.hasPrefix(
                #"unable to parse requirement: values[0]: Invalid value: "_b": a valid label must be"#) == true)
    }

    @Test func `the forms of a selector hold for the same labels`() throws {
        let object: JSONValue = [
            "matchLabels": ["app": "web"],
            "matchExpressions": [
                ["key": "tier", "operator": "In", "values": ["b", "a"]], ["key": "old", "operator": "DoesNotExist"],
                ["key": "x", "operator": "NotIn", "values": ["y"]], ["key": "z", "operator": "Exists"],
            ],
        ]
        let selector = try LabelSelector(object: object)
        #expect(selector.description == "app=web,!old,tier in (a,b),x notin (y),z")
        #expect(try LabelSelector(selector.description) == selector)
        #expect(
            selector.matches(["app": "web", "tier": "a", "z": ""])
                && !selector.matches(["app": "web", "tier": "a", "z": "", "x": "y"]))
        #expect(
            try !LabelSelector(object: nil).matches([:]) && LabelSelector(object: [:]).matches(nil)
                && !LabelSelector(labels: [:]).matches([:]))
        #expect(throws: SelectorError.self) {
            try LabelSelector(object: ["matchExpressions": [["key": "a", "operator": "Is"]]])
        }
    }

    @Test func `a selector reads back from what it is written as`() throws {
        var chance = SeededChance(seed: 51)
        let words = [
            "a", "b", "x.io/k", "in", "notin", "", ",", "=", "==", "!=", "!", "(", ")", " in ", " notin ", ">", "<",
            "1", " ",
        ]
        var read = 0
        for _ in 0..<20000 {
            let text = (0..<Int.random(in: 0..<10, using: &chance)).map { _ in words.randomElement(using: &chance)! }
                .joined()
            guard let selector = try? LabelSelector(text) else { continue }
            read += 1
            #expect(try LabelSelector(selector.description) == selector, "\(text) \(chance)")
        }
        #expect(read > 1000)
    }

    @Test func `no text traps the parser of selectors`() {
        var chance = SeededChance(seed: 52)
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0..<20, using: &chance)).map { _ in
                UInt8.random(in: 0...255, using: &chance)
            }
            let text = String(decoding: bytes, as: UTF8.self)
            _ = try? LabelSelector(text)
            _ = try? FieldSelector(text, for: kind("v1", "Pod"))
        }
    }

    @Test func `field selectors read back`() throws {
        let pod = kind("v1", "Pod")
        let selector = try FieldSelector(#"status.phase!=Running,spec.nodeName==a\,b\=c\\"#, for: pod)
        #expect(selector.matches(["spec": ["nodeName": #"a,b=c\"#], "status": ["phase": "Pending"]]))
        #expect(!selector.matches(["spec": ["nodeName": #"a,b=c\"#], "status": ["phase": "Running"]]))
        #expect(try FieldSelector(selector.description, for: pod) == selector)
        #expect(try FieldSelector("spec.unschedulable=false", for: kind("v1", "Node")).matches([:]))
        #expect(try FieldSelector("", for: pod).matches([:]))
        let problems = [
            ("spec.image=x", "field label not supported: spec.image"),
            ("metadata.name", "invalid selector: 'metadata.name'; can't understand 'metadata.name'"),
            (#"metadata.name=a\b"#, #"invalid field selector: invalid escape sequence: \b"#),
            ("metadata.name=a=b", "invalid field selector: unescaped character in value: 61"),
        ]
        for (text, problem) in problems {
            let error = #expect(throws: SelectorError.self) { try FieldSelector(text, for: pod) }
            #expect(error?.description == problem)
        }
        let other = #expect(throws: SelectorError.self) {
            try FieldSelector("spec.replicas=1", for: kind("apps/v1", "Deployment"))
        }
        #expect(
            other?.description
                == #""spec.replicas" is not a known field selector: only "metadata.name", "metadata.namespace""#)
    }
}
