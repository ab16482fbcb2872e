import JSON
import KubeObjects
import Linux
import Sandbox
import TestKit
import Testing

@testable import Pods

@Suite struct PodFilesTests {
    @Test(arguments: [
        ("$(A) $(B)", "1 $(B)"), ("$$(A)", "$(A)"), ("$A", "$A"), ("$(A", "$(A"), ("$$$(A)", "$1"), ("$", "$"),
        ("é$(A)", "é1"),
    ])
    func `variables are put in their places`(text: String, expected: String) {
        #expect(VariableExpansion.expand(text) { $0 == "A" ? "1" : nil } == expected)
    }

    @Test func `a container has one name for one attempt`() throws {
        let uid = "123e4567-e89b-12d3-a456-426614174000"
        let long = String(repeating: "x", count: 63)
        #expect(PodNaming.name(pod: uid, container: long, attempt: 999_999).utf8.count <= 64)
        #expect(
            PodNaming.name(pod: uid, container: "a", attempt: 0) != PodNaming.name(pod: uid, container: "b", attempt: 0)
        )
        #expect(PodNaming.short("../../etc") == PodNaming.hash("../../etc"))
    }

    @Test func `a reader of a volume sees one state or the other, and what has not changed is not touched`() throws {
        let directory = try TemporaryDirectory("atomic")
        let files = AtomicFiles(directory: directory.path("v"))
        #expect(
            try files.write([
                VolumeFile(path: "a", bytes: [65], mode: 0o644), VolumeFile(path: "d/b", bytes: [66], mode: 0o400),
            ]))
        let first = try Files.link(directory.path("v/..data"))
        #expect(try Files.readText(directory.path("v/d/b")) == "B")
        #expect(
            try !files.write([
                VolumeFile(path: "a", bytes: [65], mode: 0o644), VolumeFile(path: "d/b", bytes: [66], mode: 0o400),
            ]))
        #expect(try Files.link(directory.path("v/..data")) == first)
        #expect(try files.write([VolumeFile(path: "a", bytes: [67], mode: 0o644)]))
        #expect(try Files.readText(directory.path("v/a")) == "C")
        #expect(try Files.list(directory.path("v")).filter { !$0.hasPrefix("..") } == ["a"])
        #expect(!Files.exists(directory.path("v/" + first)))
        for path in ["", "/a", "../a", "a/../b", "..data", "a//b", "a\0b"] { #expect(!AtomicFiles.isInside(path)) }
    }

    @Test func `the pod that asked for least and uses most goes first`() {
        func pod(_ uid: String, _ used: Int, request: String = "0", priority: Int64 = 0) -> MemoryPressure.Pod {
            let container: JSONValue = ["name": "c", "resources": ["requests": ["memory": .string(request)]]]
            return MemoryPressure.Pod(
                object: KubeObject(json: [
                    "metadata": ["uid": .string(uid)],
                    "spec": ["priority": .integer(priority), "containers": [container]],
                ]),
                usage: ["c": used])
        }
        let pressure = MemoryPressure()
        let all = [
            pod("within", 50 << 20, request: "64Mi"), pod("above", 8 << 20), pod("important", 90 << 20, priority: 10),
            pod("vital", 500 << 20, priority: 2_000_001_000),
        ]
        #expect(pressure.victim(availableBytes: 200 << 20, among: all) == nil)
        let victim = pressure.victim(availableBytes: 50 << 20, among: all)
        #expect(victim?.uid == "above")
        #expect(
            victim?.message
                == "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using 8Mi, request is 0, has larger consumption of memory. "
        )
        #expect(pressure.victim(availableBytes: 0, among: [all[3]]) == nil)
    }

    @Test func `a pod that goes already is not let go of again, but the next one`() {
        func pod(_ uid: String, _ used: Int, isEnding: Bool) -> MemoryPressure.Pod {
            MemoryPressure.Pod(
                object: KubeObject(json: [
                    "metadata": ["uid": .string(uid)], "spec": ["containers": [["name": "c"]]],
                ]),
                usage: ["c": used], isEnding: isEnding)
        }
        let (going, next) = (pod("going", 90 << 20, isEnding: true), pod("next", 8 << 20, isEnding: false))
        #expect(MemoryPressure().victim(availableBytes: 0, among: [going, next])?.uid == "next")
        #expect(MemoryPressure().victim(availableBytes: 0, among: [going]) == nil)
    }

    @Test func `a pod's place when memory runs out follows from its class`() {
        func score(_ resources: JSONValue) -> Int {
            let container: JSONValue = ["name": "c", "resources": resources]
            return OutOfMemoryScore.value(
                container, KubeObject(json: ["spec": ["containers": [container]]]), machineMemory: 1 << 30)
        }
        #expect(score([:]) == 1000)
        #expect(score(["requests": ["memory": "256Mi"]]) == 750)
        #expect(score(["requests": ["memory": "1Gi"]]) == 3)
        #expect(score(["requests": ["memory": "1Mi", "cpu": "1"], "limits": ["memory": "1Mi", "cpu": "1"]]) == -997)
    }
}
