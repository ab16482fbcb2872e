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
}
