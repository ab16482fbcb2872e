import JSON
import KubeStore
import Synchronization
import TestKit
import Testing

@testable import KubeControllers
@testable import KubeObjects

/// How claims come to volumes, and what becomes of both.
@Suite(.timeLimit(.minutes(2))) struct VolumeTests {
    private let world = World()
    private let binder = VolumeBinder(node: "one", directory: "/var/volumes")

    private func addClass(_ name: String, _ provisioner: String, waits: Bool = false, _ policy: String = "Delete")
        async throws
    {
        try await world.add(
            .storageClasses, name,
            [
                "provisioner": .string(provisioner), "reclaimPolicy": .string(policy),
                "volumeBindingMode": waits ? "WaitForFirstConsumer" : "Immediate",
            ])
    }

    @discardableResult
    private func addClaim(
        _ name: String, _ size: String, class storageClass: String = "manual",
        _ edit: (inout KubeObject) -> Void = { _ in }
    ) async throws -> KubeObject {
        var claim = KubeObject(json: [
            "spec": [
                "accessModes": ["ReadWriteOnce"], "resources": ["requests": ["storage": .string(size)]],
                "storageClassName": .string(storageClass),
            ]
        ])
        edit(&claim)
        return try await world.add(.persistentVolumeClaims, name, claim.json)
    }

    private func addVolume(
        _ name: String, _ size: String, class storageClass: String = "manual",
        _ edit: (inout KubeObject) -> Void = { _ in }
    ) async throws {
        var volume = KubeObject(json: [
            "spec": [
                "accessModes": ["ReadWriteOnce", "ReadOnlyMany"], "capacity": ["storage": .string(size)],
                "storageClassName": .string(storageClass), "persistentVolumeReclaimPolicy": "Retain",
                "hostPath": ["path": "/data"],
            ]
        ])
        edit(&volume)
        try await world.add(.persistentVolumes, name, volume.json)
    }

    private func phase(_ claim: String) throws -> String? {
        try world.object(.persistentVolumeClaims, claim).status["phase"]?.string
    }

    private func volumeOf(_ claim: String) throws -> String? {
        try world.object(.persistentVolumeClaims, claim).spec["volumeName"]?.string
    }

    @Test func `a claim takes the smallest volume that is large enough`() async throws {
        try await addVolume("large", "10Gi")
        try await addVolume("medium", "5Gi")
        try await addVolume("small", "1Gi")
        try await addClaim("data", "2Gi")
        try await world.settle(binder)
        let claim = try world.object(.persistentVolumeClaims, "data")
        #expect(claim.spec["volumeName"] == "medium")
        #expect(claim.status["phase"] == "Bound" && claim.status["capacity"]?["storage"] == "5Gi")
        #expect(claim.status["accessModes"] == ["ReadWriteOnce", "ReadOnlyMany"])
        #expect(claim.metadata.annotations["pv.kubernetes.io/bind-completed"] == "yes")
        #expect(claim.metadata.annotations["pv.kubernetes.io/bound-by-controller"] == "yes")
        let volume = try world.object(.persistentVolumes, "medium")
        #expect(volume.status["phase"] == "Bound" && volume.spec["claimRef", "uid"]?.string == claim.uid)
        #expect(try world.object(.persistentVolumes, "large").status["phase"] == "Available")
    }

    @Test func `class, modes, selector and mode of volume must fit`() async throws {
        try await addVolume("other-class", "5Gi", class: "fast")
        try await addVolume("other-mode", "5Gi") { $0.spec["accessModes"] = ["ReadOnlyMany"] }
        try await addVolume("block", "5Gi") { $0.spec["volumeMode"] = "Block" }
        try await addVolume("unlabelled", "5Gi")
        try await addClaim("data", "2Gi") { $0.spec["selector"] = ["matchLabels": ["tier": "gold"]] }
        try await addClass("manual", "kubernetes.io/no-provisioner")
        try await world.settle(binder)
        #expect(try phase("data") == "Pending")
        try await addVolume("gold", "5Gi") { $0.metadata.labels = ["tier": "gold"] }
        try await world.settle(binder)
        #expect(try volumeOf("data") == "gold")
    }

    @Test func `a claim that names a volume gets that one or waits`() async throws {
        try await addVolume("wanted", "5Gi")
        try await addVolume("other", "2Gi")
        try await addClaim("data", "2Gi") { $0.spec["volumeName"] = "wanted" }
        try await addClaim("late", "2Gi") { $0.spec["volumeName"] = "not-there" }
        try await world.settle(binder)
        #expect(try volumeOf("data") == "wanted" && phase("data") == "Bound")
        #expect(try phase("late") == "Pending")
        #expect(
            try world.object(.persistentVolumeClaims, "data").metadata
                .annotations["pv.kubernetes.io/bound-by-controller"] == nil)
        try await addVolume("not-there", "2Gi")
        try await world.settle(binder)
        #expect(try phase("late") == "Bound")
    }

    @Test func `a volume that names a claim is kept for it`() async throws {
        try await addVolume("kept", "5Gi") { $0.spec["claimRef"] = ["namespace": "default", "name": "mine"] }
        try await addClaim("another", "1Gi")
        try await world.settle(binder)
        #expect(try phase("another") == "Pending")
        #expect(try world.object(.persistentVolumes, "kept").status["phase"] == "Available")
        try await addClaim("mine", "1Gi")
        try await world.settle(binder)
        #expect(try volumeOf("mine") == "kept")
    }

    @Test func `a class of local paths makes a volume and removes it with its claim`() async throws {
        try await addClass("local", "forkless.dev/local-path")
        let claim = try await addClaim("data", "2Gi", class: "local")
        try await world.settle(binder)
        let name = "pvc-\(claim.uid)"
        let volume = try world.object(.persistentVolumes, name)
        #expect(
            volume.spec["hostPath"] == [
                "path": .string("/var/volumes/\(name)_default_data"), "type": "DirectoryOrCreate",
            ])
        #expect(volume.spec["capacity"] == ["storage": "2Gi"])
        #expect(volume.metadata.annotations["pv.kubernetes.io/provisioned-by"] == "forkless.dev/local-path")
        #expect(try phase("data") == "Bound" && volumeOf("data") == name)
        #expect(world.events.contains { $0.hasSuffix("Successfully provisioned volume \(name)") })
        let protection = VolumeProtection()
        try await world.settle(binder, protection)
        try await world.delete(.persistentVolumeClaims, "data")
        try await world.settle(binder, protection)
        #expect(world.names(.persistentVolumeClaims).isEmpty)
        let going = try world.object(.persistentVolumes, name)
        #expect(going.isBeingDeleted && going.metadata.finalizers == ["forkless.dev/volume-directory"])
        #expect(VolumeReclaimer.directory(of: going, below: "/var/volumes") == "/var/volumes/\(name)_default_data")
        #expect(VolumeReclaimer.directory(of: going, below: "/var/other") == nil)
    }

    @Test(arguments: ["/var/volumes/..", "/var/volumes/", "/var/volumes/a/../../etc", "/etc", "/var/volumesx/a"])
    func `nothing outside the directory of volumes is ever removed`(path: String) {
        var volume = KubeObject(json: ["metadata": ["name": "v", "deletionTimestamp": "2026-01-01T00:00:00Z"]])
        volume.metadata.finalizers = ["forkless.dev/volume-directory"]
        volume.spec = ["hostPath": ["path": .string(path)]]
        #expect(VolumeReclaimer.directory(of: volume, below: "/var/volumes") == nil)
    }

    @Test func `a volume that is retained is released and stays`() async throws {
        try await addVolume("kept", "5Gi")
        try await addClaim("data", "1Gi")
        try await world.settle(binder)
        try await world.delete(.persistentVolumeClaims, "data")
        try await world.settle(binder)
        #expect(try world.object(.persistentVolumes, "kept").status["phase"] == "Released")
        // Nobody else gets it, not even a claim of the same name.
        try await addClaim("data", "1Gi")
        try await world.settle(binder)
        #expect(try phase("data") == "Pending")
        // An administrator frees it.
        try await world.change(.persistentVolumes, "kept") { $0.spec["claimRef"] = nil }
        try await world.settle(binder)
        #expect(try phase("data") == "Bound")
    }

    @Test func `a claim whose volume vanished is lost`() async throws {
        try await addVolume("gone", "5Gi")
        try await addClaim("data", "1Gi")
        try await world.settle(binder)
        try await world.delete(.persistentVolumes, "gone")
        try await world.settle(binder)
        #expect(try phase("data") == "Lost")
        #expect(world.events.contains { $0.hasPrefix("Warning ClaimLost") })
    }

    @Test func `claims say what they wait for, once`() async throws {
        try await addClaim("classless", "1Gi", class: "")
        try await addClaim("unknown", "1Gi", class: "nowhere")
        try await addClass("cloud", "ebs.csi.aws.com")
        try await addClaim("cloudy", "1Gi", class: "cloud")
        try await addClass("local", "forkless.dev/local-path")
        try await addClaim("block", "1Gi", class: "local") { $0.spec["volumeMode"] = "Block" }
        try await world.settle(binder)
        try await world.settle(binder)
        let told = world.events.map { $0.split(separator: " ")[1...3].joined(separator: " ") }.sorted()
        #expect(
            told == [
                "ExternalProvisioning persistentvolumeclaims default/cloudy:",
                "FailedBinding persistentvolumeclaims default/classless:",
                "ProvisioningFailed persistentvolumeclaims default/block:",
                "ProvisioningFailed persistentvolumeclaims default/unknown:",
            ])
        let notes = try world.object(.persistentVolumeClaims, "cloudy").metadata.annotations
        #expect(notes["volume.kubernetes.io/storage-provisioner"] == "ebs.csi.aws.com")
    }

    @Test func `a class that waits makes its volume for the first pod, which comes then`() async throws {
        let scheduler = NodeScheduler(node: World.node)
        try await world.addNode()
        try await addClass("local", "forkless.dev/local-path", waits: true)
        try await addClaim("data", "1Gi", class: "local")
        try await world.settle(binder, scheduler)
        #expect(try phase("data") == "Pending")
        #expect(world.events.contains { $0.hasPrefix("Normal WaitForFirstConsumer") })
        try await world.addPod("db") {
            $0.spec["volumes"] = [["name": "v", "persistentVolumeClaim": ["claimName": "data"]]]
        }
        try await world.settle(binder, scheduler)
        #expect(try phase("data") == "Bound")
        #expect(try world.nodeOf("db") == "one")
        let notes = try world.object(.persistentVolumeClaims, "data").metadata.annotations
        #expect(notes["volume.kubernetes.io/selected-node"] == "one")
    }

    @Test func `pods wait for claims that are not there, not bound, or going`() async throws {
        let scheduler = NodeScheduler(node: World.node)
        try await world.addNode()
        func addUser(_ name: String, _ claim: String) async throws {
            try await world.addPod(name) {
                $0.spec["volumes"] = [["name": "v", "persistentVolumeClaim": ["claimName": .string(claim)]]]
            }
        }
        try await addClass("manual", "kubernetes.io/no-provisioner")
        try await addClass("late", "kubernetes.io/no-provisioner", waits: true)
        try await addClaim("unbound", "1Gi")
        try await addClaim("late", "1Gi", class: "late")
        try await addUser("a", "absent")
        try await addUser("b", "unbound")
        try await addUser("c", "late")
        try await world.settle(binder, scheduler)
        let help = " preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling."
        #expect(
            try world.refusal("a") == "0/1 nodes are available: persistentvolumeclaim \"absent\" not found." + help)
        #expect(
            try world.refusal("b")
                == "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims." + help)
        #expect(
            try world.refusal("c")
                == "0/1 nodes are available: 1 node(s) didn't find available persistent volumes to bind." + help)
        try await addVolume("one", "1Gi")
        try await addVolume("two", "1Gi", class: "late")
        try await world.settle(binder, scheduler)
        #expect(try world.nodeOf("b") == "one" && world.nodeOf("c") == "one")
    }

    @Test func `a volume of another node keeps its pods away`() async throws {
        let scheduler = NodeScheduler(node: World.node)
        try await world.addNode()
        try await addVolume("far", "1Gi") {
            let hostname: JSONValue = ["key": "kubernetes.io/hostname", "operator": "In", "values": ["two"]]
            $0.spec["nodeAffinity"] = ["required": ["nodeSelectorTerms": [["matchExpressions": [hostname]]]]]
        }
        try await addClaim("data", "1Gi")
        try await world.addPod("db") {
            $0.spec["volumes"] = [["name": "v", "persistentVolumeClaim": ["claimName": "data"]]]
        }
        try await world.settle(binder, scheduler)
        #expect(try world.refusal("db")?.contains("1 node(s) didn't match PersistentVolume's node affinity") == true)
    }

    @Test func `a claim for one pod has one pod`() async throws {
        let scheduler = NodeScheduler(node: World.node)
        try await world.addNode()
        try await addVolume("single", "1Gi") { $0.spec["accessModes"] = ["ReadWriteOncePod"] }
        try await addClaim("data", "1Gi") { $0.spec["accessModes"] = ["ReadWriteOncePod"] }
        for name in ["a", "b"] {
            try await world.addPod(name) {
                $0.spec["volumes"] = [["name": "v", "persistentVolumeClaim": ["claimName": "data"]]]
            }
        }
        try await world.settle(binder, scheduler)
        #expect(try world.nodeOf("a") == "one")
        #expect(try world.refusal("b")?.contains("ReadWriteOncePod access mode") == true)
    }

    @Test func `a claim in use outlives its deletion`() async throws {
        let protection = VolumeProtection()
        try await addVolume("kept", "5Gi")
        try await addClaim("data", "1Gi")
        try await world.settle(binder, protection)
        #expect(
            try world.object(.persistentVolumeClaims, "data").metadata.finalizers == ["kubernetes.io/pvc-protection"])
        #expect(try world.object(.persistentVolumes, "kept").metadata.finalizers == ["kubernetes.io/pv-protection"])
        try await world.addRunning("db", address: "10.1.0.5", labels: [:]) {
            $0.spec["volumes"] = [["name": "v", "persistentVolumeClaim": ["claimName": "data"]]]
        }
        try await world.delete(.persistentVolumeClaims, "data")
        try await world.delete(.persistentVolumes, "kept")
        try await world.settle(binder, protection)
        #expect(try world.object(.persistentVolumeClaims, "data").isBeingDeleted)
        #expect(try world.object(.persistentVolumes, "kept").isBeingDeleted)
        try await world.finish("db")
        try await world.settle(binder, protection)
        #expect(world.names(.persistentVolumeClaims).isEmpty)
    }

    @Test func `ephemeral volumes have claims that go with the pod`() async throws {
        let ephemeral = EphemeralVolumes()
        let pod = try await world.addPod("web") {
            $0.spec["volumes"] = [
                [
                    "name": "scratch",
                    "ephemeral": [
                        "volumeClaimTemplate": [
                            "metadata": ["labels": ["a": "b"]],
                            "spec": ["accessModes": ["ReadWriteOnce"], "storageClassName": "local"],
                        ]
                    ],
                ]
            ]
        }
        try await world.settle(ephemeral)
        let claim = try world.object(.persistentVolumeClaims, "web-scratch")
        #expect(claim.metadata.labels == ["a": "b"] && claim.spec["storageClassName"] == "local")
        #expect(claim.metadata.controller?.uid == pod.uid)
        #expect(PodClaims.names(of: pod) == ["web-scratch"])
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6]) func `no volume is ever bound to two claims`(seed: UInt64) async throws {
        var chance = SeededChance(seed: seed)
        try await addClass("local", "forkless.dev/local-path")
        try await addClass("manual", "kubernetes.io/no-provisioner")
        var bound: [String: String] = [:]
        for step in 0..<80 {
            let size = ["1Gi", "2Gi", "5Gi"].randomElement(using: &chance)!
            let claims = world.names(.persistentVolumeClaims)
            switch Int.random(in: 0..<8, using: &chance) {
            case 0, 1: try await addVolume("v\(step)", size)
            case 2, 3: try await addClaim("c\(step)", size, class: Bool.random(using: &chance) ? "manual" : "local")
            case 4:
                let name = "v\(Int.random(in: 0..<80, using: &chance))"
                try await addClaim("c\(step)", size) { $0.spec["volumeName"] = .string(name) }
            case 5:
                let name = "c\(Int.random(in: 0..<80, using: &chance))"
                try await addVolume("v\(step)", size) {
                    $0.spec["claimRef"] = ["namespace": "default", "name": .string(name)]
                }
            default:
                if let claim = claims.randomElement(using: &chance) {
                    try await world.delete(.persistentVolumeClaims, claim)
                }
            }
            if Bool.random(using: &chance) { try await world.settle(binder) }
            var holders: [String: String] = [:]
            for claim in world.objects(.persistentVolumeClaims, namespace: nil).map(KubeObject.init)
            where claim.status["phase"] == "Bound" {
                let volume = claim.spec["volumeName"]?.string ?? ""
                #expect(holders.updateValue(claim.uid, forKey: volume) == nil, "\(volume) twice, \(chance)")
                #expect(bound[claim.uid] == nil || bound[claim.uid] == volume, "\(chance)")
                bound[claim.uid] = volume
            }
        }
    }
}
