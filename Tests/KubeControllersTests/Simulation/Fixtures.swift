import JSON
import KubeObjects

@testable import KubeControllers

/// Objects that tests begin with.
enum Fixture {
    static func template(_ labels: JSONValue = ["app": "web"], image: String = "one", restart: String? = nil)
        -> JSONValue
    {
        var template: JSONValue = [
            "metadata": ["labels": labels],
            "spec": ["containers": [["name": "main", "image": .string(image)]]],
        ]
        if let restart { template["spec", "restartPolicy"] = .string(restart) }
        return template
    }

    static func object(_ resource: Resource, _ name: String, _ spec: JSONValue) -> KubeObject {
        KubeObject(json: [
            "apiVersion": .string(resource.apiVersion), "kind": .string(resource.kind),
            "metadata": ["name": .string(name), "namespace": "default"], "spec": spec,
        ])
    }

    static func deployment(_ name: String = "web", replicas: Int64 = 3, _ more: JSONValue = [:]) -> KubeObject {
        var spec: JSONValue = [
            "replicas": .integer(replicas), "selector": ["matchLabels": ["app": "web"]], "template": template(),
        ]
        for member in more.object?.members ?? [] { spec[member.key] = member.value }
        return object(.deployments, name, spec)
    }

    static func replicaSet(_ name: String = "web", replicas: Int64 = 3, _ more: JSONValue = [:]) -> KubeObject {
        var set = deployment(name, replicas: replicas, more)
        set.kind = "ReplicaSet"
        return set
    }

    static func job(_ name: String = "work", _ more: JSONValue = [:]) -> KubeObject {
        var spec: JSONValue = ["template": template(["job": .string(name)], restart: "Never")]
        for member in more.object?.members ?? [] { spec[member.key] = member.value }
        return object(.jobs, name, spec)
    }
}
