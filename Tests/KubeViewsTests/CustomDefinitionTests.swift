import JSON
import KubeObjects
import KubeSchema
import Linux
import TestKit
import Testing

@testable import KubeViews

/// Definitions: what is refused of them, and which names they get.
@Suite(.timeLimit(.minutes(2))) struct CustomDefinitionTests {
    private func problems(_ change: (inout JSONValue) -> Void) -> [String] {
        var definition = Definitions.cronTab
        change(&definition)
        return CustomDefinitionRules.causes(definition).map(\.description)
    }

    private func schemaProblems(_ spec: JSONValue) -> [String] {
        StructuralRules.causes(["type": "object", "properties": ["spec": spec]], .root.child("s")).map(\.description)
    }

    @Test func `the definition of the documentation has nothing wrong`() throws {
        #expect(problems { _ in } == [])
        #expect(CustomDefinitionRules.warnings(Definitions.cronTab) == [])
        let kind = try #require(Schema.kubernetes.kind(CustomDefinition.kind))
        var decoded = try ObjectDecoder.decode(
            Definitions.cronTab, as: kind, of: .kubernetes, fieldValidation: .strict)
        Defaulting.apply(to: &decoded.json, of: kind, in: .kubernetes)
        #expect(decoded.json["spec", "names", "listKind"] == "CronTabList")
        #expect(decoded.json["spec", "conversion"] == ["strategy": "None"])
        #expect(decoded.json["spec", "versions"] == Definitions.cronTab["spec", "versions"])
        try Validation(kind, in: .kubernetes).checkNew(decoded.json)
    }

    @Test func `names, scope and versions are checked`() {
        #expect(
            problems { $0["metadata", "name"] = "x" }
                == [#"metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group"#])
        #expect(
            problems { $0["spec", "scope"] = "Everywhere" }
                == [#"spec.scope: Unsupported value: "Everywhere": supported values: "Cluster", "Namespaced""#])
        #expect(
            problems { $0["spec", "versions"] = [] } == [
                "spec.versions: Required value: must have at least one version"
            ])
        #expect(
            problems { definition in
                definition["spec"]?["versions"]?.array?[1]["storage"] = true
            } == [
                #"spec.versions: Invalid value: ["v1","v1beta1","v1alpha1"]: must have exactly one version marked as storage version"#
            ])
        #expect(
            problems { $0["spec", "conversion"] = ["strategy": "Webhook", "webhook": [:]] } == [
                #"spec.conversion.strategy: Unsupported value: "Webhook": supported values: "None" (this server calls no conversion webhooks)"#
            ])
        #expect(
            problems {
                $0["spec", "group"] = "x.k8s.io"
                $0["metadata", "name"] = "crontabs.x.k8s.io"
            } == [
                #"metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111"#
            ])
        #expect(
            problems { $0["spec", "names", "listKind"] = "CronTab" }
                == [#"spec.names.listKind: Invalid value: "CronTab": kind and listKind may not be the same"#])
        #expect(
            problems { definition in
                definition["spec"]?["versions"]?.array?[0]["subresources"] = [
                    "scale": ["specReplicasPath": ".status.x", "statusReplicasPath": ""]
                ]
                definition["spec"]?["versions"]?.array?[0]["additionalPrinterColumns"] = [
                    ["name": "A", "type": "text", "jsonPath": "spec"]
                ]
            } == [
                #"spec.versions[0].additionalPrinterColumns[0].type: Unsupported value: "text": supported values: "boolean", "date", "integer", "number", "string""#,
                #"spec.versions[0].additionalPrinterColumns[0].jsonPath: Invalid value: "spec": is an invalid path: must start with ".""#,
                #"spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".status.x": should be a json path under .spec"#,
                "spec.versions[0].subresources.scale.statusReplicasPath: Required value",
            ])
    }

    @Test func `schemas must be structural`() {
        #expect(
            StructuralRules.causes(nil, .root.child("s")).map(\.description) == [
                "s: Required value: schemas are required"
            ])
        #expect(
            StructuralRules.causes(["type": "string"], .root.child("s")).map(\.description)
                == [#"s.type: Invalid value: "string": must be object at the root"#])
        #expect(
            schemaProblems([:]) == [
                "s.properties[spec].type: Required value: must not be empty for specified object fields"
            ])
        #expect(
            schemaProblems(["type": "text"]) == [
                #"s.properties[spec].type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", "string""#
            ])
        #expect(
            schemaProblems(["type": "array"]) == ["s.properties[spec].items: Required value: must be specified"])
        #expect(
            schemaProblems(["type": "array", "items": [:]])
                == ["s.properties[spec].items.type: Required value: must not be empty for specified array items"])
        #expect(
            schemaProblems([
                "type": "object", "properties": ["a": ["type": "string"]], "additionalProperties": ["type": "string"],
            ])
                == [
                    "s.properties[spec].additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"
                ])
        #expect(
            schemaProblems(["type": "object", "anyOf": [["properties": ["a": ["type": "object"]]]]])
                == ["s.properties[spec].anyOf[0].properties[a].type: Forbidden: must be empty to be structural"])
        #expect(
            schemaProblems(["type": "string", "pattern": "("]).first?.hasPrefix(
                #"s.properties[spec].pattern: Invalid value: "(": must be a valid regular expression"#) == true)
        #expect(
            schemaProblems(["type": "integer", "minimum": 3, "default": 1]) == [
                "s.properties[spec].default: Invalid value: 1: in body should be greater than or equal to 3"
            ])
        #expect(
            schemaProblems(["type": "array", "items": ["type": "string"], "uniqueItems": true]) == [
                "s.properties[spec].uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
            ])
        #expect(
            schemaProblems([
                "type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["k"],
                "items": ["type": "object", "properties": ["k": ["type": "string"]]],
            ]) == [
                "s.properties[spec].items.properties[k].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property"
            ])
        #expect(
            schemaProblems(["x-kubernetes-int-or-string": true, "anyOf": [["type": "integer"], ["type": "string"]]])
                == [])
    }

    @Test func `fields that objects are found by are simple, few and in the schema`() {
        func problems(_ paths: [String]) -> [String] {
            let schema: JSONValue = [
                "type": "object",
                "properties": [
                    "metadata": ["type": "object", "properties": ["name": ["type": "string"]]],
                    "spec": [
                        "type": "object",
                        "properties": [
                            "a": ["type": "string"], "list": ["type": "array", "items": ["type": "string"]],
                        ],
                    ],
                ],
            ]
            let fields = paths.map { JSONValue.object(["jsonPath": .string($0)]) }
            return SelectableFieldRules.causes(fields, SchemaNode(schema), .root.child("f")).map(\.description)
        }
        #expect(problems([".spec.a"]) == [])
        #expect(problems([""]) == ["f[0].jsonPath: Required value"])
        let invalid = [".spec.b", "spec.a", ".spec.list[0]", ".spec..a", ".spec.", "."]
        for path in invalid {
            #expect(
                problems([path]) == [
                    "f[0].jsonPath: Invalid value: \(quoted(path)): is an invalid path: does not refer to a valid field"
                ])
        }
        #expect(
            problems([".spec.list"]) == [
                "f[0].jsonPath: Invalid value: \".spec.list\": must point to a field of type string, boolean or integer. Enum "
                    + "string fields and strings with formats are allowed."
            ])
        #expect(
            problems([".metadata.name"]) == [
                "f[0].jsonPath: Invalid value: \".metadata.name\": must not point to fields in metadata"
            ])
        #expect(problems([".spec.a", ".spec.a"]) == ["f[1].jsonPath: Duplicate value: \".spec.a\""])
    }

    @Test func `rules in CEL are stored, and said to do nothing`() {
        var definition = Definitions.cronTab
        definition["spec"]?["versions"]?.array?[0]["schema"]?["openAPIV3Schema"]?["properties"]?["spec"]?[
            "x-kubernetes-validations"] = [["rule": "self.replicas > 0"]]
        #expect(CustomDefinitionRules.causes(definition).isEmpty)
        #expect(
            CustomDefinitionRules.warnings(definition) == [
                "spec.versions[v1].schema: x-kubernetes-validations are stored and have no effect: rules in CEL are not evaluated here"
            ])
    }

    @Test(arguments: 0..<20) func `no definition traps the rules`(seed: Int) {
        var chance = SeededChance(seed: UInt64(seed))
        func broken(_ json: JSONValue) -> JSONValue {
            if Int.random(in: 0..<25, using: &chance) == 0 {
                return [nil, true, 3, "", "a", [], [:], [nil], ["a": 1]].randomElement(using: &chance)!
            }
            switch json {
            case .array(let elements): return .array(elements.map(broken))
            case .object(let members):
                var result = JSONObject()
                for member in members.members { result[member.key] = broken(member.value) }
                return .object(result)
            default: return json
            }
        }
        for _ in 0..<20 {
            let definition = broken(Definitions.cronTab)
            _ = CustomDefinitionRules.causes(definition)
            _ = CustomDefinitionRules.warnings(definition)
            let reviewed = Definitions.reviewed(definition, others: [broken(Definitions.reviewed(Definitions.cronTab))])
            let kinds = ServedKinds()
            kinds.replace(with: [reviewed])
            for kind in kinds.kinds where kind.custom != nil {
                let table = TableRenderer(kind, now: Definitions.now)
                #expect(table.row(definition).count == table.headers.count)
            }
        }
    }

    // MARK: Names

    private func conditions(_ definition: JSONValue) -> [String] {
        (definition["status"] ?? .null).list("conditions").map {
            "\($0.text("type"))=\($0.text("status")) \($0.text("reason")): \($0.text("message"))"
        }
    }

    @Test func `the first review accepts all names`() {
        let reviewed = Definitions.reviewed(Definitions.cronTab)
        #expect(
            conditions(reviewed) == [
                "NamesAccepted=True NoConflicts: no conflicts found",
                "Established=True InitialNamesAccepted: the initial names have been accepted",
            ])
        #expect(
            reviewed["status", "acceptedNames"] == [
                "plural": "crontabs", "singular": "crontab", "shortNames": ["ct"], "kind": "CronTab",
                "listKind": "CronTabList", "categories": ["all"],
            ])
        #expect(reviewed["status", "storedVersions"] == ["v1"])
    }

    @Test func `a review that changes nothing says the same again`() {
        let first = Definitions.reviewed(Definitions.cronTab)
        let later = CustomResourceReview.decide(
            first, others: [], now: .init(nanoseconds: Definitions.now.nanoseconds + 5_000_000_000))
        #expect(later == first["status"])
    }

    @Test func `names that others have are not accepted`() {
        let first = Definitions.reviewed(Definitions.cronTab)
        var second = Definitions.cronTab
        second["metadata", "name"] = "tabs.stable.example.com"
        second["spec", "names"] = ["plural": "tabs", "singular": "tab", "kind": "CronTab", "shortNames": ["ct", "t"]]
        let reviewed = Definitions.reviewed(second, others: [first])
        #expect(
            conditions(reviewed) == [
                #"NamesAccepted=False ShortNamesConflict: "ct" is already in use"#,
                "Established=False NotAccepted: not all names are accepted",
            ])
        let kinds = ServedKinds()
        kinds.replace(with: [first, reviewed])
        #expect(kinds.kinds.count { $0.custom != nil } == 2, "two versions of the first, none of the second")
        var other = second
        other["spec", "group"] = "other.example.com"
        #expect(conditions(Definitions.reviewed(other, others: [first]))[1].hasPrefix("Established=True"))
        var builtIn = Definitions.cronTab
        builtIn["spec", "group"] = "forkless.dev"
        builtIn["spec", "names"] = ["plural": "functions", "kind": "Function"]
        #expect(conditions(Definitions.reviewed(builtIn))[0].hasPrefix("NamesAccepted=False PluralConflict"))
    }

    @Test func `accepted names stay`() {
        var first = Definitions.reviewed(Definitions.cronTab)
        var second = Definitions.cronTab
        second["metadata", "name"] = "tabs.stable.example.com"
        second["spec", "names"] = ["plural": "tabs", "kind": "Tab"]
        second = Definitions.reviewed(second, others: [first])
        first["spec", "names", "kind"] = "Tab"
        first["spec", "names", "listKind"] = "TabList"
        let again = Definitions.reviewed(first, others: [second])
        #expect(again["status", "acceptedNames", "kind"] == "CronTab")
        #expect(
            conditions(again) == [
                #"NamesAccepted=False KindConflict: "Tab" is already in use"#,
                "Established=True InitialNamesAccepted: the initial names have been accepted",
            ])
    }
}
