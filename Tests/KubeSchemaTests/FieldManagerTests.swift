import JSON
import TestKit
import Testing

@testable import KubeSchema

/// An object with its managers, to which things are done one after the other.
private struct Story {
    let kind: Kind
    var object: JSONValue = [:]
    var managed = ManagedFields()
    var clock = 0

    mutating func apply(_ name: String, _ config: JSONValue, force: Bool = false) throws(ApplyFailure) {
        clock += 1
        let result = try FieldManager(kind, in: .kubernetes).apply(
            config, to: object, managed, by: name, force: force,
            at: "2026-01-01T00:00:\(clock < 10 ? "0" : "")\(clock)Z")
        object = result.object
        managed = result.managed
    }

    mutating func update(_ name: String, _ change: (inout JSONValue) -> Void) throws(ApplyFailure) {
        clock += 1
        var new = object
        change(&new)
        managed = try FieldManager(kind, in: .kubernetes).updated(
            from: object, to: new, managed, by: name, at: "2026-01-01T00:00:\(clock < 10 ? "0" : "")\(clock)Z")
        object = new
    }

    func failure(_ name: String, _ config: JSONValue) -> ApplyFailure? {
        var copy = self
        do throws(ApplyFailure) {
            try copy.apply(name, config)
            return nil
        } catch {
            return error
        }
    }

    func owned(by name: String) -> [String] {
        managed.entries.filter { $0.key.name == name }.flatMap { $0.value.fields.paths }.sorted()
    }
}

@Suite struct FieldManagerTests {
    private func deployment() -> Story { Story(kind: kind("apps/v1", "Deployment")) }

    let web: JSONValue = [
        "metadata": ["name": "web", "labels": ["app": "web"]],
        "spec": ["replicas": 3, "template": ["spec": ["containers": [["name": "nginx", "image": "nginx:1"]]]]],
    ]

    func web(_ change: (inout JSONValue) -> Void) -> JSONValue {
        var json = web
        change(&json)
        return json
    }

    @Test func `an applier owns what it names`() throws {
        var story = deployment()
        try story.apply("kubectl", web)
        #expect(
            story.owned(by: "kubectl") == [
                ".metadata.labels.app", ".spec.replicas", #".spec.template.spec.containers[name="nginx"]"#,
                #".spec.template.spec.containers[name="nginx"].image"#,
                #".spec.template.spec.containers[name="nginx"].name"#,
            ])
        let entry = story.managed.json[0]
        #expect(
            entry?["operation"] == "Apply" && entry?["apiVersion"] == "apps/v1" && entry?["fieldsType"] == "FieldsV1")
        #expect(
            entry?["fieldsV1"]?["f:spec"]?["f:template"]?["f:spec"]?["f:containers"]?[#"k:{"name":"nginx"}"#] == [
                ".": [:], "f:image": [:], "f:name": [:],
            ])
    }

    // KEP-555, and "Server-Side Apply" of the documentation: an autoscaler takes the replicas over.
    @Test func `fields of others are conflicts`() throws {
        var story = deployment()
        try story.apply("kubectl", web)
        try story.update("autoscaler") { $0["spec", "replicas"] = 5 }
        #expect(
            !story.owned(by: "kubectl").contains(".spec.replicas")
                && story.owned(by: "autoscaler") == [".spec.replicas"])
        let failure = story.failure("kubectl", web)
        #expect(
            failure?.description
                == #"Apply failed with 1 conflict: conflict with "autoscaler" using apps/v1 at 2026-01-01T00:00:02Z: .spec.replicas"#
        )
        #expect(
            failure?.causes == [
                [
                    "reason": "FieldManagerConflict",
                    "message": #"conflict with "autoscaler" using apps/v1 at 2026-01-01T00:00:02Z"#,
                    "field": ".spec.replicas",
                ]
            ])
        #expect(story.object["spec"]?["replicas"] == 5)
        // Not naming the field any longer leaves it to the other.
        var given = story
        try given.apply("kubectl", web { $0["spec", "replicas"] = nil })
        #expect(given.object["spec"]?["replicas"] == 5 && given.owned(by: "autoscaler") == [".spec.replicas"])
        // Naming the same value shares it.
        var shared = story
        try shared.apply("kubectl", web { $0["spec", "replicas"] = 5 })
        #expect(
            shared.owned(by: "kubectl").contains(".spec.replicas")
                && shared.owned(by: "autoscaler") == [".spec.replicas"])
        // Force takes it.
        try story.apply("kubectl", web, force: true)
        #expect(story.object["spec"]?["replicas"] == 3 && story.owned(by: "autoscaler").isEmpty)
    }

    @Test func `several conflicts are listed by manager`() throws {
        var story = deployment()
        try story.apply("a", web)
        try story.apply("b", ["metadata": ["name": "web"], "spec": ["minReadySeconds": 1]])
        let failure = story.failure(
            "c",
            web {
                $0["spec", "replicas"] = 1
                $0["spec", "minReadySeconds"] = 2
                $0["metadata", "labels", "app"] = "x"
            })
        #expect(
            failure?.description
                == "Apply failed with 3 conflicts: conflicts with \"a\":\n- .metadata.labels.app\n- .spec.replicas\nconflicts with \"b\":\n- .spec.minReadySeconds"
        )
    }

    @Test func `a field that is no longer applied goes, unless another owns it`() throws {
        var story = deployment()
        try story.apply(
            "a",
            web {
                $0["spec", "paused"] = true
                $0["metadata", "labels", "tier"] = "front"
            })
        try story.apply("b", ["metadata": ["name": "web", "labels": ["tier": "front"]]])
        try story.apply("a", web)
        #expect(story.object["spec"]?["paused"] == nil, "it was a's alone")
        #expect(story.object["metadata"]?["labels"] == ["app": "web", "tier": "front"], "tier is b's too")
        try story.apply("b", ["metadata": ["name": "web"]])
        #expect(story.object["metadata"]?["labels"] == ["app": "web"])
        #expect(story.managed.entries.count == 1)
    }

    @Test func `elements of lists are owned one by one`() throws {
        var story = deployment()
        try story.apply("a", web)
        let sidecar: JSONValue = [
            "metadata": ["name": "web"],
            "spec": [
                "template": [
                    "spec": [
                        "containers": [
                            [
                                "name": "log", "image": "log:1",
                                "ports": [["containerPort": 80], ["containerPort": 80, "protocol": "UDP"]],
                            ]
                        ]
                    ]
                ]
            ],
        ]
        try story.apply("b", sidecar)
        let names: (JSONValue) -> [String] = {
            ($0["spec"]?["template"]?["spec"]?["containers"]?.array ?? []).compactMap { $0["name"]?.string }
        }
        #expect(names(story.object) == ["nginx", "log"])
        #expect(
            story.owned(by: "b").contains(
                #".spec.template.spec.containers[name="log"].ports[containerPort=80,protocol="TCP"]"#),
            "the default of a key counts")
        try story.apply(
            "a",
            [
                "metadata": ["name": "web"],
                "spec": ["template": ["spec": ["containers": [["name": "new", "image": "n"]]]]],
            ])
        #expect(names(story.object) == ["new", "log"] || names(story.object) == ["log", "new"])
        try story.apply("b", ["metadata": ["name": "web"]])
        #expect(names(story.object) == ["new"])
        #expect(
            story.failure("c", ["spec": ["template": ["spec": ["containers": [["name": "x"], ["name": "x"]]]]]])?
                .description.hasSuffix(#".spec.template.spec.containers: duplicate entries for key [name="x"]"#) == true
        )
        #expect(
            story.failure("c", ["spec": ["template": ["spec": ["containers": [["image": "x"]]]]]])?.description
                .contains(#"element 0: associative list with keys has an element that omits key field "name""#) == true)
    }

    @Test func `atomic lists and sets`() throws {
        var story = Story(kind: kind("v1", "Pod"))
        try story.apply(
            "a",
            ["metadata": ["finalizers": ["x", "y"]], "spec": ["tolerations": [["key": "k", "operator": "Exists"]]]])
        try story.apply("b", ["metadata": ["finalizers": ["y", "z"]]])
        #expect(story.object["metadata"]?["finalizers"]?.array.map(Set.init) == ["x", "y", "z"])
        #expect(
            story.owned(by: "a") == [
                #".metadata.finalizers[="x"]"#, #".metadata.finalizers[="y"]"#, ".spec.tolerations",
            ])
        #expect(
            story.failure("b", ["spec": ["tolerations": []]])?.description
                == #"Apply failed with 1 conflict: conflict with "a": .spec.tolerations"#)
        try story.apply("a", [:])
        #expect(
            story.object["metadata"]?["finalizers"] == ["y", "z"]
                || story.object["metadata"]?["finalizers"] == ["z", "y"])
        #expect(story.object["spec"] == nil && story.owned(by: "a").isEmpty)
    }

    @Test func `what was there before the first apply belongs to nobody who applies`() throws {
        var story = deployment()
        story.object = web
        let failure = story.failure("kubectl", web { $0["spec", "replicas"] = 1 })
        #expect(
            failure?.description.hasPrefix(
                #"Apply failed with 1 conflict: conflict with "before-first-apply" using apps/v1 at"#) == true)
        try story.apply("kubectl", web { $0["spec", "replicas"] = 1 }, force: true)
        #expect(
            story.object["spec"]?["replicas"] == 1
                && story.owned(by: "before-first-apply").contains(".metadata.labels.app"))
    }

    @Test func `updates own what they change, and lose what others remove`() throws {
        var story = deployment()
        try story.update("a") { $0 = self.web }
        #expect(story.owned(by: "a").contains(".spec.replicas") && story.owned(by: "a").contains(".metadata.labels"))
        try story.update("b") {
            $0["metadata", "labels", "x"] = "y"
            $0["spec", "replicas"] = nil
        }
        #expect(story.owned(by: "b") == [".metadata.labels.x"] && !story.owned(by: "a").contains(".spec.replicas"))
        let before = story.managed
        try story.update("a") { _ in }
        #expect(story.managed == before, "an update that changes nothing leaves the times")
    }

    @Test func `a status is owned through its own door`() throws {
        let object: JSONValue = ["spec": ["replicas": 1], "status": ["replicas": 1]]
        let main = FieldManager(kind("apps/v1", "Deployment"), in: .kubernetes, ignoring: [["status"]])
        #expect(
            try main.updated(from: [:], to: object, ManagedFields(), by: "m", at: nil).entries.values.first?.fields
                .paths == [".spec.replicas"])
        let door = FieldManager(kind("apps/v1", "Deployment"), in: .kubernetes, ignoring: [["spec"]])
        let managed = try door.updated(from: [:], to: object, ManagedFields(), by: "m", subresource: "status", at: nil)
        #expect(
            managed.entries.values.first?.fields.paths == [".status.replicas"]
                && managed.json[0]?["subresource"] == "status")
    }

    @Test func `managed fields read back in their order`() throws {
        var story = deployment()
        for round in 0..<14 { try story.update("m\(round)") { $0["metadata", "labels", "l\(round)"] = "x" } }
        try story.apply("z", ["spec": ["replicas": 1]])
        #expect(story.managed.entries.keys.filter { $0.operation == .update }.count == ManagedFields.updateLimit)
        #expect(
            story.owned(by: "ancient-changes").contains(".metadata.labels.l0")
                && story.owned(by: "ancient-changes").contains(".metadata.labels.l4"))
        #expect(story.managed.json[0]?["operation"] == "Apply")
        #expect(try ManagedFields(story.managed.json) == story.managed)
        for wrong: JSONValue in [[["operation": "Patch"]], [["operation": "Apply", "fieldsType": "V2"]]] {
            #expect(throws: FieldsV1Error.self) { try ManagedFields(wrong) }
        }
    }

    @Test func `applying again changes nothing`() throws {
        var story = deployment()
        try story.apply("kubectl", web)
        let (object, managed) = (story.object, story.managed)
        try story.apply("kubectl", web)
        #expect(story.object == object && story.managed == managed)
        #expect(
            story.failure("kubectl", ["metadata": ["managedFields": []]])?.description
                == "metadata.managedFields must be nil")
    }

    @Test func `whatever decodes can be applied`() throws {
        var chance = SeededChance(seed: 91)
        let random = RandomObjects(schema: .kubernetes)
        var (applied, taken) = (0, 0)
        for round in 0..<500 {
            let kind = Schema.kubernetes.kinds[round % Schema.kubernetes.kinds.count]
            var story = Story(kind: kind)
            var copy = random
            let configs = (0..<3).map { _ in copy.object(of: kind, &chance) }
            for (index, config) in configs.enumerated() {
                let name = index == 1 ? "b" : "a"
                let live = story.object
                do throws(ApplyFailure) {
                    try story.apply(name, config)
                } catch {
                    #expect(story.object == live && !error.description.isEmpty)
                    try? story.apply(name, config, force: true)
                    taken += 1
                    continue
                }
                // Empty lists are owned by nobody: then the live object counts as never applied.
                guard !story.managed.entries.isEmpty else { continue }
                applied += 1
                let managed = story.managed
                let object = story.object
                try story.apply(name, config)
                #expect(
                    story.object == object && story.managed == managed,
                    "applied again: \(kind.id) \(chance) round \(round)")
                // Everything that was applied is there, with its value.
                let set = try FieldSet(of: config, kind.type, in: .kubernetes)
                #expect(
                    set.subtracting(try FieldSet(of: object, kind.type, in: .kubernetes).withNamedParents()).paths
                        .filter { !$0.isEmpty } == [], "\(kind.id) \(chance) round \(round)")
            }
        }
        #expect(applied > 300, "\(applied) applied, \(taken) forced")
    }
}
