import JSON
import TestKit
import Testing

@testable import KubeSchema

/// A manifest as it reaches validation: decoded and filled in.
func prepared(_ kind: Kind, _ json: JSONValue) throws -> JSONValue {
    var json = json
    if kind.isNamespaced, json["metadata"]?["namespace"] == nil {
        json["metadata", default: [:]]["namespace"] = "default"
    }
    if json["metadata"]?["name"] == nil { json["metadata", default: [:]]["name"] = "n" }
    var object = try ObjectDecoder.decode(json, as: kind, of: .kubernetes, fieldValidation: .strict).json
    Defaulting.apply(to: &object, of: kind, in: .kubernetes)
    return object
}

/// What is wrong with a manifest, as "path: message".
func causes(_ kind: Kind, _ json: JSONValue) throws -> [String] {
    let object = try prepared(kind, json)
    do throws(InvalidObject) {
        try Validation(kind, in: .kubernetes).checkNew(object)
        return []
    } catch {
        return error.causes.map(\.description)
    }
}

@Suite struct ValidationTests {
    let pod = kind("v1", "Pod")
    let deployment = kind("apps/v1", "Deployment")

    func podCauses(_ spec: JSONValue) throws -> [String] { try causes(pod, ["spec": spec]) }

    func containerCauses(_ container: JSONValue) throws -> [String] {
        var container = container
        container.fill("name", "c")
        container.fill("image", "i")
        return try podCauses(["containers": [container], "volumes": [["name": "v"]]])
    }

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
            #"metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"#
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
                #"metadata.labels: Invalid value: "a b": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex"#
            ))
        #expect(found[1].hasPrefix(#"metadata.labels: Invalid value: "e f": a valid label must be an empty string"#))
        #expect(found[2].hasPrefix(#"metadata.annotations: Invalid value: "bad key": name part"#))
        let big = String(repeating: "x", count: 262_145)
        #expect(
            try causes(kind("v1", "ConfigMap"), ["metadata": ["annotations": ["a": .string(big)]]]) == [
                "metadata.annotations: Too long: may not be more than 262144 bytes"
            ])
    }

    @Test func `containers`() throws {
        #expect(try podCauses([:]) == ["spec.containers: Required value"])
        #expect(
            try podCauses(["containers": [["name": "a"], ["name": "a", "image": "i"]]]) == [
                "spec.containers[0].image: Required value", #"spec.containers[1].name: Duplicate value: "a""#,
            ])
        #expect(
            try containerCauses(["image": " i"]) == [
                #"spec.containers[0].image: Invalid value: " i": must not have leading or trailing whitespace"#
            ])
        #expect(
            try containerCauses(["imagePullPolicy": "Sometimes"]) == [
                #"spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never""#
            ])
        #expect(
            try containerCauses([
                "ports": [["containerPort": 70000], ["name": "HTTP", "containerPort": 1, "protocol": "X"]]
            ]) == [
                #"spec.containers[0].ports[1].protocol: Unsupported value: "X": supported values: "SCTP", "TCP", "UDP""#,
                "spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive",
                #"spec.containers[0].ports[1].name: Invalid value: "HTTP": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"#,
                #"spec.containers[0].ports[1].name: Invalid value: "HTTP": must contain at least one letter (a-z)"#,
            ])
        #expect(
            try containerCauses([
                "env": [
                    ["name": ""],
                    ["name": "A=", "value": "x", "valueFrom": ["secretKeyRef": ["name": "s", "key": "k"]]],
                ]
            ]) == [
                "spec.containers[0].env[0].name: Required value",
                #"spec.containers[0].env[1].name: Invalid value: "A=": a valid environment variable name must consist only of printable ASCII characters other than '='"#,
                #"spec.containers[0].env[1].valueFrom: Invalid value: "": may not be specified when `value` is not empty"#,
            ])
        #expect(
            try containerCauses([
                "resources": ["limits": ["cpu": "1", "gold": "1"], "requests": ["cpu": "2", "memory": "-1"]]
            ]) == [
                #"spec.containers[0].resources.limits[gold]: Invalid value: "gold": must be a standard resource type or fully qualified"#,
                #"spec.containers[0].resources.limits[gold]: Invalid value: "gold": must be a standard resource for containers"#,
                #"spec.containers[0].resources.requests: Invalid value: "2": must be less than or equal to cpu limit of 1"#,
                #"spec.containers[0].resources.requests[memory]: Invalid value: "-1": must be greater than or equal to 0"#,
                #"spec.containers[0].resources.requests[gold]: Invalid value: "gold": must be a standard resource type or fully qualified"#,
                #"spec.containers[0].resources.requests[gold]: Invalid value: "gold": must be a standard resource for containers"#,
            ])
    }

    @Test func `volumes, mounts and probes`() throws {
        #expect(
            try containerCauses([
                "volumeMounts": [
                    ["name": "x", "mountPath": "/a"], ["name": "v", "mountPath": "/a", "subPath": "../b"],
                ]
            ]) == [
                #"spec.containers[0].volumeMounts[0].name: Not found: "x""#,
                #"spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique"#,
                #"spec.containers[0].volumeMounts[1].subPath: Invalid value: "../b": must not contain '..'"#,
            ])
        #expect(
            try containerCauses([
                "livenessProbe": ["periodSeconds": -1, "successThreshold": 2],
                "readinessProbe": ["exec": [:], "tcpSocket": ["port": "http"]],
            ]) == [
                "spec.containers[0].livenessProbe: Required value: must specify a handler type",
                "spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0",
                "spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1",
                "spec.containers[0].readinessProbe.tcpSocket: Forbidden: may not specify more than 1 handler type",
                "spec.containers[0].readinessProbe.exec.command: Required value",
            ])
        let volumes: JSONValue = [
            ["name": "a", "configMap": [:]], ["name": "a", "hostPath": ["path": "/x/../y"], "emptyDir": [:]],
            ["name": "P", "secret": ["secretName": "s", "defaultMode": 512]],
        ]
        #expect(
            try podCauses(["containers": [["name": "c", "image": "i"]], "volumes": volumes]).map {
                String($0.prefix(75))
            }
                == [
                    "spec.volumes[0].configMap.name: Required value", #"spec.volumes[1].name: Duplicate value: "a""#,
                    "spec.volumes[1].emptyDir: Forbidden: may not specify more than 1 volume type",
                    #"spec.volumes[1].hostPath.path: Invalid value: "/x/../y": must not contain '..'"#,
                    #"spec.volumes[2].name: Invalid value: "P": a lowercase RFC 1123 label must consist of lower"#,
                    "spec.volumes[2].secret.defaultMode: Invalid value: 512: must be a number between 0 and 0777",
                ].map { String($0.prefix(75)) })
    }

    @Test func `workloads`() throws {
        let template: JSONValue = [
            "metadata": ["labels": ["app": "x"]],
            "spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "i"]]],
        ]
        let spec: JSONValue = [
            "replicas": -1, "selector": ["matchLabels": ["app": "web"]], "template": template,
            "strategy": ["rollingUpdate": ["maxSurge": 0, "maxUnavailable": "0%"]], "progressDeadlineSeconds": 5,
            "minReadySeconds": 5,
        ]
        #expect(
            try causes(deployment, ["spec": spec]) == [
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
                #"spec.template.metadata.labels: Invalid value: {"app":"x"}: `selector` does not match template `labels`"#,
                #"spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always""#,
                #"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0"#,
                "spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds",
            ])
        #expect(
            try causes(deployment, ["spec": [:]]) == ["spec.selector: Required value", "spec.template: Required value"])
        #expect(
            try causes(
                deployment,
                ["spec": ["selector": [:], "template": ["spec": ["containers": [["name": "c", "image": "i"]]]]]]) == [
                    "spec.selector: Invalid value: {}: empty selector is invalid for deployment"
                ])
        #expect(
            try causes(
                kind("batch/v1", "Job"),
                ["spec": ["template": ["spec": ["containers": [["name": "c", "image": "i"]]]]]]) == [
                    #"spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never""#
                ])
    }

    @Test(arguments: [
        ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
        ("61 * * * *", "end of range (61) above maximum (59): 61"),
        ("a * * * *", #"failed to parse int from a: strconv.Atoi: parsing "a": invalid syntax"#),
        ("*/0 * * * *", "step of range should be a positive number: */0"),
        ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
        ("@often", "unrecognized descriptor: @often"), ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
        ("1/2/3 * * * *", "too many slashes: 1/2/3"),
        ("TZ=UTC * * * * *", "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"),
    ])
    func `a schedule that is wrong says where`(_ schedule: String, _ problem: String) throws {
        let job: JSONValue = [
            "template": ["spec": ["restartPolicy": "Never", "containers": [["name": "c", "image": "i"]]]]
        ]
        #expect(
            try causes(
                kind("batch/v1", "CronJob"), ["spec": ["schedule": .string(schedule), "jobTemplate": ["spec": job]]])
                == ["spec.schedule: Invalid value: \(quoted(schedule)): \(problem)"])
    }

    @Test func `schedules have the values of their fields`() throws {
        let schedule = try CronSchedule("*/15 8-10 1,15 jan-mar mon")
        #expect(schedule.minutes == 1 | 1 << 15 | 1 << 30 | 1 << 45 && schedule.hours == 0b111 << 8)
        #expect(
            schedule.daysOfMonth == 1 << 1 | 1 << 15 && schedule.months == 0b1110 && schedule.daysOfWeek == 0b10
                && !schedule.hasAnyDayOfWeek)
        #expect(
            try CronSchedule("@every 1h30m").interval == 5400 && CronSchedule("@daily") == CronSchedule("0 0 * * *"))
        #expect(try CronSchedule("5/20 * ? * *").minutes == 1 << 5 | 1 << 25 | 1 << 45)
    }

    @Test func `no text traps the parser of schedules`() {
        var chance = SeededChance(seed: 8)
        let letters = Array("0123456789*/-,? @everyhmsun.")
        for _ in 0..<20000 {
            let text = String(
                (0..<Int.random(in: 0..<25, using: &chance)).map { _ in letters.randomElement(using: &chance)! })
            _ = try? CronSchedule(text)
            _ = try? CronSchedule("@every " + text)
        }
    }

    @Test func `services`() throws {
        let spec: JSONValue = [
            "clusterIP": "10.0.0.300", "ports": [["port": 80], ["port": 80, "name": "a", "nodePort": 30000]],
            "externalName": "x",
        ]
        #expect(
            try causes(kind("v1", "Service"), ["spec": spec]) == [
                "spec.ports[0].name: Required value",
                "spec.ports[1].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'",
                #"spec.ports[1]: Duplicate value: {"protocol":"TCP","port":80}"#,
                #"spec.clusterIPs[0]: Invalid value: "10.0.0.300": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"#,
            ])
        #expect(
            try causes(kind("v1", "Service"), ["spec": ["type": "Cluster"]]).first
                == #"spec.type: Unsupported value: "Cluster": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort""#
        )
        #expect(try causes(kind("v1", "Service"), ["spec": [:]]) == ["spec.ports: Required value"])
    }

    @Test(arguments: [
        ("1.2.3.4", true), ("1.2.3", false), ("01.2.3.4", false), ("256.1.1.1", false), ("::", true), ("::1", true),
        ("1::", true), ("2001:db8::ffff", true),
        ("1:2:3:4:5:6:7:8", true), ("1:2:3:4:5:6:7", false), ("1::2::3", false), ("::ffff:1.2.3.4", true),
        ("1:2:3:4:5:6:1.2.3.4", true), (":1", false), ("1:", false),
        ("12345::", false), ("g::", false), ("", false), ("1:2:3:4:5:6:7::", true), ("::2:3:4:5:6:7:8", true),
        ("1:2:3:4::5:6:7:8", false), (":::", false),
    ])
    func `addresses`(_ text: String, _ isAddress: Bool) { #expect(Addresses.isAddress(text) == isAddress) }

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
