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

    /// Makes the volume "pv" and the claim "claim", which are bound to each other.
    private func bind(_ api: TestAPI, _ source: JSONValue, annotations: JSONValue = [:]) async throws {
        let claim = try await api.create(
            .persistentVolumeClaims,
            KubeObject(json: [
                "metadata": ["name": "claim", "namespace": "default"], "spec": ["volumeName": "pv"],
                "status": ["phase": "Bound"],
            ]))
        var spec = source
        spec["claimRef"] = ["namespace": "default", "name": "claim", "uid": .string(claim.uid)]
        _ = try await api.create(
            .persistentVolumes,
            KubeObject(json: ["metadata": ["name": "pv", "annotations": annotations], "spec": spec]))
    }

    /// The volumes of a pod with that claim, without a node: nothing but the API is asked.
    private func volumes(_ api: TestAPI, in directory: TemporaryDirectory, _ security: JSONValue = [:]) throws -> PodVolumes {
        let pod = KubeObject(json: [
            "metadata": ["name": "p", "namespace": "default", "uid": "11111111-2222-3333-4444-555555555555"],
            "spec": [
                "securityContext": security,
                "volumes": [["name": "data", "persistentVolumeClaim": ["claimName": "claim"]]],
            ],
        ])
        let facts = try MachineFacts.ofThisMachine()
        let settings = PodSettings(
            nodeName: "n", hostAddress: IPAddress("192.0.2.10")!, directory: directory.path("pods"), machine: facts.capacity,
            controllers: facts.controllers)
        let references = References(cache: ObjectCache(api.store, PodAgent.resources), client: api)
        let fields = FieldReference(
            pod: pod, addresses: [], hostAddress: "192.0.2.10", machineCPUs: 1, machineMemory: 1 << 30)
        let contents = VolumeContents(pod: pod, references: references, fields: fields, tokens: nil)
        return PodVolumes(pod: pod, settings: settings, contents: contents, now: { Clock.now() })
    }

    @Test func `a claim leads to no volume that is not bound to it`() async throws {
        let (api, directory) = (TestAPI(), try TemporaryDirectory("claims"))
        defer { withExtendedLifetime(directory) {} }
        try await bind(api, ["hostPath": ["path": .string(directory.path("data"))]])
        let volumes = try self.volumes(api, in: directory)
        func problem() async -> String? {
            do throws(PodVolumes.Problem) {
                _ = try await volumes.make()
                return nil
            } catch { return error.message }
        }
        #expect(await problem() == nil)
        let own = try await api.get(.persistentVolumes, namespace: nil, "pv").spec["claimRef"]
        for (field, value) in [("uid", "another"), ("namespace", "other"), ("name", "other")] {
            _ = try await api.modify(.persistentVolumes, namespace: nil, "pv") { object in
                object.json["spec", "claimRef"] = own
                object.json["spec", "claimRef", field] = .string(value)
                return true
            }
            #expect(
                await problem()
                    == "MountVolume.SetUp failed for volume \"data\" : persistentvolume \"pv\" is not bound to "
                    + "persistentvolumeclaim \"default/claim\", which names it", "another \(field)")
        }
        _ = try await api.modify(.persistentVolumes, namespace: nil, "pv") { object in
            object.json["spec", "claimRef"] = nil
            return true
        }
        #expect(await problem() != nil, "free")
    }

    @Test(arguments: ["hostPath", "local", "made for the claim"])
    func `the group of a pod gets a local volume as a whole, and no hostPath`(kind: String) async throws {
        let (api, directory) = (TestAPI(), try TemporaryDirectory("groups"))
        defer { withExtendedLifetime(directory) {} }
        let data = directory.path("data")
        try Files.makeDirectories(data)
        try Files.replace(data + "/file", with: [], mode: 0o600)
        let source = kind == "local" ? "local" : "hostPath"
        let before = try Files.status(data + "/file").group
        try await bind(
            api, [source: ["path": .string(data)]],
            annotations: kind == "made for the claim" ? ["pv.kubernetes.io/provisioned-by": "forkless.dev/local-path"] : [:])
        _ = try await volumes(api, in: directory, ["fsGroup": 4321]).make()
        let group = kind == "hostPath" ? before : 4321
        for path in [data, data + "/file"] { #expect(try Files.status(path).group == group, "\(path)") }
        #expect(try Files.status(data + "/file").permissions == (kind == "hostPath" ? 0o600 : 0o660))
        // Again, by the top directory alone.
        guard kind != "hostPath" else { return }
        try FileEntries.setOwner(.max, 0, of: data + "/file", at: Files.here)
        _ = try await volumes(api, in: directory, ["fsGroup": 4321, "fsGroupChangePolicy": "OnRootMismatch"]).make()
        #expect(try Files.status(data + "/file").group == 0)
        // And again, while programs use it.
        var used = try volumes(api, in: directory, ["fsGroup": 4321])
        used.isInUse = true
        _ = try await used.make()
        #expect(try Files.status(data + "/file").group == 0)
        _ = try await volumes(api, in: directory, ["fsGroup": 4321]).make()
        #expect(try Files.status(data + "/file").group == 4321)
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
        try await bind(stage.api, ["hostPath": ["path": .string(claimed)]])
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
        try await eventually {
            (try? Files.readText(host + "/f")) == "h" && (try? Files.readText(claimed + "/f")) == "c"
        }
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
