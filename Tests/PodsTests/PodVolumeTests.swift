import Engine
import JSON
import KubeObjects
import KubeSchema
import Linux
import TestKit
import Testing

@testable import Pods

@Suite(.serialized, .timeLimit(.minutes(5)), .leavesNothing) struct PodVolumeTests {
    private func config(_ stage: PodStage, _ name: String, _ data: JSONValue) async throws {
        _ = try await stage.api.create(
            .configMaps, KubeObject(json: ["metadata": ["name": .string(name), "namespace": "default"], "data": data]))
    }

    @Test func `volumes show config maps, secrets, fields and tokens, and follow their changes`() async throws {
        let stage = try await PodStage()
        try await config(stage, "settings", ["a": "1", "b": "2"])
        _ = try await stage.api.create(
            .secrets,
            KubeObject(json: ["metadata": ["name": "keys", "namespace": "default"], "data": ["key": "c2VjcmV0"]]))
        let mounts: JSONValue = [
            ["name": "config", "mountPath": "/config"], ["name": "one", "mountPath": "/one.txt", "subPath": "a"],
            ["name": "all", "mountPath": "/all", "readOnly": true],
        ]
        try await stage.make(
            "reader",
            oneContainer {
                $0["containers"]?.array?[0]["volumeMounts"] = mounts
                $0["serviceAccountName"] = "robot"
                $0["volumes"] = [
                    [
                        "name": "config",
                        "configMap": ["name": "settings", "items": [["key": "a", "path": "deep/a.txt", "mode": 256]]],
                    ],
                    ["name": "one", "configMap": ["name": "settings"]],
                    [
                        "name": "all",
                        "projected": [
                            "sources": [
                                ["secret": ["name": "keys"]],
                                ["serviceAccountToken": ["path": "token", "audience": "vault"]],
                                [
                                    "downwardAPI": [
                                        "items": [["path": "labels", "fieldRef": ["fieldPath": "metadata.labels"]]]
                                    ]
                                ],
                                ["configMap": ["name": "missing", "optional": true]],
                            ]
                        ],
                    ],
                ]
            }, ["labels": ["app": "x\"y"]])
        _ = try await stage.phase("reader", "Running")
        #expect(
            try await stage.execute(
                "reader", "cat", "/config/deep/a.txt", "/one.txt", "/all/key", "/all/token", "/all/labels"
            ).text == "11secretdefault:robot:reader:vaultapp=\"x\\\"y\"")
        #expect(try await stage.execute("reader", "stat", "-L", "-c", "%a", "/config/deep/a.txt").text == "400\n")
        #expect(try await stage.execute("reader", "touch", "/all/x").status != 0)
        _ = try await stage.api.modify(.configMaps, namespace: "default", "settings") { object in
            object.json["data", "a"] = "changed"
            return true
        }
        try await eventually { try await stage.execute("reader", "cat", "/config/deep/a.txt").text == "changed" }
        #expect(try await stage.execute("reader", "cat", "/one.txt").text == "1")
        try await stage.end()
    }

    @Test
    func `containers of a pod share directories and memory, and a subPath through a link stays inside its volume`()
        async throws
    {
        let stage = try await PodStage()
        let mounts: JSONValue = [["name": "disk", "mountPath": "/disk"], ["name": "memory", "mountPath": "/memory"]]
        var inside: JSONValue = ["name": "b", "image": "busybox:1", "volumeMounts": mounts]
        inside["volumeMounts"]?.array?.append(["name": "disk", "mountPath": "/part", "subPathExpr": "$(WHERE)/link"])
        inside["env"] = [["name": "WHERE", "value": "sub"]]
        try await stage.make(
            "pair",
            [
                "terminationGracePeriodSeconds": 1,
                "initContainers": [
                    [
                        "name": "first", "image": "busybox:1", "volumeMounts": mounts,
                        "command": [
                            "sh", "-c",
                            "mkdir -p /disk/sub /disk/etc; echo mine >/disk/etc/passwd; ln -s /etc /disk/sub/link; echo x >/memory/x; chmod 777 /memory/x",
                        ],
                    ]
                ],
                "containers": [
                    [
                        "name": "a", "image": "busybox:1", "volumeMounts": mounts,
                        "securityContext": ["runAsUser": 1000],
                    ], inside,
                ],
                "volumes": [
                    ["name": "disk", "emptyDir": [:]],
                    ["name": "memory", "emptyDir": ["medium": "Memory", "sizeLimit": "1Mi"]],
                ],
            ])
        _ = try await stage.phase("pair", "Running")
        #expect(try await stage.execute("pair", "cat", "/part/passwd", container: "b").text == "mine\n")
        #expect(
            try await stage.execute(
                "pair", "sh", "-c",
                "id -u; echo y >>/memory/x; echo z >/disk/z; df -m /memory | tail -1 | awk '{print $2}'", container: "a"
            ).text == "1000\n1\n")
        #expect(try await stage.execute("pair", "cat", "/memory/x", "/disk/z", container: "b").text == "x\ny\nz\n")
        try await stage.end()
    }

    @Test func `volumes go with the pod, and what they lead to stays`() async throws {
        let stage = try await PodStage()
        let host = stage.directory.path("host")
        let claimed = stage.directory.path("claimed")
        _ = try await stage.api.create(
            .persistentVolumes,
            KubeObject(json: ["metadata": ["name": "pv"], "spec": ["hostPath": ["path": .string(claimed)]]]))
        _ = try await stage.api.create(
            .persistentVolumeClaims,
            KubeObject(json: [
                "metadata": ["name": "claim", "namespace": "default"], "spec": ["volumeName": "pv"],
                "status": ["phase": "Bound"],
            ]))
        let pod = try await stage.make(
            "writer",
            oneContainer(["sh", "-c", "echo h >/host/f; echo c >/claim/f; echo e >/empty/f; exec sleep 1000"]) {
                $0["containers"]?.array?[0]["volumeMounts"] = [
                    ["name": "host", "mountPath": "/host"], ["name": "claim", "mountPath": "/claim"],
                    ["name": "empty", "mountPath": "/empty"], ["name": "memory", "mountPath": "/memory"],
                ]
                $0["volumes"] = [
                    ["name": "host", "hostPath": ["path": .string(host), "type": "DirectoryOrCreate"]],
                    ["name": "claim", "persistentVolumeClaim": ["claimName": "claim"]],
                    ["name": "empty", "emptyDir": [:]],
                    ["name": "memory", "emptyDir": ["medium": "Memory"]],
                ]
            })
        _ = try await stage.phase("writer", "Running")
        try await eventually { Files.exists(host + "/f") && Files.exists(claimed + "/f") }
        #expect(Files.exists(stage.directory.path("state/pods/\(pod.uid)")))
        #expect(try Files.status(claimed).permissions == 0o777, "whoever a pod runs as may write to its claim")
        try await stage.delete("writer", grace: 1)
        try await stage.gone("writer")
        #expect(!Files.exists(stage.directory.path("state/pods/\(pod.uid)")))
        #expect(try Files.readText(host + "/f") == "h")
        #expect(try Files.readText(claimed + "/f") == "c")
        try await stage.end()
    }

    @Test func `a pod waits for what it refers to, and says what is missing`() async throws {
        let stage = try await PodStage()
        try await stage.make(
            "waits",
            oneContainer(["sh", "-c", "echo $WORD; exec sleep 1000"]) {
                $0["containers"]?.array?[0]["env"] = [
                    ["name": "WORD", "valueFrom": ["configMapKeyRef": ["name": "late", "key": "word"]]]
                ]
            })
        try await stage.make(
            "mounts",
            oneContainer {
                $0["containers"]?.array?[0]["volumeMounts"] = [["name": "v", "mountPath": "/v"]]
                $0["volumes"] = [["name": "v", "configMap": ["name": "late"]]]
            })
        let waiting = try await stage.pod("waits", "it says what is missing") {
            $0.status["containerStatuses"]?[0]?["state", "waiting", "reason"] == "CreateContainerConfigError"
        }
        #expect(
            waiting.status["containerStatuses"]?[0]?["state", "waiting", "message"] == "configmap \"late\" not found")
        try await eventually("an event") {
            try await stage.api.list(.events, namespace: "default", labels: .everything).contains {
                $0.json["reason"] == "FailedMount"
                    && $0.json["message"] == "MountVolume.SetUp failed for volume \"v\" : configmap \"late\" not found"
            }
        }
        try await config(stage, "late", ["word": "here"])
        _ = try await stage.phase("waits", "Running")
        _ = try await stage.phase("mounts", "Running")
        try await eventually { try await stage.log("waits") == "here\n" }
        try await stage.end()
    }
}
