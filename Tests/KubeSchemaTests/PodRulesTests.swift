import JSON
import Testing

@testable import KubeSchema

@Suite struct PodRulesTests {
    let pod = kind("v1", "Pod")

    func podCauses(_ spec: JSONValue) throws -> [String] { try causes(pod, ["spec": spec]) }

    func containerCauses(_ container: JSONValue) throws -> [String] {
        var container = container
        container.fill("name", "c")
        container.fill("image", "i")
        return try podCauses(["containers": [container], "volumes": [["name": "v"]]])
    }

    @Test func `a container says what is wrong with it`() throws {
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
                #"spec.containers[0].ports[1].name: Invalid value: "HTTP": "#
                    + #"must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"#,
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
                #"spec.containers[0].env[1].name: Invalid value: "A=": "#
                    + #"a valid environment variable name must consist only of printable ASCII characters other than '='"#,
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

    @Test func `rules for restarts say what is wrong with them`() throws {
        func rule(_ mark: String, _ values: JSONValue, action: String = "Restart") -> JSONValue {
            ["action": .string(action), "exitCodes": ["operator": .string(mark), "values": values]]
        }
        func rules(_ rules: [JSONValue]) -> JSONValue {
            ["restartPolicy": "Never", "restartPolicyRules": .array(rules)]
        }
        let place = "spec.containers[0].restartPolicyRules"
        #expect(try containerCauses(rules([rule("In", [0, 42, 255]), rule("NotIn", [1])])) == [])
        #expect(
            try containerCauses(["restartPolicyRules": [rule("In", [1])]]) == [
                "spec.containers[0].restartPolicy: Required value: must specify restartPolicy when restart rules are used"
            ])
        #expect(
            try containerCauses(rules([rule("In", [1], action: "RestartAllContainers"), ["action": "Restart"]])) == [
                #"\#(place)[0].action: Unsupported value: "RestartAllContainers": supported values: "Restart""#,
                "\(place)[1].exitCodes: Required value: must be specified",
            ])
        #expect(
            try containerCauses(rules([rule("Near", [256]), rule("In", [])])) == [
                #"\#(place)[0].exitCodes.operator: Unsupported value: "Near": supported values: "In", "NotIn""#,
                "\(place)[0].exitCodes.values[0]: Invalid value: 256: must be between 0 and 255, inclusive",
                "\(place)[1].exitCodes.values: Required value: must specify at least one value",
            ])
        #expect(
            try containerCauses(rules(Array(repeating: rule("In", [1]), count: 21))) == [
                "\(place): Too many: 21: must have at most 20 items"
            ])
        let debugger: JSONValue = ["name": "d", "image": "i", "restartPolicyRules": [rule("In", [1])]]
        #expect(
            try podCauses(["containers": [["name": "c", "image": "i"]], "ephemeralContainers": [debugger]]) == [
                "spec.ephemeralContainers[0].restartPolicyRules: Forbidden: cannot be set for an Ephemeral Container"
            ])
    }

    @Test func `volumes, mounts and probes say what is wrong with them`() throws {
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
}
