import JSON
import Testing

@testable import KubeSchema

@Suite struct WorkloadRulesTests {
    let deployment = kind("apps/v1", "Deployment")

    @Test func `a workload says what is wrong with it`() throws {
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

    @Test func `a service says what is wrong with it`() throws {
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
    func `addresses are told from what looks like them`(_ text: String, _ isAddress: Bool) {
        #expect(Addresses.isAddress(text) == isAddress)
    }
}
