import JSON
import Testing

@testable import KubeSchema

@Suite struct FieldManagerTests: WebDeployment {
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
                == "Apply failed with 3 conflicts: conflicts with \"a\":\n- .metadata.labels.app\n"
                + "- .spec.replicas\nconflicts with \"b\":\n- .spec.minReadySeconds"
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

    @Test func `atomic lists are owned as a whole, sets by their values`() throws {
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
}
