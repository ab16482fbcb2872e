import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct ValidationTests {
    let deployment = kind("apps/v1", "Deployment")

    @Test func `ordinary objects are valid`() throws {
        let template: JSONValue = [
            "metadata": ["labels": ["app": "web"]], "spec": ["containers": [["name": "c", "image": "nginx:1"]]],
        ]
        let selector: JSONValue = ["matchLabels": ["app": "web"]]
        for name in ["Deployment", "ReplicaSet", "DaemonSet"] {
            #expect(try causes(kind("apps/v1", name), ["spec": ["selector": selector, "template": template]]).isEmpty)
        }
        let claims: JSONValue = [
            [
                "metadata": ["name": "d"],
                "spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]],
            ]
        ]
        var mounting = template
        mounting["spec"]!["containers"] = [
            ["name": "c", "image": "i", "volumeMounts": [["name": "d", "mountPath": "/d"]]]
        ]
        #expect(
            try causes(
                kind("apps/v1", "StatefulSet"),
                [
                    "spec": [
                        "selector": selector, "template": mounting, "volumeClaimTemplates": claims, "serviceName": "s",
                    ]
                ]
            ).isEmpty)
        var once = template
        once["spec"]!["restartPolicy"] = "Never"
        #expect(try causes(kind("batch/v1", "Job"), ["spec": ["template": once]]).isEmpty)
        #expect(
            try causes(
                kind("batch/v1", "CronJob"),
                ["spec": ["schedule": "*/5 * * * *", "jobTemplate": ["spec": ["template": once]]]]
            ).isEmpty)
        #expect(try causes(kind("v1", "Service"), ["spec": ["selector": ["a": "b"], "ports": [["port": 80]]]]).isEmpty)
        #expect(try causes(kind("v1", "Service"), ["spec": ["clusterIP": "None"]]).isEmpty)
        #expect(
            try causes(
                kind("networking.k8s.io/v1", "Ingress"),
                [
                    "spec": [
                        "rules": [
                            [
                                "host": "*.a.b",
                                "http": [
                                    "paths": [
                                        [
                                            "path": "/", "pathType": "Prefix",
                                            "backend": ["service": ["name": "s", "port": ["number": 80]]],
                                        ]
                                    ]
                                ],
                            ]
                        ]
                    ]
                ]
            ).isEmpty)
        #expect(
            try causes(
                kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
                [
                    "roleRef": ["kind": "Role", "name": "r"],
                    "subjects": [["kind": "ServiceAccount", "name": "s", "namespace": "d"]],
                ]
            ).isEmpty)
        #expect(
            try causes(kind("v1", "Secret"), ["type": "kubernetes.io/tls", "data": ["tls.crt": "", "tls.key": ""]])
                .isEmpty)
        #expect(try causes(kind("v1", "ConfigMap"), ["data": ["app.conf": "x"]]).isEmpty)
        #expect(
            try causes(
                kind("autoscaling/v2", "HorizontalPodAutoscaler"),
                ["spec": ["maxReplicas": 3, "scaleTargetRef": ["kind": "Deployment", "name": "web"]]]
            ).isEmpty)
        #expect(
            try causes(
                kind("policy/v1", "PodDisruptionBudget"), ["spec": ["minAvailable": "50%", "selector": selector]]
            ).isEmpty)
        #expect(
            try causes(
                kind("networking.k8s.io/v1", "NetworkPolicy"),
                [
                    "spec": [
                        "podSelector": [:],
                        "ingress": [
                            ["from": [["ipBlock": ["cidr": "10.0.0.0/8"]]], "ports": [["port": 80, "endPort": 90]]]
                        ],
                    ]
                ]
            ).isEmpty)
    }

    @Test func `names are checked as their kinds want it`() throws {
        let rule =
            #"metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of "#
            + #"lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character "#
            + #"(e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#
        #expect(try causes(kind("v1", "ConfigMap"), ["metadata": ["name": "Web"]]) == [rule])
        #expect(
            try causes(kind("v1", "Service"), ["metadata": ["name": "1a"], "spec": ["clusterIP": "None"]]).first?
                .contains("a DNS-1035 label") == true)
        #expect(
            try causes(kind("v1", "Namespace"), ["metadata": ["name": "a.b"]]).first
                == #"metadata.name: Invalid value: "a.b": must not contain dots"#)
        #expect(try causes(kind("rbac.authorization.k8s.io/v1", "Role"), ["metadata": ["name": "System:x"]]).isEmpty)
        let long = String(repeating: "a", count: 53)
        #expect(
            try causes(kind("batch/v1", "CronJob"), ["metadata": ["name": .string(long)]]).contains {
                $0.contains("must be no more than 52 characters")
            })
        #expect(
            Names.labelKey("example.com/app").isEmpty && Names.labelKey("a/b/c").count == 1
                && Names.labelKey("/x") == ["prefix part must be non-empty"])
        #expect(
            Names.labelValue("").isEmpty && Names.labelValue("-a").count == 1
                && Names.labelValue(String(repeating: "x", count: 64)).count == 1)
        #expect(
            Names.portName("http").isEmpty && Names.portName("8080") == ["must contain at least one letter (a-z)"]
                && Names.portName("a--b").count == 1)
    }

    @Test func `labels and annotations say the map and the value`() throws {
        let found = try causes(
            kind("v1", "ConfigMap"),
            ["metadata": ["labels": ["a b": "c", "d": "e f"], "annotations": ["UPPER/case": "x", "bad key": "y"]]])
        #expect(found.count == 3)
        #expect(
            found[0].hasPrefix(
                #"metadata.labels: Invalid value: "a b": name part must consist of alphanumeric "#
                    + #"characters, '-', '_' or '.', and must start and end with an alphanumeric character "#
                    + #"(e.g. 'MyName',  or 'my.name',  or '123-abc', regex"#
            ))
        #expect(found[1].hasPrefix(#"metadata.labels: Invalid value: "e f": a valid label must be an empty string"#))
        #expect(found[2].hasPrefix(#"metadata.annotations: Invalid value: "bad key": name part"#))
        let big = String(repeating: "x", count: 262_145)
        #expect(
            try causes(kind("v1", "ConfigMap"), ["metadata": ["annotations": ["a": .string(big)]]]) == [
                "metadata.annotations: Too long: may not be more than 262144 bytes"
            ])
    }

    @Test func `the message of an invalid object is the server's`() throws {
        let object = try prepared(deployment, ["metadata": ["name": "web"], "spec": [:]])
        let error = #expect(throws: InvalidObject.self) { try Validation(deployment, in: .kubernetes).checkNew(object) }
        #expect(
            error?.description
                == #"Deployment.apps "web" is invalid: [spec.selector: Required value, spec.template: Required value]"#)
        #expect(
            error?.details["causes"]?[0] == [
                "reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector",
            ])
        #expect(error?.details["group"] == "apps" && error?.details["kind"] == "Deployment")
    }

    @Test func `validation takes whatever decodes`() throws {
        var chance = SeededChance(seed: 41)
        var random = RandomObjects(schema: .kubernetes)
        for round in 0..<600 {
            let kind = Schema.kubernetes.kinds[round % Schema.kubernetes.kinds.count]
            var objects: [JSONValue] = []
            for _ in 0..<2 {
                var json = try ObjectDecoder.decode(
                    random.object(of: kind, &chance), as: kind, of: .kubernetes, fieldValidation: .strict
                ).json
                Defaulting.apply(to: &json, of: kind, in: .kubernetes)
                objects.append(json)
            }
            do throws(InvalidObject) { try Validation(kind, in: .kubernetes).checkNew(objects[0]) } catch {
                #expect(!error.description.isEmpty && error.causes.count <= Causes.limit)
            }
            do throws(InvalidObject) {
                try Validation(kind, in: .kubernetes).checkUpdate(objects[0], of: objects[1])
            } catch { #expect(!error.description.isEmpty) }
        }
    }
}
