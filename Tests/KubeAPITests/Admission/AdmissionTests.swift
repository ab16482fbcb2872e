import JSON
import KubeObjects
import KubeSchema
import KubeStore
import TestKit
import Testing

@testable import KubeAPI

@Suite(.timeLimit(.minutes(2)))
struct AdmissionTests {
    private func object(_ apiVersion: String, _ kind: String, _ name: String, _ rest: JSONValue = [:]) -> JSONValue {
        var object = rest
        object["apiVersion"] = .string(apiVersion)
        object["kind"] = .string(kind)
        object["metadata", "name"] = .string(name)
        return object
    }

    @Test func `nothing is made in a namespace that is missing or going`() async throws {
        let door = try await Door()
        let missing = await door.send("POST", "/api/v1/namespaces/nowhere/configmaps", Door.configMap("a"))
        #expect(missing.status == 404)
        #expect(missing.message == "namespaces \"nowhere\" not found")
        _ = await door.send("POST", "/api/v1/namespaces", object("v1", "Namespace", "team"))
        _ = await door.send("DELETE", "/api/v1/namespaces/team")
        let going = await door.send("POST", "/api/v1/namespaces/team/configmaps", Door.configMap("a"))
        #expect(going.status == 403)
        #expect(
            going.message
                == "configmaps \"a\" is forbidden: unable to create new content in namespace team because it is being terminated"
        )
        #expect(going.json["details", "causes"]?[0]?["reason"] == "NamespaceTerminating")
        let system = await door.send("DELETE", "/api/v1/namespaces/default")
        #expect(system.message == "namespaces \"default\" is forbidden: this namespace may not be deleted")
        await door.close()
    }

    @Test func `a pod gets an account, its token, a priority and tolerations`() async throws {
        let door = try await Door()
        let made = await door.send("POST", pods, Door.pod("p"))
        #expect(made.status == 201, "\(made.text)")
        let spec = made.json["spec"] ?? .null
        #expect(spec["serviceAccountName"] == "default")
        #expect(spec["priority"] == 0)
        #expect(spec["preemptionPolicy"] == "PreemptLowerPriority")
        #expect(spec["tolerations"]?.array?.count == 2)
        let volume = spec["volumes"]?[0]
        #expect(volume?["name"]?.string?.hasPrefix("kube-api-access-") == true)
        #expect(spec["containers"]?[0]?["volumeMounts"]?[0]?["name"] == volume?["name"])
        #expect(made.json["status", "qosClass"] == "BestEffort")
        var other = Door.pod("q")
        other["spec", "automountServiceAccountToken"] = false
        other["spec", "priorityClassName"] = "system-node-critical"
        let critical = await door.send("POST", pods, other)
        #expect(critical.json["spec", "volumes"] == nil)
        #expect(critical.json["spec", "priority"] == 2_000_001_000)
        other = Door.pod("r")
        other["spec", "serviceAccountName"] = "nobody"
        let nobody = await door.send("POST", pods, other)
        #expect(
            nobody.message
                == "pods \"r\" is forbidden: error looking up service account default/nobody: serviceaccount \"nobody\" not found"
        )
        other["spec"] = Door.pod("r")["spec"]
        other["spec", "priorityClassName"] = "none"
        let none = await door.send("POST", pods, other)
        #expect(none.message == "pods \"r\" is forbidden: no PriorityClass with name none was found")
        other["spec", "priorityClassName"] = nil
        other["spec", "runtimeClassName"] = "none"
        let runtime = await door.send("POST", pods, other)
        #expect(runtime.message == "pods \"r\" is forbidden: pod rejected: RuntimeClass \"none\" not found")
        await door.close()
    }

    @Test func `limit ranges fill in and refuse`() async throws {
        let door = try await Door()
        let range = object(
            "v1", "LimitRange", "limits",
            [
                "spec": [
                    "limits": [
                        [
                            "type": "Container", "default": ["cpu": "500m"], "defaultRequest": ["cpu": "100m"],
                            "max": ["cpu": "1"], "min": ["cpu": "50m"],
                        ]
                    ]
                ]
            ])
        #expect(await door.send("POST", "/api/v1/namespaces/default/limitranges", range).status == 201)
        let made = await door.send("POST", pods, Door.pod("p"))
        #expect(
            made.json["spec", "containers"]?[0]?["resources"] == [
                "requests": ["cpu": "100m"], "limits": ["cpu": "500m"],
            ])
        #expect(
            made.json["metadata", "annotations", "kubernetes.io/limit-ranger"]
                == "LimitRanger plugin set: cpu request for container main; cpu limit for container main")
        var large = Door.pod("q")
        large["spec"] = [
            "containers": [
                ["name": "main", "image": "i", "resources": ["limits": ["cpu": "2"], "requests": ["cpu": "10m"]]]
            ]
        ]
        let refused = await door.send("POST", pods, large)
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "pods \"q\" is forbidden: [minimum cpu usage per Container is 50m, but request is 10m, maximum cpu usage per "
                + "Container is 1, but limit is 2]")
        await door.close()
    }

    private func quota(_ door: Door, _ hard: JSONValue, used: JSONValue) async {
        let made = await door.send(
            "POST", "/api/v1/namespaces/default/resourcequotas",
            object("v1", "ResourceQuota", "q", ["spec": ["hard": hard]]))
        var counted = made.json
        counted["status"] = ["hard": hard, "used": used]
        _ = await door.send("PUT", "/api/v1/namespaces/default/resourcequotas/q/status", counted)
    }

    @Test func `a quota refuses what is too much`() async throws {
        let door = try await Door()
        await quota(door, ["pods": "1", "requests.cpu": "1"], used: ["pods": "0", "requests.cpu": "0"])
        let silent = await door.send("POST", pods, Door.pod("p"))
        #expect(silent.message == "pods \"p\" is forbidden: failed quota: q: must specify requests.cpu for: main")
        var pod = Door.pod("p")
        pod["spec"] = ["containers": [["name": "main", "image": "i", "resources": ["requests": ["cpu": "600m"]]]]]
        #expect(await door.send("POST", pods, pod).status == 201)
        pod["metadata", "name"] = "p2"
        let more = await door.send("POST", pods, pod)
        #expect(more.status == 403)
        #expect(
            more.message
                == "pods \"p2\" is forbidden: exceeded quota: q, requested: pods=1,requests.cpu=600m, used: pods=1,requests.cpu=600m, "
                + "limited: pods=1,requests.cpu=1")
        await door.close()
    }

    @Test func `a quota holds against many at once`() async throws {
        let door = try await Door()
        await quota(door, ["count/configmaps": "5"], used: ["count/configmaps": "0"])
        let made = await withTaskGroup(of: Int.self) { group in
            for number in 0..<20 {
                group.addTask { await door.send("POST", maps, Door.configMap("m\(number)")).status == 201 ? 1 : 0 }
            }
            return await group.reduce(0, +)
        }
        #expect(made == 5)
        #expect(await door.send("GET", maps).json["items"]?.array?.count == 5)
        await door.close()
    }

    @Test func `the standards of a namespace refuse pods in upstream's words`() async throws {
        let door = try await Door()
        let labels: JSONValue = [
            "pod-security.kubernetes.io/enforce": "baseline", "pod-security.kubernetes.io/warn": "restricted",
        ]
        _ = await door.send(
            "POST", "/api/v1/namespaces", object("v1", "Namespace", "safe", ["metadata": ["labels": labels]]))
        let place = "/api/v1/namespaces/safe/pods"
        var pod = Door.pod("p")
        pod["spec"] = [
            "hostNetwork": true,
            "containers": [
                [
                    "name": "main", "image": "i",
                    "securityContext": ["privileged": true, "allowPrivilegeEscalation": true],
                ]
            ],
        ]
        let refused = await door.send("POST", place, pod)
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "pods \"p\" is forbidden: violates PodSecurity \"baseline:latest\": host namespaces (hostNetwork=true), "
                + "privileged (container \"main\" must not set securityContext.privileged=true)")
        pod["spec"] = [
            "hostPID": true, "hostIPC": true,
            "securityContext": ["sysctls": [["name": "kernel.msgmax", "value": "65536"]]],
            "containers": [["name": "main", "image": "i"]],
        ]
        let looking = await door.send("POST", place, pod).message
        #expect(looking.contains("host namespaces (hostPID=true, hostIPC=true)"), "\(looking)")
        #expect(looking.contains("forbidden sysctls (kernel.msgmax)"), "\(looking)")
        var sharing = Door.pod("sharing")
        sharing["spec", "shareProcessNamespace"] = true
        #expect(await door.send("POST", place, sharing).status == 201)
        let warned = await door.send("POST", place, Door.pod("q"))
        #expect(warned.status == 201)
        let words = """
            would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "main" must set \
            securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "main" must set \
            securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "main" must set \
            securityContext.runAsNonRoot=true), seccompProfile (pod or container "main" must set \
            securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")
            """
        #expect(warned.warnings.first == Warnings.header(words))
        await door.close()
    }

    @Test func `the stricter standard refuses more`() {
        var chance = SeededChance(seed: 11)
        func maybe(_ value: JSONValue) -> JSONValue? { Bool.random(using: &chance) ? .some(value) : .none }
        for _ in 0..<2000 {
            var container: JSONValue = ["name": "c"]
            container["securityContext", "privileged"] = maybe(true)
            container["securityContext", "runAsUser"] = maybe(0)
            container["securityContext", "capabilities", "add"] = maybe(["NET_ADMIN"])
            container["securityContext", "seccompProfile", "type"] = maybe("Unconfined")
            container["securityContext", "procMount"] = maybe("Unmasked")
            container["ports"] = maybe([["hostPort": 80]])
            var pod: JSONValue = ["spec": ["containers": [container]]]
            pod["spec", "hostPID"] = maybe(true)
            pod["spec", "volumes"] = maybe([["name": "v", "hostPath": ["path": "/"]]])
            if !PodStandards.problems(pod, .baseline).isEmpty {
                #expect(!PodStandards.problems(pod, .restricted).isEmpty, "\(chance)")
            }
            #expect(PodStandards.problems(pod, .privileged).isEmpty)
        }
    }

    @Test func `volumes are protected and claims get the default class`() async throws {
        let door = try await Door()
        let claim = object(
            "v1", "PersistentVolumeClaim", "data",
            ["spec": ["accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": "1Gi"]]]])
        let made = await door.send("POST", "/api/v1/namespaces/default/persistentvolumeclaims", claim)
        #expect(made.json["spec", "storageClassName"] == "local-path")
        #expect(made.json["metadata", "finalizers"] == ["kubernetes.io/pvc-protection"])
        #expect(made.json["status", "phase"] == "Pending")
        await door.close()
    }

    @Test func `fields without an effect are warned of`() async throws {
        let door = try await Door()
        var deployment = Door.deployment("web")
        deployment["spec", "template", "spec", "topologySpreadConstraints"] = [
            [
                "maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway",
                "labelSelector": ["matchLabels": ["app": "web"]],
            ]
        ]
        let made = await door.send("POST", deployments, deployment)
        #expect(made.status == 201, "\(made.text)")
        #expect(
            made.warnings == [
                "299 - \"spec.template.spec.topologySpreadConstraints: there is one node, so pods are spread over nothing\""
            ])
        await door.close()
    }

    @Test func `a size that is not enforced and labels that keep a pod from starting are warned of`() {
        let options: JSONValue = ["seLinuxOptions": ["level": "s0"]]
        let volumes: JSONValue = [
            ["name": "disk", "emptyDir": ["sizeLimit": "1Gi"]],
            ["name": "memory", "emptyDir": ["medium": "Memory", "sizeLimit": "1Gi"]],
            ["name": "any", "emptyDir": [:]],
        ]
        let spec: JSONValue = [
            "containers": [["name": "c", "image": "i", "securityContext": options]], "volumes": volumes,
        ]
        #expect(
            FieldsWithoutEffect.warnings(spec, path: ["spec"]) == [
                "spec.containers[0].securityContext.seLinuxOptions: "
                    + "SELinux labels are not supported here, so the pod does not start",
                "spec.volumes[0].emptyDir.sizeLimit: it is enforced here only for the medium Memory",
            ])
    }

    @Test func `a taint that evicts nobody is warned of when it is set`() async throws {
        let door = try await Door()
        let taints: JSONValue = [["key": "a", "effect": "NoSchedule"], ["key": "b", "effect": "NoExecute"]]
        let made = await door.send("POST", "/api/v1/nodes", object("v1", "Node", "n1", ["spec": ["taints": taints]]))
        #expect(made.status == 201, "\(made.text)")
        let words =
            "spec.taints[1].effect: NoExecute keeps new pods away and ends those of DaemonSets; "
            + "it evicts no other pod here"
        #expect(made.warnings == [Warnings.header(words)])
        var changed = made.json
        changed["metadata", "labels"] = ["a": "b"]
        let again = await door.send("PUT", "/api/v1/nodes/n1", changed)
        #expect(again.status == 200, "\(again.text)")
        #expect(again.warnings == [])
        await door.close()
    }
}

@Suite(.timeLimit(.minutes(2)))
struct QuotaOfUpdatesTests {
    @Test func `what grows is charged, and no more`() async throws {
        let door = try await Door()
        let quotas = "/api/v1/namespaces/default/resourcequotas"
        let services = "/api/v1/namespaces/default/services"
        var service: JSONValue = [
            "apiVersion": "v1", "kind": "Service", "metadata": ["name": "web"], "spec": ["ports": [["port": 80]]],
        ]
        var made = await door.send("POST", services, service).json
        let hard: JSONValue = ["services": "1", "services.nodeports": "0"]
        var quota = await door.send(
            "POST", quotas,
            ["apiVersion": "v1", "kind": "ResourceQuota", "metadata": ["name": "q"], "spec": ["hard": hard]]
        ).json
        quota["status"] = ["hard": hard, "used": ["services": "1", "services.nodeports": "0"]]
        _ = await door.send("PUT", quotas + "/q/status", quota)
        made["metadata", "labels"] = ["a": "b"]
        let labelled = await door.send("PUT", services + "/web", made)
        #expect(labelled.status == 200, "\(labelled.text)")
        service = labelled.json
        service["spec", "type"] = "NodePort"
        let refused = await door.send("PUT", services + "/web", service)
        #expect(refused.status == 403)
        #expect(
            refused.message
                == "services \"web\" is forbidden: exceeded quota: q, requested: services.nodeports=1, used: "
                + "services.nodeports=0, limited: services.nodeports=0")
        await door.close()
    }
}
