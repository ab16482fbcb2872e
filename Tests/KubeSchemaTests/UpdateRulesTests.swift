import JSON
import Testing

@testable import KubeSchema

@Suite struct UpdateRulesTests {
    let pod = kind("v1", "Pod")
    let deployment = kind("apps/v1", "Deployment")

    @Test func `updates leave alone what cannot change`() throws {
        func update(_ kind: Kind, _ old: JSONValue, _ change: (inout JSONValue) -> Void) throws -> [String] {
            var before = try prepared(kind, old)
            before["metadata"]!["resourceVersion"] = "1"
            var after = before
            change(&after)
            do throws(InvalidObject) {
                try Validation(kind, in: .kubernetes).checkUpdate(after, of: before)
                return []
            } catch {
                return error.causes.map(\.description)
            }
        }
        let template: JSONValue = [
            "metadata": ["labels": ["a": "b", "c": "d"]], "spec": ["containers": [["name": "c", "image": "i"]]],
        ]
        let web: JSONValue = ["spec": ["selector": ["matchLabels": ["a": "b"]], "template": template]]
        #expect(try update(deployment, web) { $0["spec", "replicas"] = 3 }.isEmpty)
        #expect(
            try update(deployment, web) { $0["spec", "selector"] = ["matchLabels": ["c": "d"]] } == [
                #"spec.selector: Invalid value: {"matchLabels":{"c":"d"}}: field is immutable"#
            ])
        #expect(
            try update(kind("apps/v1", "StatefulSet"), web) { $0["spec", "serviceName"] = "s" }.first?.hasPrefix(
                "spec: Forbidden: updates to statefulset spec for fields other than 'replicas'") == true)
        let podObject: JSONValue = ["spec": template["spec"]!]
        #expect(
            try update(pod, podObject) { $0["spec", "containers"] = .array([["name": "c", "image": "j"]]) }.first?
                .hasPrefix("spec: Forbidden: pod updates may not change fields other than") == true)
        #expect(
            try update(pod, podObject) { object in
                object["spec"]!.update("containers") { $0.updateElements { $0["image"] = "j" } }
            }.isEmpty)
        #expect(
            try update(kind("v1", "Service"), ["spec": ["clusterIP": "10.0.0.1", "ports": [["port": 1]]]]) {
                $0["spec", "clusterIP"] = "10.0.0.2"
            } == [#"spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set"#])
        #expect(
            try update(kind("v1", "ConfigMap"), ["immutable": true, "data": ["a": "b"]]) { $0["data", "a"] = "c" } == [
                "data: Forbidden: field is immutable when `immutable` is set"
            ])
        #expect(
            try update(kind("v1", "Secret"), [:]) { $0["type"] = "other" } == [
                #"type: Invalid value: "other": field is immutable"#
            ])
        #expect(
            try update(kind("v1", "ConfigMap"), [:]) { $0["metadata", "name"] = "other" } == [
                #"metadata.name: Invalid value: "other": field is immutable"#
            ])
        #expect(
            try update(kind("v1", "ConfigMap"), [:]) { $0["metadata", "resourceVersion"] = nil } == [
                #"metadata.resourceVersion: Invalid value: "": must be specified for an update"#
            ])
    }
}
