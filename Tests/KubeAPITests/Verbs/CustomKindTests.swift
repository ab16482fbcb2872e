import JSON
import KubeObjects
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

private let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
private let tabs = "/apis/example.com/v1/namespaces/default/crontabs"

@Suite(.timeLimit(.minutes(2)))
struct CustomKindTests {
    private static let definition: JSONValue = [
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": ["name": "crontabs.example.com"],
        "spec": [
            "group": "example.com", "scope": "Namespaced",
            "names": ["plural": "crontabs", "singular": "crontab", "kind": "CronTab", "shortNames": ["ct"]],
            "versions": [version("v1", isStored: true), version("v2", isStored: false)],
        ],
    ]

    private static func version(_ name: String, isStored: Bool) -> JSONValue {
        [
            "name": .string(name), "served": true, "storage": .bool(isStored),
            "schema": [
                "openAPIV3Schema": [
                    "type": "object",
                    "properties": [
                        "spec": [
                            "type": "object",
                            "properties": [
                                "replicas": ["type": "integer", "minimum": 0, "default": 1], "cron": ["type": "string"],
                            ],
                        ],
                        "status": ["type": "object", "properties": ["replicas": ["type": "integer"]]],
                    ],
                ]
            ],
            "subresources": [
                "status": [:],
                "scale": ["specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"],
            ],
        ]
    }

    private static func tab(_ name: String, _ spec: JSONValue = ["cron": "x"]) -> JSONValue {
        ["apiVersion": "example.com/v1", "kind": "CronTab", "metadata": ["name": .string(name)], "spec": spec]
    }

    @Test func `a kind is served when its definition is made`() async throws {
        let door = try await Door()
        let made = await door.send("POST", definitions, Self.definition)
        #expect(made.status == 201, "\(made.text)")
        let tab = await door.send("POST", tabs, Self.tab("a"))
        #expect(tab.status == 201, "\(tab.text)")
        #expect(tab.json["spec", "replicas"] == 1)
        #expect(tab.json["metadata", "generation"] == 1)
        let wrong = await door.send("POST", tabs, Self.tab("b", ["replicas": -1]))
        #expect(wrong.status == 422)
        let list = await door.send("GET", tabs)
        #expect(list.json["kind"] == "CronTabList")
        let other = await door.send("GET", "/apis/example.com/v2/namespaces/default/crontabs/a")
        #expect(other.json["apiVersion"] == "example.com/v2")
        let patched = await door.send(
            "PATCH", "/apis/example.com/v2/namespaces/default/crontabs/a", "{\"spec\":{\"cron\":\"y\"}}",
            type: "application/merge-patch+json")
        #expect(patched.json["spec", "cron"] == "y", "\(patched.text)")
        let scaled = await door.send(
            "PATCH", tabs + "/a/scale", "{\"spec\":{\"replicas\":3}}", type: "application/merge-patch+json")
        #expect(scaled.json["spec", "replicas"] == 3, "\(scaled.text)")
        var status = await door.send("GET", tabs + "/a").json
        #expect(status["metadata", "generation"] == 3)
        status["status"] = ["replicas": 2]
        status["spec"] = [:]
        let written = await door.send("PUT", tabs + "/a/status", status)
        #expect(written.json["status", "replicas"] == 2 && written.json["spec", "replicas"] == 3, "\(written.text)")
        await door.close()
    }

    @Test func `a definition goes when its objects have gone`() async throws {
        let door = try await Door()
        _ = await door.send("POST", definitions, Self.definition)
        _ = await door.send("POST", tabs, Self.tab("a"))
        var held = Self.tab("held")
        held["metadata", "finalizers"] = ["example.com/hold"]
        _ = await door.send("POST", tabs, held)
        _ = await door.send("DELETE", definitions + "/crontabs.example.com")
        #expect(await door.send("GET", definitions + "/crontabs.example.com").status == 200)
        #expect(await door.send("GET", tabs + "/a").status == 404)
        let late = await door.send("POST", tabs, Self.tab("late"))
        #expect(late.status == 405)
        #expect(late.message == "create not allowed while custom resource definition is terminating")
        _ = await door.send(
            "PATCH", tabs + "/held", "{\"metadata\":{\"finalizers\":null}}", type: "application/merge-patch+json")
        try await eventually("the definition goes") {
            await door.send("GET", definitions + "/crontabs.example.com").status == 404
        }
        try await eventually("the kind goes") { await door.send("GET", tabs).status == 404 }
        await door.close()
    }

    private func patch(_ door: Door, _ path: String, _ body: JSONValue, _ manager: String = "m") async -> Door.Answer {
        await door.send("PATCH", path + "?fieldManager=" + manager, body, type: "application/apply-patch+yaml")
    }

    @Test func `what a definition may not change stays`() async throws {
        let door = try await Door()
        _ = await door.send("POST", definitions, Self.definition)
        let path = definitions + "/crontabs.example.com"
        func change(_ edit: (inout JSONValue) -> Void) async -> Door.Answer {
            var definition = await door.send("GET", path).json
            edit(&definition)
            return await door.send("PUT", path, definition)
        }
        let scope = await change { $0["spec", "scope"] = "Cluster" }
        #expect(
            scope.message
                == "CustomResourceDefinition.apiextensions.k8s.io \"crontabs.example.com\" is invalid: spec.scope: Invalid value: "
                + "\"Cluster\": field is immutable", "\(scope.text)")
        let kind = await change { $0["spec", "names", "kind"] = "Other" }
        #expect(kind.message.contains("spec.names.kind: Invalid value: \"Other\": field is immutable"), "\(kind.text)")
        // Another version is stored from now on; the first one stays, for objects are stored in it.
        let moved = await change { definition in
            definition["spec", "versions"] = [Self.version("v1", isStored: false), Self.version("v2", isStored: true)]
        }
        #expect(moved.status == 200, "\(moved.text)")
        #expect(await door.send("GET", path).json["status", "storedVersions"] == ["v1", "v2"])
        let lost = await change { $0["spec", "versions"] = [Self.version("v2", isStored: true)] }
        #expect(
            lost.message.contains(
                "status.storedVersions[0]: Invalid value: \"v1\": missing from spec.versions; v1 was previously a storage "
                    + "version, and must remain in spec.versions until a storage migration ensures no data remains persisted in "
                    + "v1 and removes v1 from status.storedVersions"), "\(lost.text)")
        let none = await change { $0["spec", "versions"] = [Self.version("v1", isStored: false)] }
        #expect(none.message.contains("must have exactly one version marked as storage version"), "\(none.text)")
        // The migration has been done.
        let status = await door.send(
            "PATCH", path + "/status", "{\"status\":{\"storedVersions\":[\"v2\"]}}",
            type: "application/merge-patch+json")
        #expect(status.status == 200, "\(status.text)")
        let dropped = await change { $0["spec", "versions"] = [Self.version("v2", isStored: true)] }
        #expect(dropped.status == 200, "\(dropped.text)")
        await door.close()
    }

    @Test func `objects are found by the fields that their definition names`() async throws {
        let door = try await Door()
        var definition = Self.definition
        var first = Self.version("v1", isStored: true)
        first["selectableFields"] = [["jsonPath": ".spec.cron"], ["jsonPath": ".spec.replicas"]]
        definition["spec", "versions"] = [first, Self.version("v2", isStored: false)]
        #expect(await door.send("POST", definitions, definition).status == 201)
        _ = await door.send("POST", tabs, Self.tab("a", ["cron": "x"]))
        _ = await door.send("POST", tabs, Self.tab("b", ["cron": "y", "replicas": 2]))
        func names(_ selector: String) async -> [String] {
            let list = await door.send("GET", tabs + "?fieldSelector=" + selector).json["items"]?.array ?? []
            return list.compactMap { $0["metadata", "name"]?.string }
        }
        #expect(await names("spec.cron%3Dx") == ["a"])
        #expect(await names("spec.replicas%3D2") == ["b"])
        #expect(await names("spec.cron!%3Dx,metadata.namespace%3Ddefault") == ["b"])
        let unknown = await door.send("GET", tabs + "?fieldSelector=spec.other%3Dx")
        #expect(unknown.status == 400 && unknown.message == "field label not supported: spec.other", "\(unknown.text)")
        let other = await door.send(
            "GET", "/apis/example.com/v2/namespaces/default/crontabs?fieldSelector=spec.cron%3Dx")
        #expect(other.message == "field label not supported: spec.cron")
        await door.close()
    }

    @Test func `a scale and a status are applied, and have owners of their own`() async throws {
        let door = try await Door()
        _ = await door.send("POST", definitions, Self.definition)
        let made = await patch(door, tabs + "/a", Self.tab("a", ["cron": "x", "replicas": 1]))
        #expect(made.status == 201, "\(made.text)")
        let scale: JSONValue = [
            "apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": ["name": "a"], "spec": ["replicas": 4],
        ]
        let refused = await patch(door, tabs + "/a/scale", scale, "scaler")
        #expect(refused.status == 409 && refused.message.contains("conflict with \"m\""), "\(refused.text)")
        let forced = await door.send(
            "PATCH", tabs + "/a/scale?fieldManager=scaler&force=true", scale, type: "application/apply-patch+yaml")
        #expect(forced.json["spec", "replicas"] == 4 && forced.json["kind"] == "Scale", "\(forced.text)")
        let status = await patch(
            door, tabs + "/a/status",
            ["apiVersion": "example.com/v1", "kind": "CronTab", "metadata": ["name": "a"], "status": ["replicas": 3]],
            "s")
        #expect(status.json["status", "replicas"] == 3 && status.json["spec", "replicas"] == 4, "\(status.text)")
        let object = await door.send("GET", tabs + "/a").json
        let managers = (object["metadata", "managedFields"]?.array ?? []).map { entry in
            [entry["manager"]?.string ?? "", entry["operation"]?.string ?? "", entry["subresource"]?.string ?? ""]
        }
        #expect(managers.contains(["scaler", "Apply", "scale"]), "\(managers)")
        #expect(managers.contains(["s", "Apply", "status"]), "\(managers)")
        #expect(object["spec", "replicas"] == 4)
        // Of the main resource it is no more the first one's.
        let again = await patch(door, tabs + "/a", Self.tab("a", ["cron": "z", "replicas": 1]))
        #expect(
            again.status == 409 && again.message.contains("conflict with \"scaler\" with subresource \"scale\""),
            "\(again.text)")
        await door.close()
    }
}
