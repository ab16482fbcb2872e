import JSON
import TestKit
import Testing

@testable import KubeSchema

@Suite struct DefaultingTests {
    func defaulted(_ kind: Kind, _ json: JSONValue) -> JSONValue {
        var json = json
        Defaulting.apply(to: &json, of: kind, in: .kubernetes)
        return json
    }

    @Test func `a deployment is filled in as kubectl shows it`() {
        let spec = defaulted(
            kind("apps/v1", "Deployment"),
            [
                "spec": [
                    "template": [
                        "spec": ["containers": [["name": "c", "image": "nginx", "ports": [["containerPort": 80]]]]]
                    ]
                ]
            ])["spec"]!
        #expect(spec["replicas"] == 1 && spec["revisionHistoryLimit"] == 10 && spec["progressDeadlineSeconds"] == 600)
        #expect(
            spec["strategy"] == [
                "type": "RollingUpdate", "rollingUpdate": ["maxSurge": "25%", "maxUnavailable": "25%"],
            ])
        let pod = spec["template"]!["spec"]!
        #expect(
            pod == [
                "containers": [
                    [
                        "name": "c", "image": "nginx", "ports": [["containerPort": 80, "protocol": "TCP"]],
                        "imagePullPolicy": "Always",
                        "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File",
                        "resources": [:],
                    ]
                ],
                "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "securityContext": [:],
                "terminationGracePeriodSeconds": 30, "schedulerName": "default-scheduler",
            ])
    }

    @Test func `a pod gets requests from limits, probes their periods, volumes their modes`() {
        let json = defaulted(
            kind("v1", "Pod"),
            [
                "spec": [
                    "serviceAccountName": "sa", "hostNetwork": true,
                    "containers": [
                        [
                            "image": "reg:5000/a:1.2", "livenessProbe": ["httpGet": ["port": 80]],
                            "ports": [["containerPort": 80]],
                            "resources": ["limits": ["cpu": "1"], "requests": ["memory": "1Gi"]],
                            "env": [["name": "N", "valueFrom": ["fieldRef": ["fieldPath": "metadata.name"]]]],
                        ]
                    ],
                    "volumes": [
                        ["name": "e"], ["name": "s", "secret": ["secretName": "x"]],
                        ["name": "h", "hostPath": ["path": "/x"]],
                    ],
                ]
            ])
        let spec = json["spec"]!
        let container = spec["containers"]![0]!
        #expect(spec["enableServiceLinks"] == true && spec["serviceAccount"] == "sa")
        #expect(container["imagePullPolicy"] == "IfNotPresent")
        #expect(container["resources"]?["requests"] == ["memory": "1Gi", "cpu": "1"])
        #expect(
            container["livenessProbe"] == [
                "httpGet": ["port": 80, "path": "/", "scheme": "HTTP"], "timeoutSeconds": 1, "periodSeconds": 10,
                "successThreshold": 1,
                "failureThreshold": 3,
            ])
        #expect(container["ports"] == [["containerPort": 80, "hostPort": 80, "protocol": "TCP"]])
        #expect(container["env"]?[0]?["valueFrom"]?["fieldRef"]?["apiVersion"] == "v1")
        #expect(
            spec["volumes"] == [
                ["name": "e", "emptyDir": [:]], ["name": "s", "secret": ["secretName": "x", "defaultMode": 420]],
                ["name": "h", "hostPath": ["path": "/x", "type": ""]],
            ])
    }

    @Test(arguments: [
        ("nginx", true), ("nginx:latest", true), ("nginx:1", false), ("r:5000/nginx", true), ("nginx@sha256:ab", false),
        ("a/b:latest", true), ("", true),
    ])
    func `only images without a tag, or with latest, are always fetched`(_ image: String, _ isLatest: Bool) {
        #expect(ContainerDefaults.isLatest(image) == isLatest)
    }

    @Test func `services, jobs, claims and bindings have their defaults`() {
        let service = defaulted(kind("v1", "Service"), ["spec": ["ports": [["port": 80]]]])["spec"]
        #expect(
            service == [
                "ports": [["port": 80, "protocol": "TCP", "targetPort": 80]], "sessionAffinity": "None",
                "type": "ClusterIP",
                "internalTrafficPolicy": "Cluster",
            ])
        let job = defaulted(kind("batch/v1", "Job"), ["spec": ["template": ["metadata": ["labels": ["a": "b"]]]]])
        #expect(
            job["spec"]?["completions"] == 1 && job["spec"]?["parallelism"] == 1 && job["spec"]?["backoffLimit"] == 6)
        #expect(job["metadata"]?["labels"] == ["a": "b"])
        let cron = defaulted(kind("batch/v1", "CronJob"), ["spec": [:]])["spec"]
        #expect(cron?["concurrencyPolicy"] == "Allow" && cron?["failedJobsHistoryLimit"] == 1)
        #expect(defaulted(kind("v1", "PersistentVolumeClaim"), ["spec": [:]])["spec"]?["volumeMode"] == "Filesystem")
        let binding = defaulted(
            kind("rbac.authorization.k8s.io/v1", "RoleBinding"),
            ["roleRef": ["kind": "Role"], "subjects": [["kind": "User"], ["kind": "ServiceAccount"]]])
        #expect(
            binding["subjects"]?[0]?["apiGroup"] == "rbac.authorization.k8s.io"
                && binding["subjects"]?[1]?["apiGroup"] == nil)
        #expect(
            defaulted(kind("v1", "Namespace"), ["metadata": ["name": "n"]])["metadata"]?["labels"] == [
                "kubernetes.io/metadata.name": "n"
            ])
        let policy = defaulted(kind("networking.k8s.io/v1", "NetworkPolicy"), ["spec": ["egress": [[:]]]])
        #expect(policy["spec"]?["policyTypes"] == ["Ingress", "Egress"])
        let autoscaler = defaulted(kind("autoscaling/v2", "HorizontalPodAutoscaler"), ["spec": ["behavior": [:]]])[
            "spec"]
        #expect(autoscaler?["metrics"]?[0]?["resource"]?["target"]?["averageUtilization"] == 80)
        #expect(autoscaler?["behavior"]?["scaleUp"]?["policies"]?.array?.count == 2)
    }

    @Test func `text in a secret becomes data`() {
        let secret = defaulted(
            kind("v1", "Secret"), ["data": ["a": "eA==", "b": "eQ=="], "stringData": ["b": "hello"]])
        #expect(secret == ["data": ["a": "eA==", "b": "aGVsbG8="], "type": "Opaque"])
    }

    @Test func `defaulting takes whatever decodes`() throws {
        var chance = SeededChance(seed: 31)
        var random = RandomObjects(schema: .kubernetes)
        for round in 0..<400 {
            let kind = Schema.kubernetes.kinds[round % Schema.kubernetes.kinds.count]
            let sent = try ObjectDecoder.decode(
                random.object(of: kind, &chance), as: kind, of: .kubernetes, fieldValidation: .strict)
            let once = defaulted(kind, sent.json)
            #expect(
                defaulted(kind, once) == once, "defaulting again changes nothing: \(kind.id) \(chance) round \(round)")
            let decoded = try ObjectDecoder.decode(once, as: kind, of: .kubernetes, fieldValidation: .strict)
            #expect(decoded.json == once, "defaults are fields of the schema: \(kind.id) \(chance)")
        }
    }

    @Test func `defaults change nothing that was set`() {
        let spec: JSONValue = [
            "replicas": 0, "strategy": ["type": "Recreate"], "revisionHistoryLimit": 0, "progressDeadlineSeconds": 5,
            "template": [
                "spec": [
                    "dnsPolicy": "None", "restartPolicy": "Never", "terminationGracePeriodSeconds": 0,
                    "schedulerName": "s", "securityContext": ["runAsUser": 1],
                ]
            ],
        ]
        #expect(defaulted(kind("apps/v1", "Deployment"), ["spec": spec])["spec"] == spec)
    }
}
