import JSON
import Testing

@testable import KubeSchema

@Suite struct UpdateRulesTests {
    let pod = kind("v1", "Pod")
    let deployment = kind("apps/v1", "Deployment")

    @Test func `updates leave alone what cannot change`() throws {
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

    /// What is wrong with a change of a filled in object.
    private func update(_ kind: Kind, _ old: JSONValue, _ change: (inout JSONValue) -> Void) throws -> [String] {
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

    @Test func `a claim gets a volume once and keeps it`() throws {
        let claim = kind("v1", "PersistentVolumeClaim")
        var object: JSONValue = [
            "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]
        ]
        #expect(try update(claim, object) { $0["spec", "volumeName"] = "mine" }.isEmpty)
        object["spec", "volumeName"] = "mine"
        for name in ["other", nil] as [JSONValue?] {
            let causes = try update(claim, object) { $0["spec", "volumeName"] = name }
            #expect(causes.first?.hasPrefix("spec: Forbidden: spec is immutable after creation") == true, "\(causes)")
        }
        #expect(try update(claim, object) { $0["metadata", "labels"] = ["a": "b"] }.isEmpty)
    }

    @Test func `where a volume is never changes`() throws {
        let volume = kind("v1", "PersistentVolume")
        let object: JSONValue = [
            "spec": [
                "capacity": ["storage": "1Gi"], "accessModes": ["ReadWriteOnce"], "hostPath": ["path": "/data"],
            ]
        ]
        let problem = "spec.persistentvolumesource: Forbidden: spec.persistentvolumesource is immutable after creation"
        #expect(try update(volume, object) { $0["spec", "hostPath", "path"] = "/etc" } == [problem])
        let affinity: JSONValue = [
            "required": [
                "nodeSelectorTerms": [
                    ["matchExpressions": [["key": "kubernetes.io/hostname", "operator": "In", "values": ["n"]]]]
                ]
            ]
        ]
        let causes = try update(volume, object) {
            $0["spec", "hostPath"] = nil
            $0["spec", "local"] = ["path": "/etc"]
            $0["spec", "nodeAffinity"] = affinity
        }
        #expect(causes.contains(problem), "\(causes)")
        #expect(
            try update(volume, object) { $0["spec", "volumeMode"] = "Block" }.contains(
                "volumeMode: Invalid value: \"Block\": field is immutable"))
        #expect(try update(volume, object) { $0["spec", "persistentVolumeReclaimPolicy"] = "Delete" }.isEmpty)
        #expect(try update(volume, object) { $0["spec", "nodeAffinity"] = affinity }.isEmpty)
        var placed = object
        placed["spec", "nodeAffinity"] = affinity
        let moved = try update(volume, placed) { $0["spec", "nodeAffinity"] = nil }
        #expect(moved.count == 1 && moved[0].hasPrefix("nodeAffinity: Invalid value: "), "\(moved)")
    }

    @Test func `scheduling gates of a pod are only taken away`() throws {
        let object: JSONValue = [
            "spec": [
                "containers": [["name": "c", "image": "i"]],
                "schedulingGates": [["name": "example.com/a"], ["name": "example.com/b"]],
            ]
        ]
        #expect(try update(pod, object) { $0["spec", "schedulingGates"] = [["name": "example.com/b"]] }.isEmpty)
        #expect(try update(pod, object) { $0["spec", "schedulingGates"] = nil }.isEmpty)
        #expect(
            try update(pod, object) { $0["spec", "schedulingGates"] = [["name": "example.com/c"]] } == [
                "spec.schedulingGates: Forbidden: only deletion is allowed, but found new scheduling gate 'example.com/c'"
            ])
    }
}
