import JSON
import KubeObjects
import KubeSchema
import KubeStore
import Linux
import TestKit
import Testing

@testable import KubeViews

/// Tables as kubectl shows them.
@Suite(.timeLimit(.minutes(2))) struct TableRendererTests {
    /// 2026-01-02T00:00:00Z
    static let now = Linux.Timestamp(nanoseconds: 1_767_312_000_000_000_000)

    private func served(_ apiVersion: String, _ kind: String) throws -> ServedKind {
        let parts = apiVersion.split(separator: "/").map(String.init)
        let id = GroupVersionKind(group: parts.count == 2 ? parts[0] : "", version: parts.last!, kind: kind)
        return ServedKind(try #require(Schema.kubernetes.kind(id)), in: .kubernetes)
    }

    /// A row as one line of text.
    private func row(_ apiVersion: String, _ kind: String, _ object: JSONValue) throws -> String {
        var object = object
        if object["metadata", "name"] == nil { object["metadata", "name"] = "x" }
        object["metadata", "creationTimestamp"] = "2026-01-01T23:50:00Z"
        let table = TableRenderer(try served(apiVersion, kind), now: Self.now)
        let bytes = table.list([JSONWriter.bytes(object)], ListHead(resourceVersion: "7"))
        let json = try JSONParser.parse(bytes)
        let cells = try #require(json["rows"]?[0]?["cells"]?.array)
        #expect(cells.count == json["columnDefinitions"]?.array?.count)
        return cells.map { $0.string ?? JSONWriter.text($0) }.joined(separator: " | ")
    }

    // MARK: Durations

    @Test(
        arguments: [
            (-2, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (599, "9m59s"), (600, "10m"),
            (179 * 60, "179m"), (3 * 3600, "3h"), (7 * 3600 + 59 * 60, "7h59m"), (8 * 3600, "8h"), (47 * 3600, "47h"),
            (48 * 3600, "2d"), (51 * 3600, "2d3h"), (8 * 86400, "8d"), (729 * 86400, "729d"), (730 * 86400, "2y"),
            (742 * 86400, "2y12d"), (3000 * 86400, "8y"), (Int64.max, "292471208677y"),
        ] as [(Int64, String)])
    func `durations are those of kubectl`(seconds: Int64, text: String) {
        #expect(HumanDuration.text(seconds: seconds) == text)
    }

    // MARK: Pods

    private func pod(_ status: JSONValue, containers: Int = 1, initContainers: JSONValue = []) throws -> String {
        try row(
            "v1", "Pod",
            [
                "spec": [
                    "containers": .array((0..<containers).map { ["name": .string("c\($0)")] }),
                    "initContainers": initContainers, "nodeName": "one",
                ], "status": status,
            ])
    }

    private func running(_ restarts: Int64 = 0, ready: Bool = true, last: JSONValue = [:]) -> JSONValue {
        [
            "name": "c0", "ready": .bool(ready), "started": true, "restartCount": .integer(restarts),
            "state": ["running": ["startedAt": "2026-01-01T00:00:00Z"]], "lastState": last,
        ]
    }

    private func waiting(_ reason: JSONValue, _ restarts: Int64 = 0) -> JSONValue {
        ["name": "c0", "ready": false, "restartCount": .integer(restarts), "state": ["waiting": ["reason": reason]]]
    }

    private func ended(_ code: Int64, _ reason: JSONValue = "", signal: Int64 = 0) -> JSONValue {
        [
            "name": "c0", "ready": false, "restartCount": 0,
            "state": ["terminated": ["exitCode": .integer(code), "reason": reason, "signal": .integer(signal)]],
        ]
    }

    @Test func `a pod's row says what holds it up`() throws {
        let ends = " | 10m | <none> | one | <none> | <none>"
        #expect(
            try pod([
                "phase": "Running", "podIPs": [["ip": "10.1.0.7"], ["ip": "fd00::7"]], "containerStatuses": [running()],
            ]) == "x | 1/1 | Running | 0 | 10m | 10.1.0.7 | one | <none> | <none>")
        #expect(try pod(["phase": "Pending"]) == "x | 0/1 | Pending | 0" + ends)
        #expect(
            try pod(["phase": "Pending", "containerStatuses": [waiting("ContainerCreating")]])
                == "x | 0/1 | ContainerCreating | 0" + ends)
        #expect(
            try pod(
                [
                    "phase": "Running",
                    "containerStatuses": [
                        running(
                            3, ready: false,
                            last: ["terminated": ["exitCode": 1, "finishedAt": "2026-01-01T23:57:00Z"]]), running(),
                    ],
                ], containers: 2) == "x | 1/2 | Running | 3 (3m ago)" + ends)
        #expect(
            try pod(["phase": "Running", "containerStatuses": [waiting("CrashLoopBackOff", 5)]])
                == "x | 0/1 | CrashLoopBackOff | 5" + ends)
        #expect(
            try pod(["phase": "Succeeded", "containerStatuses": [ended(0, "Completed")]])
                == "x | 0/1 | Completed | 0" + ends)
        #expect(try pod(["phase": "Failed", "containerStatuses": [ended(3)]]) == "x | 0/1 | ExitCode:3 | 0" + ends)
        #expect(
            try pod(["phase": "Failed", "containerStatuses": [ended(137, signal: 9)]]) == "x | 0/1 | Signal:9 | 0"
                + ends)
        #expect(try pod(["phase": "Failed", "reason": "Evicted"]) == "x | 0/1 | Evicted | 0" + ends)
        #expect(
            try pod([
                "phase": "Pending",
                "conditions": [["type": "PodScheduled", "status": "False", "reason": "SchedulingGated"]],
            ]) == "x | 0/1 | SchedulingGated | 0" + ends)
        let half: JSONValue = [
            "phase": "Running", "containerStatuses": [ended(0, "Completed"), running()],
            "conditions": [["type": "Ready", "status": "True"]],
        ]
        #expect(try pod(half, containers: 2) == "x | 1/2 | Running | 0" + ends)
    }

    @Test func `init containers come first, and those that stay are counted`() throws {
        let ends = " | 10m | <none> | one | <none> | <none>"
        let two: JSONValue = [["name": "i0"], ["name": "i1"]]
        #expect(
            try pod(
                ["phase": "Pending", "initContainerStatuses": [ended(0), waiting("PodInitializing")]],
                initContainers: two)
                == "x | 0/1 | Init:1/2 | 0" + ends)
        #expect(
            try pod(["phase": "Pending", "initContainerStatuses": [ended(1, "Error")]], initContainers: two)
                == "x | 0/1 | Init:Error | 0" + ends)
        #expect(
            try pod(
                ["phase": "Pending", "initContainerStatuses": [waiting("CrashLoopBackOff", 4)]], initContainers: two)
                == "x | 0/1 | Init:CrashLoopBackOff | 4" + ends)
        var sidecar = running(2)
        sidecar["name"] = "s"
        #expect(
            try pod(
                ["phase": "Running", "initContainerStatuses": [sidecar], "containerStatuses": [running(1)]],
                initContainers: [["name": "s", "restartPolicy": "Always"]]) == "x | 2/2 | Running | 3" + ends)
    }

    @Test func `a pod that goes is terminating, unless it has ended`() throws {
        let metadata: JSONValue = ["name": "x", "deletionTimestamp": "2026-01-02T00:00:00Z"]
        func status(_ status: JSONValue) throws -> String {
            try row("v1", "Pod", ["metadata": metadata, "status": status]).split(separator: " | ")[2].description
        }
        #expect(try status(["phase": "Running", "containerStatuses": [running()]]) == "Terminating")
        #expect(try status(["phase": "Succeeded", "containerStatuses": [ended(0, "Completed")]]) == "Completed")
        #expect(try status(["phase": "Running", "reason": "NodeLost"]) == "Unknown")
    }

    @Test func `readiness gates are counted`() throws {
        let text = try row(
            "v1", "Pod",
            [
                "spec": [
                    "containers": [["name": "a"]],
                    "readinessGates": [["conditionType": "g/a"], ["conditionType": "g/b"]],
                ],
                "status": ["phase": "Running", "conditions": [["type": "g/a", "status": "True"]]],
            ])
        #expect(text.hasSuffix("| 1/2"))
    }

    // MARK: Other kinds

    private static let template: JSONValue = [
        "spec": [
            "containers": [["name": "a", "image": "nginx:1"], ["name": "b", "image": "redis"]],
            "nodeSelector": ["disk": "ssd"],
        ]
    ]
    private static let selector: JSONValue = ["matchLabels": ["app": "web"]]

    @Test func `workloads have the columns of kubernetes`() throws {
        let template = Self.template
        let spec: JSONValue = ["replicas": 3, "selector": Self.selector, "template": template]
        #expect(
            try row(
                "apps/v1", "Deployment",
                ["spec": spec, "status": ["readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 1]])
                == "x | 2/3 | 3 | 1 | 10m | a,b | nginx:1,redis | app=web")
        #expect(
            try row("apps/v1", "ReplicaSet", ["spec": spec, "status": ["replicas": 3, "readyReplicas": 2]])
                == "x | 3 | 3 | 2 | 10m | a,b | nginx:1,redis | app=web")
        #expect(
            try row("apps/v1", "StatefulSet", ["spec": spec, "status": ["readyReplicas": 2]])
                == "x | 2/3 | 10m | a,b | nginx:1,redis")
        #expect(
            try row(
                "apps/v1", "DaemonSet",
                ["spec": spec, "status": ["desiredNumberScheduled": 1, "currentNumberScheduled": 1, "numberReady": 1]])
                == "x | 1 | 1 | 1 | 0 | 0 | disk=ssd | 10m | a,b | nginx:1,redis | app=web")
        #expect(
            try row(
                "v1", "ReplicationController", ["spec": ["replicas": 1, "selector": ["a": "b"], "template": template]])
                == "x | 1 | 0 | 0 | 10m | a,b | nginx:1,redis | a=b")
        #expect(
            try row(
                "apps/v1", "ControllerRevision",
                [
                    "metadata": [
                        "ownerReferences": [
                            ["apiVersion": "apps/v1", "kind": "StatefulSet", "name": "db", "controller": true]
                        ]
                    ], "revision": 4,
                ]) == "x | statefulset.apps/db | 4 | 10m")
    }

    @Test func `jobs say how far they are`() throws {
        let spec: JSONValue = ["completions": 3, "selector": Self.selector, "template": Self.template]
        let ends = " | 10m | a,b | nginx:1,redis | app=web"
        #expect(
            try row(
                "batch/v1", "Job", ["spec": spec, "status": ["succeeded": 1, "startTime": "2026-01-01T23:58:30Z"]])
                == "x | Running | 1/3 | 90s" + ends)
        #expect(
            try row(
                "batch/v1", "Job",
                [
                    "spec": spec,
                    "status": [
                        "succeeded": 3, "startTime": "2026-01-01T23:50:00Z", "completionTime": "2026-01-01T23:50:04Z",
                        "conditions": [["type": "Complete", "status": "True"]],
                    ],
                ]) == "x | Complete | 3/3 | 4s" + ends)
        #expect(
            try row("batch/v1", "Job", ["spec": ["parallelism": 4, "template": Self.template]])
                .hasPrefix("x | Running | 0/1 of 4 |  | 10m"))
        #expect(
            try row(
                "batch/v1", "CronJob",
                [
                    "spec": [
                        "schedule": "*/5 * * * *", "suspend": false,
                        "jobTemplate": ["spec": ["template": Self.template]],
                    ],
                    "status": ["active": [["name": "a"]], "lastScheduleTime": "2026-01-01T23:55:00Z"],
                ]) == "x | */5 * * * * | <none> | False | 1 | 5m | 10m | a,b | nginx:1,redis | <none>")
    }

    @Test func `services and what leads to them`() throws {
        let ports: JSONValue = [
            ["port": 80, "protocol": "TCP", "nodePort": 30080], ["port": 53, "protocol": "UDP"],
        ]
        #expect(
            try row(
                "v1", "Service",
                [
                    "spec": [
                        "type": "NodePort", "clusterIPs": ["10.0.0.1"], "ports": ports,
                        "selector": ["b": "2", "a": "1"],
                    ]
                ]) == "x | NodePort | 10.0.0.1 | <none> | 80:30080/TCP,53/UDP | 10m | a=1,b=2")
        #expect(
            try row("v1", "Service", ["spec": ["type": "LoadBalancer", "clusterIPs": ["10.0.0.1"]]])
                == "x | LoadBalancer | 10.0.0.1 | <pending> | <none> | 10m | <none>")
        #expect(
            try row("v1", "Service", ["spec": ["type": "ExternalName", "externalName": "a.example"]])
                == "x | ExternalName | <none> | a.example | <none> | 10m | <none>")
        let addresses: JSONValue = .array((1...4).map { ["ip": .string("10.1.0.\($0)")] })
        #expect(
            try row("v1", "Endpoints", ["subsets": [["addresses": addresses, "ports": [["port": 80]]]]])
                == "x | 10.1.0.1:80,10.1.0.2:80,10.1.0.3:80 + 1 more... | 10m")
        #expect(try row("v1", "Endpoints", ["metadata": ["name": "x"]]) == "x | <none> | 10m")
        #expect(
            try row(
                "discovery.k8s.io/v1", "EndpointSlice",
                ["addressType": "IPv4", "ports": [["port": 80]], "endpoints": [["addresses": ["10.1.0.1"]]]])
                == "x | IPv4 | 80 | 10.1.0.1 | 10m")
        #expect(
            try row(
                "networking.k8s.io/v1", "Ingress",
                [
                    "spec": [
                        "ingressClassName": "edge", "rules": [["host": "a.example"], ["host": "b.example"]],
                        "tls": [[:]],
                    ],
                    "status": ["loadBalancer": ["ingress": [["ip": "192.0.2.1"]]]],
                ]) == "x | edge | a.example,b.example | 192.0.2.1 | 80, 443 | 10m")
        #expect(
            try row("networking.k8s.io/v1", "NetworkPolicy", ["spec": ["podSelector": Self.selector]])
                == "x | app=web | 10m")
        #expect(
            try row("networking.k8s.io/v1", "NetworkPolicy", ["spec": ["podSelector": [:]]]) == "x | <none> | 10m")
    }

    @Test func `nodes, storage and the rest`() throws {
        #expect(
            try row(
                "v1", "Node",
                [
                    "metadata": ["labels": ["node-role.kubernetes.io/control-plane": ""]],
                    "spec": ["unschedulable": true],
                    "status": [
                        "conditions": [["type": "Ready", "status": "True"]],
                        "addresses": [["type": "InternalIP", "address": "192.0.2.7"]],
                        "nodeInfo": [
                            "kubeletVersion": "v1.37.0", "osImage": "Debian", "kernelVersion": "6.18",
                            "containerRuntimeVersion": "forkless://1",
                        ],
                    ],
                ])
                == "x | Ready,SchedulingDisabled | control-plane | 10m | v1.37.0 | 192.0.2.7 | <none> | Debian | 6.18 | forkless://1"
        )
        #expect(try row("v1", "Namespace", ["status": ["phase": "Active"]]) == "x | Active | 10m")
        #expect(
            try row(
                "v1", "PersistentVolumeClaim",
                [
                    "spec": ["volumeName": "pv1", "storageClassName": "local", "volumeMode": "Filesystem"],
                    "status": ["phase": "Bound", "capacity": ["storage": "1Gi"], "accessModes": ["ReadWriteOnce"]],
                ]) == "x | Bound | pv1 | 1Gi | RWO | local | <unset> | 10m | Filesystem")
        #expect(
            try row(
                "v1", "PersistentVolume",
                [
                    "spec": [
                        "capacity": ["storage": "1Gi"], "accessModes": ["ReadWriteMany", "ReadWriteOnce"],
                        "persistentVolumeReclaimPolicy": "Delete", "claimRef": ["namespace": "n", "name": "c"],
                        "storageClassName": "local",
                    ], "status": ["phase": "Bound"],
                ]) == "x | 1Gi | RWO,RWX | Delete | Bound | n/c | local | <unset> |  | 10m | <unset>")
        #expect(
            try row(
                "storage.k8s.io/v1", "StorageClass",
                [
                    "metadata": [
                        "name": "local", "annotations": ["storageclass.kubernetes.io/is-default-class": "true"],
                    ],
                    "provisioner": "p", "reclaimPolicy": "Delete", "volumeBindingMode": "WaitForFirstConsumer",
                ]) == "local (default) | p | Delete | WaitForFirstConsumer | false | 10m")
        #expect(try row("v1", "ConfigMap", ["data": ["a": "1"], "binaryData": ["b": "MQ=="]]) == "x | 2 | 10m")
        #expect(try row("v1", "Secret", ["type": "Opaque", "data": ["a": "MQ=="]]) == "x | Opaque | 1 | 10m")
        #expect(
            try row(
                "v1", "ResourceQuota",
                [
                    "status": [
                        "hard": ["pods": "10", "limits.cpu": "2", "cpu": "1"], "used": ["pods": "3", "cpu": "500m"],
                    ]
                ])
                == "x | cpu: 500m/1, pods: 3/10 | limits.cpu: 0/2 | 10m")
        #expect(
            try row(
                "rbac.authorization.k8s.io/v1", "RoleBinding",
                [
                    "roleRef": ["kind": "Role", "name": "r"],
                    "subjects": [
                        ["kind": "User", "name": "u"], ["kind": "ServiceAccount", "namespace": "n", "name": "s"],
                    ],
                ]) == "x | Role/r | 10m | u |  | n/s")
        #expect(try row("rbac.authorization.k8s.io/v1", "Role", ["rules": []]) == "x | 2026-01-01T23:50:00Z")
        #expect(
            try row(
                "policy/v1", "PodDisruptionBudget",
                ["spec": ["minAvailable": "50%"], "status": ["disruptionsAllowed": 1]])
                == "x | 50% | N/A | 1 | 10m")
        #expect(
            try row("scheduling.k8s.io/v1", "PriorityClass", ["value": 1000, "preemptionPolicy": "Never"])
                == "x | 1000 | false | 10m | Never")
    }

    @Test func `autoscalers show what was measured and what is wanted`() throws {
        func targets(_ metrics: JSONValue, _ current: JSONValue = []) throws -> String {
            let text = try row(
                "autoscaling/v2", "HorizontalPodAutoscaler",
                [
                    "spec": [
                        "scaleTargetRef": ["kind": "Deployment", "name": "web"], "maxReplicas": 10, "metrics": metrics,
                    ], "status": ["currentMetrics": current, "currentReplicas": 2],
                ])
            #expect(text.hasPrefix("x | Deployment/web | ") && text.hasSuffix(" | <unset> | 10 | 2 | 10m"))
            return text.split(separator: " | ")[2].description
        }
        let cpu: JSONValue = [
            "type": "Resource",
            "resource": ["name": "cpu", "target": ["type": "Utilization", "averageUtilization": 50]],
        ]
        #expect(try targets([cpu]) == "cpu: <unknown>/50%")
        #expect(
            try targets(
                [cpu], [["type": "Resource", "resource": ["name": "cpu", "current": ["averageUtilization": 3]]]])
                == "cpu: 3%/50%")
        let pods: JSONValue = [
            "type": "Pods",
            "pods": ["metric": ["name": "q"], "target": ["type": "AverageValue", "averageValue": "10"]],
        ]
        #expect(try targets([cpu, pods, pods]) == "cpu: <unknown>/50%, <unknown>/10 + 1 more...")
    }

    @Test func `events of both groups look the same`() throws {
        let core: JSONValue = [
            "involvedObject": ["kind": "Pod", "name": "web", "fieldPath": "spec"], "reason": "Started",
            "type": "Normal",
            "message": " started \n", "source": ["component": "kubelet", "host": "one"], "count": 3,
            "firstTimestamp": "2026-01-01T23:59:00Z", "lastTimestamp": "2026-01-01T23:59:30Z",
        ]
        #expect(
            try row("v1", "Event", core)
                == "30s | Normal | Started | pod/web | spec | kubelet, one | started | 60s | 3 | x")
        #expect(
            try row(
                "events.k8s.io/v1", "Event",
                [
                    "regarding": ["kind": "Pod", "name": "web"], "reason": "Started", "type": "Normal", "note": "n",
                    "reportingController": "kubelet", "eventTime": "2026-01-01T23:59:00.000000Z",
                ]) == "60s | Normal | Started | pod/web |  | kubelet | n | 60s | 1 | x")
    }

    // MARK: The document

    @Test func `a list says where it is, and its rows whose they are`() throws {
        let object: JSONValue = [
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": [
                "name": "a", "namespace": "n", "creationTimestamp": "2026-01-01T00:00:00Z", "resourceVersion": "3",
            ],
            "data": ["k": "v"],
        ]
        let kind = try served("v1", "ConfigMap")
        let bytes = JSONWriter.bytes(object)
        let list = try JSONParser.parse(
            TableRenderer(kind, now: Self.now).list(
                [bytes, bytes], ListHead(resourceVersion: "7", continueToken: "abc", remaining: 5)))
        #expect(list["kind"] == "Table" && list["apiVersion"] == "meta.k8s.io/v1")
        #expect(list["metadata"] == ["resourceVersion": "7", "continue": "abc", "remainingItemCount": 5])
        #expect(
            list["columnDefinitions"]?[0]
                == [
                    "name": "Name", "type": "string", "format": "name", "description": "Name of the config map.",
                    "priority": 0,
                ])
        let row: JSONValue = [
            "cells": ["a", 1, "24h"],
            "object": [
                "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": object["metadata"]!,
            ],
        ]
        #expect(list["rows"] == [row, row])
        let whole = TableRenderer(kind, TableForm(objects: .whole), now: Self.now)
        #expect(try JSONParser.parse(whole.object(bytes))["rows"]?[0]?["object"] == object)
        #expect(try JSONParser.parse(whole.object(bytes))["metadata"] == ["resourceVersion": "3"])
        let none = TableRenderer(kind, TableForm(version: "v1beta1", objects: .none), now: Self.now)
        let event = try JSONParser.parse(none.event("ADDED", bytes, isFirst: true))
        #expect(event["type"] == "ADDED" && event["object", "columnDefinitions"]?.array?.count == 3)
        #expect(event["object", "rows"] == [["cells": ["a", 1, "24h"], "object": nil]])
        #expect(
            try JSONParser.parse(none.event("MODIFIED", bytes, isFirst: false))["object", "columnDefinitions"] == .null)
    }

    @Test func `pods that have ended are marked`() throws {
        let table = TableRenderer(try served("v1", "Pod"), now: Self.now)
        let ended = try JSONParser.parse(table.object(Array(#"{"status":{"phase":"Failed"}}"#.utf8)))
        #expect(
            ended["rows"]?[0]?["conditions"]
                == [["type": "Completed", "status": "True", "reason": "Failed", "message": "The pod failed."]])
    }

    @Test func `every kind has a cell for each column`() throws {
        for kind in Schema.kubernetes.kinds {
            let table = TableRenderer(ServedKind(kind, in: .kubernetes), now: Self.now)
            #expect(table.row([:]).count == table.headers.count, "\(kind.id)")
            #expect(table.row(["metadata": ["name": "a"]]).count == table.headers.count, "\(kind.id)")
        }
    }

    @Test(arguments: 0..<20) func `no object traps a printer`(seed: Int) throws {
        var chance = SeededChance(seed: UInt64(seed))
        let words: [JSONValue] = [
            nil, true, 1, -3, 1.5, "", "2026-01-01T00:00:00Z", "Ready", "True", [], [:], [nil], ["a"],
            [["type": "Ready"]],
            [["name": "a", "state": ["terminated": 1]]], ["required": 3],
        ]
        for kind in Schema.kubernetes.kinds {
            let table = TableRenderer(ServedKind(kind, in: .kubernetes), now: Self.now)
            for _ in 0..<20 {
                var object: JSONValue = [:]
                for place in ["metadata", "spec", "status"] {
                    guard let id = Schema.kubernetes[kind.type].field(place)?.type, case .object(let type) = id else {
                        continue
                    }
                    var part = JSONObject()
                    for field in Schema.kubernetes[type].fields where Bool.random(using: &chance) {
                        part[field.name] = words.randomElement(using: &chance)!
                    }
                    object[place] = .object(part)
                }
                for field in Schema.kubernetes[kind.type].fields where Bool.random(using: &chance) {
                    if object[field.name] == nil { object[field.name] = words.randomElement(using: &chance)! }
                }
                let list = try JSONParser.parse(table.list([JSONWriter.bytes(object)], ListHead(resourceVersion: "1")))
                #expect(list["rows"]?[0]?["cells"]?.array?.count == table.headers.count, "\(kind.id) \(chance)")
            }
        }
        let table = TableRenderer(try served("v1", "Pod"), now: Self.now)
        for bytes in ["", "{", "[]", "3", "\u{0}"] { _ = try JSONParser.parse(table.object(Array(bytes.utf8))) }
    }

    @Test func `metadata of anything is an object`() throws {
        let partial = PartialMetadata()
        for bytes in ["", "{", "[]", #"{"metadata":3}"#, "{}"] {
            #expect(try JSONParser.parse(partial.object(Array(bytes.utf8)))["metadata"] == [:], "\(bytes)")
        }
        let list = try JSONParser.parse(
            partial.list([Array(#"{"a":1,"metadata":{"name":"x"}}"#.utf8)], ListHead(resourceVersion: "9")))
        #expect(
            list == [
                "kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
                "metadata": ["resourceVersion": "9"],
                "items": [
                    ["kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": ["name": "x"]]
                ],
            ])
    }
}
