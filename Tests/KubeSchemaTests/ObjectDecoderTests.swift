import JSON
import TestKit
import Testing

@testable import KubeSchema

/// A kind of the schema by apiVersion and name.
func kind(_ apiVersion: String, _ name: String) -> Kind {
    let parts = apiVersion.split(separator: "/").map(String.init)
    return Schema.kubernetes.kind(
        GroupVersionKind(group: parts.count > 1 ? parts[0] : "", version: parts.last!, kind: name))!
}

@Suite struct ObjectDecoderTests {
    func decode(
        _ text: String, _ kind: Kind, _ fieldValidation: FieldValidation = .strict
    ) throws -> DecodedObject {
        try ObjectDecoder.decode(JSONParser.parse(text), as: kind, of: .kubernetes, fieldValidation: fieldValidation)
    }

    func failure(_ text: String, _ kind: Kind) throws -> String {
        do {
            _ = try decode(text, kind)
            return "none"
        } catch let error as DecodingFailure {
            return error.description
        }
    }

    let deployment = kind("apps/v1", "Deployment")
    let pod = kind("v1", "Pod")

    @Test func `unknown fields are dropped, warned of or refused`() throws {
        let text =
            #"{"metadata":{"name":"a"},"spec":{"foo":1,"template":{"spec":{"containers":[{"name":"c"},{"Image":"x"}]}}}}"#
        let problems = [#"unknown field "spec.foo""#, #"unknown field "spec.template.spec.containers[1].Image""#]
        #expect(
            try failure(text, deployment)
                == #"Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: "#
                + problems.joined(separator: ", "))
        let warned = try decode(text, deployment, .warn)
        #expect(warned.warnings == problems)
        #expect(warned.json["spec"]?["foo"] == nil)
        #expect(warned.json["spec"]?["template"]?["spec"]?["containers"]?[1] == [:])
        #expect(try decode(text, deployment, .ignore).warnings.isEmpty)
        #expect(warned.json["apiVersion"] == "apps/v1" && warned.json["kind"] == "Deployment")
    }

    @Test func `duplicates are found wherever they stand, in any bytes`() {
        func find(_ text: String) -> [String] { DuplicateFields.find(in: Array(text.utf8)) }
        #expect(find(#"{"a":1,"b":{"a":1},"a":2}"#) == ["a"])
        #expect(find(#"{"spec":{"c":[{"n":"x"},{"n":"n","m":[1,2],"n":"}"}]}}"#) == ["spec.c[1].n"])
        #expect(find(#"{"a\"b":1,"a\u0022b":2,"é":1,"\u00e9":2}"#) == [#"a"b"#, "é"])
        #expect(find(#"[{"x":{"y":1,"y":2,"y":3}}]"#) == ["[0].x.y", "[0].x.y"])
        #expect(find("") == [] && find(#"{"a"#) == [] && find("}") == [])
        var chance = SeededChance(seed: 23)
        let letters = Array(#"{}[]",:a\u1 "#.utf8) + [0xFF]
        for _ in 0..<20000 {
            let count = Int.random(in: 0..<40, using: &chance)
            _ = DuplicateFields.find(in: (0..<count).map { _ in letters.randomElement(using: &chance)! })
        }
    }

    @Test func `names that came twice are said by strict validation`() throws {
        let error = #expect(throws: DecodingFailure.self) {
            try ObjectDecoder.decode(
                [:], as: pod, of: .kubernetes, fieldValidation: .strict, duplicates: ["spec.nodeName"])
        }
        #expect(error?.description.hasSuffix(#"strict decoding error: duplicate field "spec.nodeName""#) == true)
    }

    @Test(arguments: [
        (
            #"{"spec":{"replicas":"3"}}"#,
            "json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        (
            #"{"spec":{"replicas":1.5}}"#,
            "json: cannot unmarshal number 1.5 into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        (
            #"{"spec":{"replicas":3000000000}}"#,
            "json: cannot unmarshal number 3000000000 into Go struct field DeploymentSpec.spec.replicas of type int32"
        ),
        (
            #"{"spec":[]}"#,
            "json: cannot unmarshal array into Go struct field Deployment.spec of type v1.DeploymentSpec"
        ),
        (
            #"{"spec":{"template":{"spec":{"containers":{}}}}}"#,
            "json: cannot unmarshal object into Go struct field PodSpec.spec.template.spec.containers of type []v1.Container"
        ),
        (
            #"{"spec":{"template":{"spec":{"containers":[{"image":7}]}}}}"#,
            "json: cannot unmarshal number into Go struct field Container.spec.template.spec.containers.image of type string"
        ),
        (
            #"{"metadata":{"labels":{"a":true}}}"#,
            "json: cannot unmarshal bool into Go struct field ObjectMeta.metadata.labels of type string"
        ),
        (#"{"spec":{"template":{"spec":{"overhead":{"cpu":"1x"}}}}}"#, "quantities must match the regular expression"),
        (
            #"{"metadata":{"creationTimestamp":"now"}}"#,
            #"parsing time "now" as "2006-01-02T15:04:05Z07:00": cannot parse "now" as "2006""#
        ),
    ])
    func `a value of the wrong type is said in the server's words`(_ text: String, _ problem: String) throws {
        let message = try failure(text, deployment)
        #expect(
            message.hasPrefix(#"Deployment in version "v1" cannot be handled as a Deployment: "# + problem),
            "\(message)")
    }

    @Test func `another kind or version is refused`() throws {
        #expect(
            try failure(#"{"apiVersion":"v1"}"#, deployment)
                == "the API version in the data (v1) does not match the expected API version (apps/v1)")
        #expect(
            try failure(#"{"kind":"Pod"}"#, deployment).hasPrefix(
                #"Pod in version "v1" cannot be handled as a Deployment"#))
        #expect(try failure("[]", deployment).hasPrefix("couldn't get version/kind"))
    }

    @Test func `nulls are dropped, quantities and times get their canonical form`() throws {
        let decoded = try decode(
            #"""
            {"metadata":{"creationTimestamp":"2026-03-01T01:30:00.5+02:00","labels":null,"annotations":{"a":null}},
             "spec":{"volumes":[null],"containers":[{"resources":{"limits":{"cpu":0.5,"memory":"1024Mi"}}}],"nodeName":null}}
            """#, pod)
        #expect(decoded.json["metadata"]?["creationTimestamp"] == "2026-02-28T23:30:00Z")
        #expect(decoded.json["metadata"]?["labels"] == nil && decoded.json["metadata"]?["annotations"] == ["a": ""])
        #expect(decoded.json["spec"]?["volumes"] == [[:]] && decoded.json["spec"]?["nodeName"] == nil)
        #expect(decoded.json["spec"]?["containers"]?[0]?["resources"]?["limits"] == ["cpu": "500m", "memory": "1Gi"])
    }

    @Test func `claims inside a stateful set may say their kind`() throws {
        let text =
            #"{"spec":{"volumeClaimTemplates":[{"apiVersion":"v1","kind":"PersistentVolumeClaim","metadata":{"name":"d"}}]}}"#
        #expect(try decode(text, kind("apps/v1", "StatefulSet")).warnings.isEmpty)
    }

    @Test func `times are kept in UTC, and wrong ones say where`() throws {
        for text in [
            "1970-01-01T00:00:00Z", "2000-02-29T23:59:59Z", "1999-12-31T23:59:59Z", "2026-11-29T16:00:00Z",
            "0000-03-01T00:00:00Z",
        ] {
            #expect(try Timestamp(text, .seconds).text(.seconds) == text)
        }
        #expect(try Timestamp("2026-01-01T00:00:00.000001Z", .micro).text(.micro) == "2026-01-01T00:00:00.000001Z")
        let wrong = [
            ("2026-02-30T00:00:00Z", "day out of range"), ("2026-13-01T00:00:00Z", "month out of range"),
            ("2026-01-01", #"cannot parse "" as "T""#),
            ("2026-01-01T00:00:00", #"cannot parse "" as "Z07:00""#), ("2026-01-01T00:00:00Zx", #"extra text: "x""#),
            ("2026-01-01T24:00:00Z", "hour out of range"),
        ]
        for (text, problem) in wrong {
            let error = #expect(throws: TimestampError.self) { try Timestamp(text, .seconds) }
            #expect(error?.description.hasSuffix(problem) == true, "\(error?.description ?? "")")
        }
        var chance = SeededChance(seed: 3)
        for _ in 0..<2000 {
            let time = Timestamp(seconds: Int64.random(in: -62_000_000_000...250_000_000_000, using: &chance))
            #expect(try Timestamp(time.text(.seconds), .seconds) == time, "\(time) \(chance)")
        }
    }

    @Test func `whatever is decoded decodes again to itself`() throws {
        var chance = SeededChance(seed: 21)
        var random = RandomObjects(schema: .kubernetes)
        var taken = 0
        for round in 0..<600 {
            let kind = Schema.kubernetes.kinds[round % Schema.kubernetes.kinds.count]
            random.mistakes = round % 3 == 0 ? 0.05 : 0
            let json = random.object(of: kind, &chance)
            guard let first = try? ObjectDecoder.decode(json, as: kind, of: .kubernetes, fieldValidation: .warn) else {
                continue
            }
            taken += 1
            let second = try ObjectDecoder.decode(first.json, as: kind, of: .kubernetes, fieldValidation: .strict)
            #expect(second.json == first.json, "\(kind.id) \(chance) round \(round)")
        }
        #expect(taken > 350, "\(taken) taken")
    }
}
