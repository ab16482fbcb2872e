import Engine
import JSON
import Sandbox
import Testing

@testable import Pods

@Suite struct PodResourcesTests {
    @Test func `limits of a pod hold for each of its containers`() throws {
        let machine = MachineCapacity(
            cpus: try #require(IndexList("0-3")), memoryNodes: try #require(IndexList("0")), memoryBytes: 8 << 30,
            processes: 32768)
        func limits(_ own: JSONValue?, ofPod: JSONValue?) -> [Int?] {
            var spec = ContainerSpec(program: "")
            PodResources.apply(own, ofPod: ofPod, to: &spec, machine: machine, controllers: [])
            return [spec.milliCPUs, spec.memoryBytes]
        }
        let pod: JSONValue = ["limits": ["cpu": "2", "memory": "64Mi"]]
        #expect(limits(nil, ofPod: nil) == [nil, nil])
        #expect(limits(nil, ofPod: pod) == [2000, 64 << 20])
        #expect(limits(["limits": ["cpu": "500m"]], ofPod: pod) == [500, 64 << 20])
        #expect(limits(["limits": ["cpu": "3", "memory": "0"]], ofPod: pod) == [2000, 64 << 20])
    }
}
