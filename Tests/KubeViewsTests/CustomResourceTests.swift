import JSON
import KubeObjects
import KubeSchema
import TestKit
import Testing

@testable import KubeViews

/// Custom resources: decoded, filled in, checked and shown by the schema of their definition.
@Suite(.timeLimit(.minutes(2))) struct CustomResourceTests {
    private func object(_ spec: JSONValue) -> JSONValue {
        [
            "apiVersion": "stable.example.com/v1", "kind": "CronTab", "metadata": ["name": "a", "namespace": "n"],
            "spec": spec,
        ]
    }

    private func decoded(
        _ json: JSONValue, _ validation: FieldValidation = .ignore, _ kind: ServedKind? = nil
    ) throws -> DecodedObject {
        let kind = try kind ?? Definitions.kind()
        var result = try ObjectDecoder.decode(json, as: kind.kind, of: kind.schema, fieldValidation: validation)
        Defaulting.apply(to: &result.json, of: kind.kind, in: kind.schema)
        return result
    }

    /// What is wrong with a spec, after defaults.
    private func problems(_ spec: JSONValue) throws -> [String] {
        let kind = try Definitions.kind()
        let result = try decoded(object(spec), .ignore, kind).json
        let check = try #require(kind.check)
        return check(result).map(\.description)
    }

    @Test func `unknown fields go, and what the schema leaves open stays`() throws {
        let spec: JSONValue = [
            "cronSpec": "* * * * *", "unknown": 1, "anything": ["x": ["y": [1, nil]]], "labels": ["a": "b"],
            "jobs": [["name": "j1", "unknown": true]],
        ]
        let result = try decoded(object(spec), .warn)
        #expect(
            result.json["spec"] == [
                "cronSpec": "* * * * *", "anything": ["x": ["y": [1, nil]]], "labels": ["a": "b"],
                "jobs": [["name": "j1", "retries": 3]], "image": "nginx", "replicas": 1,
            ])
        #expect(result.warnings == [#"unknown field "spec.unknown""#, #"unknown field "spec.jobs[0].unknown""#])
        let failure = #expect(throws: DecodingFailure.self) { try decoded(object(spec), .strict) }
        #expect(
            failure?.description
                == #"CronTab in version "v1" cannot be handled as a CronTab: strict decoding error: unknown field "spec.unknown", unknown field "spec.jobs[0].unknown""#
        )
        let open = try Definitions.kind(Definitions.cronTab, "v1beta1")
        let kept: JSONValue = ["metadata": ["name": "a"], "spec": ["x": 1], "more": [2]]
        let loose = try decoded(kept, .strict, open).json
        #expect(
            loose["spec"] == ["x": 1] && loose["more"] == [2] && loose["apiVersion"] == "stable.example.com/v1beta1")
        #expect(throws: DecodingFailure.self) { try decoded(["metadata": ["name": 3]], .ignore, open) }
        #expect(throws: DecodingFailure.self) { try decoded(["metadata": "a"], .ignore, open) }
    }

    @Test func `values are checked with the sentences of kubernetes`() throws {
        #expect(try problems(["cronSpec": "* * * * */5"]) == [])
        #expect(
            try problems(["cronSpec": "daily", "replicas": 15]) == [
                #"spec.cronSpec: Invalid value: "daily": spec.cronSpec in body should match '^(\d+|\*)(/\d+)?(\s+(\d+|\*)(/\d+)?){4}$'"#,
                "spec.replicas: Invalid value: 15: spec.replicas in body should be less than or equal to 10",
            ])
        #expect(
            try problems(["cronSpec": 5]) == [
                #"spec.cronSpec: Invalid value: "integer": spec.cronSpec in body must be of type string: "integer""#
            ])
        #expect(try problems([:]) == ["spec.cronSpec: Required value"])
        func only(_ member: String, _ value: JSONValue) throws -> [String] {
            try problems(["cronSpec": "* * * * *", member: value])
        }
        #expect(
            try only("image", "httpd") == [
                #"spec.image: Unsupported value: "httpd": supported values: "nginx", "redis""#
            ])
        #expect(try only("port", 80) == [] && only("port", "http") == [])
        #expect(
            try only("port", true)
                == [
                    #"spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean""#
                ])
        #expect(try only("ratio", 1.5) == [] && only("ratio", 2) == [])
        #expect(try only("ratio", 0) == ["spec.ratio: Invalid value: 0: spec.ratio in body should be greater than 0"])
        #expect(
            try only("ratio", 0.7)
                == ["spec.ratio: Invalid value: 0.7: spec.ratio in body should be a multiple of 0.5"])
        #expect(try only("tags", ["a", "b", "a"]) == [#"spec.tags[2]: Duplicate value: "a""#])
        #expect(try only("tags", ["a", "b", "c", "d"]) == ["spec.tags: Too many: 4: must have at most 3 items"])
        #expect(
            try only("tags", "a")
                == [#"spec.tags: Invalid value: "string": spec.tags in body must be of type array: "string""#])
        #expect(
            try only("jobs", [["name": "j1"], ["name": "j1"], ["name": "x"], [:]]) == [
                #"spec.jobs[2].name: Invalid value: "x": spec.jobs[2].name in body should be at least 2 chars long"#,
                "spec.jobs[3].name: Required value", #"spec.jobs[1]: Duplicate value: {"name":"j1"}"#,
            ])
        #expect(try only("labels", ["k": "long"]) == ["spec.labels.k: Too long: may not be more than 3 bytes"])
        #expect(try only("until", "2026-01-01T00:00:00Z") == [] && only("until", nil) == [])
        #expect(
            try only("until", "soon")
                == [#"spec.until: Invalid value: "soon": spec.until in body must be of type date-time: "soon""#])
        #expect(try only("either", ["a": "x"]) == [])
        #expect(
            try only("either", ["a": "x", "b": "y"]) == [
                #"spec.either: Invalid value: "": "spec.either" must validate one and only one schema (oneOf). Found 2 valid alternatives"#
            ])
        #expect(
            try only("replicas", nil) == [], "a null where there is a default is filled in")
        #expect(
            try only("tags", nil)
                == [#"spec.tags: Invalid value: "null": spec.tags in body must be of type array: "null""#])
    }

    @Test func `defaults come before checks`() throws {
        let definition: JSONValue = [
            "type": "object",
            "properties": [
                "spec": [
                    "type": "object", "default": ["a": ["b": 1]], "required": ["a"],
                    "properties": [
                        "a": [
                            "type": "object",
                            "properties": ["b": ["type": "integer"], "c": ["type": "string", "default": "d"]],
                        ]
                    ],
                ]
            ],
        ]
        var crd = Definitions.cronTab
        crd["spec", "versions"] = [
            ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": definition]]
        ]
        let kind = try Definitions.kind(crd)
        let result = try decoded(["metadata": ["name": "a"]], .strict, kind).json
        #expect(result["spec"] == ["a": ["b": 1, "c": "d"]])
        let check = try #require(kind.check)
        #expect(check(result).isEmpty)
    }

    @Test func `server-side apply follows list types`() throws {
        let kind = try Definitions.kind()
        let manager = FieldManager(kind.kind, in: kind.schema)
        let first = object([
            "cronSpec": "* * * * *", "jobs": [["name": "j1", "retries": 1]], "tags": ["a"], "anything": ["x": 1],
        ])
        let one = try manager.apply(first, to: [:], ManagedFields(), by: "one", force: false, at: nil)
        let second = object(["cronSpec": "* * * * *", "jobs": [["name": "j2"]], "tags": ["b"]])
        let two = try manager.apply(second, to: one.object, one.managed, by: "two", force: false, at: nil)
        #expect(two.object["spec", "jobs"] == [["name": "j1", "retries": 1], ["name": "j2"]])
        #expect(two.object["spec", "tags"] == ["a", "b"] && two.object["spec", "anything"] == ["x": 1])
        let conflict = object(["cronSpec": "1 1 1 1 1", "anything": ["x": 2]])
        let failure = #expect(throws: ApplyFailure.self) {
            try manager.apply(conflict, to: two.object, two.managed, by: "three", force: false, at: nil)
        }
        #expect(failure?.description.contains(".spec.anything.x") == true, "\(failure?.description ?? "")")
    }

    @Test func `rows show what the definition names`() throws {
        let kind = try Definitions.kind()
        var crontab = object(["cronSpec": "* * * * *", "replicas": 2])
        crontab["metadata", "creationTimestamp"] = "2026-01-01T00:00:00Z"
        let table = TableRenderer(kind, now: Definitions.now)
        #expect(table.headers == ["Name", "Spec", "Replicas", "Age"])
        #expect(table.row(crontab) == ["a", "* * * * *", 2, "24h"])
        let json = try JSONParser.parse(table.list([JSONWriter.bytes(crontab)], ListHead(resourceVersion: "1")))
        #expect(json["rows"]?[0]?["cells"] == ["a", "* * * * *", 2, "24h"])
        #expect(json["columnDefinitions"]?[2]?["priority"] == 1)
        #expect(table.row(["metadata": ["name": "b"]]) == ["b", nil, nil, nil])
        let plain = TableRenderer(try Definitions.kind(Definitions.cronTab, "v1beta1"), now: Definitions.now)
        #expect(plain.headers == ["Name", "Age"] && plain.row(crontab) == ["a", "24h"])
    }

    @Test func `a kind has what its definition says`() throws {
        let kind = try Definitions.kind()
        #expect(kind.kind.shortNames == ["ct"] && kind.kind.categories == ["all"] && kind.kind.isNamespaced)
        #expect(
            kind.kind.subresources == ["status", "scale"] && kind.isStorageVersion && kind.listKind == "CronTabList")
        #expect(
            kind.custom?.scale
                == CustomKind.ScalePaths(
                    specReplicas: ["spec", "replicas"], statusReplicas: ["status", "replicas"],
                    labelSelector: ["status", "labelSelector"]))
        #expect(kind.custom?.selectableFields == ["spec.image"] && kind.warnings == nil)
        let old = try Definitions.kind(Definitions.cronTab, "v1beta1")
        #expect(!old.isStorageVersion && old.warnings?([:]) == ["stable.example.com/v1beta1 CronTab is deprecated"])
        #expect(Definitions.served().kind(group: "stable.example.com", version: "v1alpha1", plural: "crontabs") == nil)
    }

    @Test(arguments: 0..<20) func `any schema is read, and checked against anything`(seed: Int) throws {
        var chance = SeededChance(seed: UInt64(seed))
        let words: [JSONValue] = [
            nil, true, 0, 1, -1, 1.5, 9_223_372_036_854_775_807, "", "object", "array", "string", "integer", "a", "(",
            "[a-",
            [], [:], ["a"], ["type": "string"], [["required": ["a"]]], ["a": ["type": "object"]],
        ]
        let names = Schema.kubernetes[try #require(Schema.kubernetes.type(named: "apiextensions/v1.JSONSchemaProps"))]
            .fields.map(
                \.name)
        func random(_ depth: Int) -> JSONValue {
            var schema = JSONObject()
            for name in names where Int.random(in: 0..<6, using: &chance) == 0 {
                switch name {
                case "items", "not",
                    "additionalProperties" where depth < 4:
                    schema[name] = random(depth + 1)
                case "allOf", "anyOf", "oneOf": schema[name] = depth < 3 ? [random(depth + 1), random(depth + 1)] : []
                case "properties" where depth < 4: schema[name] = ["a": random(depth + 1), "b": random(depth + 1)]
                default: schema[name] = words.randomElement(using: &chance)!
                }
            }
            return .object(schema)
        }
        for _ in 0..<30 {
            let schema = random(0)
            _ = StructuralRules.causes(schema, .root)
            guard let node = SchemaNode(schema) else { continue }
            for value in words + [["a": ["a": 1, "b": "x"], "b": [1, 1, nil]]] {
                #expect(ResourceCheck.causes(value, node).count <= ResourceCheck.limit)
            }
            var crd = Definitions.cronTab
            crd["spec", "versions"] = [
                ["name": "v1", "served": true, "storage": true, "schema": ["openAPIV3Schema": schema]]
            ]
            _ = CustomDefinitionRules.causes(crd)
            let kind = try Definitions.kind(crd)
            for value in words {
                _ = try? decoded(["metadata": ["name": "a"], "a": value, "spec": value], .warn, kind)
            }
            for form in [OpenAPIDefinitions.Version.v2, .v3] { _ = CustomDefinitions(kind, form).all }
        }
        var deep: JSONValue = ["type": "object"]
        for level in 0..<200 {
            deep = level % 2 == 0 ? ["type": "object", "properties": ["a": deep]] : ["type": "array", "items": deep]
        }
        var nested: JSONValue = [:]
        for _ in 0..<200 { nested = ["not": ["allOf": [nested]]] }
        _ = StructuralRules.causes(["type": "object", "not": nested], .root)
        _ = StructuralRules.causes(deep, .root)
        _ = SchemaNode(deep)
    }
}
