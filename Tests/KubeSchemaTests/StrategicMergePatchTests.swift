import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct StrategicMergePatchTests {
    let pod = kind("v1", "Pod")

    func apply(_ patch: JSONValue, _ object: JSONValue, _ kind: Kind? = nil) throws -> JSONValue {
        try StrategicMergePatch.apply(patch, to: object, of: kind ?? pod, in: .kubernetes)
    }

    func failure(_ patch: JSONValue, _ object: JSONValue) -> PatchError? {
        do throws(PatchError) {
            _ = try StrategicMergePatch.apply(patch, to: object, of: pod, in: .kubernetes)
            return nil
        } catch {
            return error
        }
    }

    let two: JSONValue = [
        "spec": ["containers": [["name": "a", "image": "1"], ["name": "b", "image": "2", "command": ["x", "y"]]]]
    ]

    @Test func `containers are merged by name, commands are replaced`() throws {
        let patched = try apply(
            ["spec": ["containers": [["name": "b", "image": "3", "command": ["z"]], ["name": "c", "image": "4"]]]], two)
        #expect(
            patched == [
                "spec": [
                    "containers": [
                        ["name": "a", "image": "1"], ["name": "b", "image": "3", "command": ["z"]],
                        ["name": "c", "image": "4"],
                    ]
                ]
            ])
    }

    @Test func `elements are deleted, lists and objects replaced by directives`() throws {
        #expect(
            try apply(["spec": ["containers": [["name": "a", "$patch": "delete"]]]], two)["spec"]?["containers"]?.array?
                .count == 1)
        #expect(
            try apply(["spec": ["containers": [["name": "n"], ["$patch": "replace"]]]], two) == [
                "spec": ["containers": [["name": "n"]]]
            ])
        #expect(try apply(["spec": ["$patch": "replace", "nodeName": "x"]], two) == ["spec": ["nodeName": "x"]])
        #expect(try apply(["spec": ["$patch": "delete"]], two) == ["spec": [:]])
        #expect(try apply(["spec": nil], two) == [:])
        #expect(try apply(["spec": ["containers": nil, "nodeName": nil]], two) == ["spec": [:]])
    }

    @Test func `scalars are merged, and deleted by a directive`() throws {
        let object: JSONValue = ["metadata": ["finalizers": ["a", "b", "c"]]]
        #expect(
            try apply(["metadata": ["finalizers": ["d", "a"]]], object) == [
                "metadata": ["finalizers": ["d", "a", "b", "c"]]
            ])
        #expect(
            try apply(["metadata": ["$deleteFromPrimitiveList/finalizers": ["b", "x"]]], object) == [
                "metadata": ["finalizers": ["a", "c"]]
            ])
    }

    @Test func `kubectl's order of elements holds`() throws {
        let patch: JSONValue = [
            "spec": [
                "$setElementOrder/containers": [["name": "c"], ["name": "b"], ["name": "a"]],
                "containers": [["name": "c", "image": "4"], ["name": "a", "image": "9"]],
            ]
        ]
        #expect(
            try apply(patch, two)["spec"]?["containers"]?.array?.compactMap { $0["name"]?.string } == ["c", "b", "a"])
        #expect(try apply(patch, two)["spec"]?["containers"]?[2]?["image"] == "9")
        let only: JSONValue = ["metadata": ["$setElementOrder/finalizers": ["c", "a"]]]
        #expect(
            try apply(only, ["metadata": ["finalizers": ["a", "b", "c"]]]) == [
                "metadata": ["finalizers": ["b", "c", "a"]]
            ])
    }

    @Test func `a union keeps the members that are named`() throws {
        let deployment = kind("apps/v1", "Deployment")
        let object: JSONValue = ["spec": ["strategy": ["type": "RollingUpdate", "rollingUpdate": ["maxSurge": 1]]]]
        #expect(
            try apply(["spec": ["strategy": ["$retainKeys": ["type"], "type": "Recreate"]]], object, deployment) == [
                "spec": ["strategy": ["type": "Recreate"]]
            ])
        let volumes: JSONValue = ["spec": ["volumes": [["name": "v", "emptyDir": [:]]]]]
        #expect(
            try apply(
                [
                    "spec": [
                        "volumes": [["name": "v", "$retainKeys": ["name", "hostPath"], "hostPath": ["path": "/x"]]]
                    ]
                ], volumes) == ["spec": ["volumes": [["name": "v", "hostPath": ["path": "/x"]]]]])
    }

    @Test func `a budget's selector is replaced`() throws {
        let object: JSONValue = ["spec": ["selector": ["matchLabels": ["a": "b"]]]]
        #expect(
            try apply(
                ["spec": ["selector": ["matchLabels": ["c": "d"]]]], object, kind("policy/v1", "PodDisruptionBudget"))
                == ["spec": ["selector": ["matchLabels": ["c": "d"]]]])
    }

    @Test func `a patch that makes no sense says why`() {
        let cases: [(JSONValue, PatchError.Status, String)] = [
            ([], .badRequest, "json: cannot unmarshal array into Go value of type map[string]interface {}"),
            (
                ["spec": ["containers": [["image": "x"]]]], .unprocessable,
                #"map: {"image":"x"} does not contain declared merge key: name"#
            ),
            (
                ["spec": ["$patch": "explode"]], .unprocessable,
                #"unknown patch type: explode in map: {"$patch":"explode"}"#
            ),
            (
                ["spec": ["containers": [["name": "a", "$patch": "merge"]]]], .unprocessable,
                "merging lists cannot yet be specified in the patch"
            ),
            (
                ["spec": ["$retainKeys": ["nodeName"], "hostname": "x"]], .badRequest,
                "invalid patch format of retainKeys"
            ),
            (
                ["spec": ["$deleteFromPrimitiveList/containers": "x"]], .badRequest,
                "invalid patch format of primitive list"
            ),
            (
                ["spec": ["$setElementOrder/containers": "x"]], .badRequest,
                "invalid patch format of setElementOrder list"
            ),
            (["spec": ["containers": ["x"]]], .unprocessable, "expected a map, but received a string"),
        ]
        for (patch, status, message) in cases { #expect(failure(patch, two) == PatchError(status, message)) }
        #expect(
            failure(["spec": ["$setElementOrder/containers": [["name": "a"]], "containers": [["name": "b"]]]], two)?
                .description.hasPrefix("The order in patch list:") == true)
    }

    @Test func `without lists it is a merge patch`() throws {
        var chance = SeededChance(seed: 71)
        func labels(_ chance: inout SeededChance, nulls: Bool) -> JSONValue {
            var map: JSONValue = [:]
            for name in ["a", "b", "c", "d"] where Bool.random(using: &chance) {
                map[name] =
                    nulls && Bool.random(using: &chance) ? .null : .string(["1", "2"].randomElement(using: &chance)!)
            }
            return map
        }
        for _ in 0..<2000 {
            let object: JSONValue = [
                "metadata": ["labels": labels(&chance, nulls: false), "annotations": labels(&chance, nulls: false)]
            ]
            let patch: JSONValue = [
                "metadata": ["labels": labels(&chance, nulls: true), "name": "n"],
                "spec": ["nodeSelector": labels(&chance, nulls: true)],
            ]
            #expect(try apply(patch, object) == JSONMergePatch.apply(patch, to: object), "\(chance)")
        }
    }

    @Test func `no strategic merge patch traps`() throws {
        var chance = SeededChance(seed: 72)
        var random = RandomObjects(schema: .kubernetes)
        var applied = 0
        for round in 0..<1500 {
            let kind = Schema.kubernetes.kinds[round % Schema.kubernetes.kinds.count]
            random.mistakes = 0
            let object = random.object(of: kind, &chance)
            random.mistakes = round % 2 == 0 ? 0.02 : 0
            let patch = directed(random.object(of: kind, &chance), &chance)
            guard let result = try? StrategicMergePatch.apply(patch, to: object, of: kind, in: .kubernetes) else {
                continue
            }
            applied += 1
            let text = JSONWriter.text(result)
            let isLeft = ["$patch", "$retainKeys", "$deleteFrom", "$setElementOrder"].contains { text.contains("\"\($0)") }
            #expect(!isLeft, "no directive stays behind: \(text) \(chance) round \(round)")
        }
        #expect(applied > 100, "\(applied)")
    }

    /// Puts directives into a patch.
    private func directed(_ json: JSONValue, _ chance: inout SeededChance) -> JSONValue {
        switch json {
        case .array(let elements): return .array(elements.map { directed($0, &chance) })
        case .object(let members):
            var result = JSONObject()
            for member in members.members { result[member.key] = directed(member.value, &chance) }
            switch Int.random(in: 0..<25, using: &chance) {
            case 0: result["$patch"] = ["replace", "delete"].randomElement(using: &chance)!
            case 1: result["$retainKeys"] = .array(members.keys.map { .string($0) })
            case 2:
                if let list = members.members.first(where: { $0.value.array != nil }) {
                    result["$setElementOrder/" + list.key] = list.value
                }
            case 3: result["$deleteFromPrimitiveList/finalizers"] = ["a"]
            default: break
            }
            return .object(result)
        default: return json
        }
    }
}
