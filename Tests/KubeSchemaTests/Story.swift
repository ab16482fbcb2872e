import JSON

@testable import KubeSchema

/// An object with its managers, to which things are done one after the other.
struct Story {
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

/// What suites tell their stories about: a deployment called web.
protocol WebDeployment {}

extension WebDeployment {
    func deployment() -> Story { Story(kind: kind("apps/v1", "Deployment")) }

    var web: JSONValue {
        [
            "metadata": ["name": "web", "labels": ["app": "web"]],
            "spec": ["replicas": 3, "template": ["spec": ["containers": [["name": "nginx", "image": "nginx:1"]]]]],
        ]
    }

    func web(_ change: (inout JSONValue) -> Void) -> JSONValue {
        var json = web
        change(&json)
        return json
    }
}
