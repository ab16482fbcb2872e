import JSON
import Linux
import OCI
import Testing

@testable import RuntimeCgroups

/// What is written for each limit, on v1 and on v2.
@Suite struct ResourceWritesTests {
    private func writes(
        _ resources: JSONValue, isUnified: Bool, current: @escaping @Sendable (String) -> String? = { _ in nil }
    ) throws -> [String] {
        let resources = try Resources(JSONWriter.bytes(resources))
        return try Controller.wanted(by: resources).flatMap { controller in
            try ControlWrite.all(for: controller, resources, isUnified: isUnified, current: current)
        }.map { "\($0.files.joined(separator: "|"))=\($0.text)" }
    }

    private func refusal(_ resources: JSONValue, isUnified: Bool) -> String? {
        do {
            _ = try writes(resources, isUnified: isUnified)
            return nil
        } catch { return "\(error)" }
    }

    @Test func `everything on v1`() throws {
        let resources: JSONValue = [
            "memory": [
                "limit": 100, "reservation": 50, "swap": 150, "kernel": 10, "kernelTCP": 11, "swappiness": 0,
                "disableOOMKiller": true, "useHierarchy": true,
            ],
            "cpu": [
                "shares": 512, "quota": 5000, "period": 10000, "burst": 100, "realtimeRuntime": 1, "realtimePeriod": 2,
                "cpus": "0-1", "mems": "0", "idle": 1,
            ],
            "pids": ["limit": 7],
            "blockIO": [
                "weight": 100, "leafWeight": 200,
                "weightDevice": [["major": 8, "minor": 1, "weight": 300, "leafWeight": 400]],
                "throttleReadBpsDevice": [["major": 8, "minor": 1, "rate": 1]],
                "throttleWriteBpsDevice": [["major": 8, "minor": 1, "rate": 2]],
                "throttleReadIOPSDevice": [["major": 8, "minor": 1, "rate": 3]],
                "throttleWriteIOPSDevice": [["major": 8, "minor": 1, "rate": 0]],
            ],
            "hugepageLimits": [["pageSize": "2MB", "limit": 9]],
            "rdma": ["mlx5_1": ["hcaHandles": 3, "hcaObjects": 4], "a": ["hcaObjects": 5]],
            "network": [
                "classID": 6, "priorities": [["name": "eth1", "priority": 2], ["name": "eth0", "priority": 1]],
            ],
        ]
        #expect(
            try writes(resources, isUnified: false) == [
                "memory.limit_in_bytes=100", "memory.memsw.limit_in_bytes=150", "memory.soft_limit_in_bytes=50",
                "memory.kmem.limit_in_bytes=10", "memory.kmem.tcp.limit_in_bytes=11", "memory.swappiness=0",
                "memory.oom_control=1", "memory.use_hierarchy=1",
                "cpu.shares=512", "cpu.cfs_period_us=10000", "cpu.cfs_quota_us=5000", "cpu.cfs_burst_us=100",
                "cpu.rt_period_us=2", "cpu.rt_runtime_us=1", "cpu.idle=1",
                "cpuset.cpus=0-1", "cpuset.mems=0", "pids.max=7",
                "blkio.weight|blkio.bfq.weight=100", "blkio.leaf_weight=200",
                "blkio.weight_device|blkio.bfq.weight_device=8:1 300", "blkio.leaf_weight_device=8:1 400",
                "blkio.throttle.read_bps_device=8:1 1", "blkio.throttle.write_bps_device=8:1 2",
                "blkio.throttle.read_iops_device=8:1 3", "blkio.throttle.write_iops_device=8:1 0",
                "hugetlb.2MB.limit_in_bytes=9", "hugetlb.2MB.rsvd.limit_in_bytes=9",
                "rdma.max=a hca_object=5", "rdma.max=mlx5_1 hca_handle=3 hca_object=4",
                "net_cls.classid=6", "net_prio.ifpriomap=eth0 1", "net_prio.ifpriomap=eth1 2",
            ])
    }

    @Test func `everything on v2`() throws {
        let resources: JSONValue = [
            "memory": [
                "limit": 100, "reservation": 50, "swap": 150, "kernel": -1, "disableOOMKiller": false,
                "useHierarchy": true,
            ],
            "cpu": ["shares": 1024, "quota": 5000, "period": 10000, "burst": 100, "cpus": "0-1", "mems": "0"],
            "pids": ["limit": 0],
            "blockIO": [
                "weight": 1000, "weightDevice": [["major": 8, "minor": 1, "weight": 10]],
                "throttleReadBpsDevice": [["major": 8, "minor": 1, "rate": 1]],
                "throttleWriteIOPSDevice": [["major": 8, "minor": 1, "rate": 0]],
            ],
            "hugepageLimits": [["pageSize": "2MB", "limit": 9]],
            "rdma": ["a": ["hcaHandles": 5]],
        ]
        #expect(
            try writes(resources, isUnified: true) == [
                "memory.max=100", "memory.swap.max=50", "memory.low=50", "cpu.weight=100", "cpu.max=5000 10000",
                "cpu.max.burst=100", "cpuset.cpus=0-1", "cpuset.mems=0", "pids.max=0",
                "io.weight=default 10000", "io.weight=8:1 1", "io.max=8:1 rbps=1", "io.max=8:1 wiops=max",
                "hugetlb.2MB.max=9", "hugetlb.2MB.rsvd.max=9", "rdma.max=a hca_handle=5",
            ])
        let bfq = try writes(["blockIO": ["weight": 500]], isUnified: true) { $0 == "io.bfq.weight" ? "100" : nil }
        #expect(bfq == ["io.bfq.weight=default 500"])
    }

    @Test func `no limit is no limit, and nought leaves what is there`() throws {
        let none: JSONValue = ["memory": ["limit": -1], "pids": ["limit": -1], "cpu": ["quota": -1]]
        #expect(
            try writes(none, isUnified: false)
                == [
                    "memory.limit_in_bytes=-1", "memory.memsw.limit_in_bytes=-1", "cpu.cfs_quota_us=-1", "pids.max=max",
                ])
        #expect(
            try writes(none, isUnified: true) == [
                "memory.max=max", "memory.swap.max=max", "cpu.max=max", "pids.max=max",
            ])
        let nought: JSONValue = [
            "memory": ["limit": 0, "swap": 0, "reservation": 0],
            "cpu": ["shares": 0, "quota": 0, "period": 0, "cpus": ""],
            "blockIO": ["weight": 0], "pids": [:], "network": [:], "devices": [],
        ]
        #expect(try writes(nought, isUnified: false) == [] && writes(nought, isUnified: true) == [])
    }

    @Test func `an update knows what is set`() throws {
        #expect(
            try writes(["cpu": ["period": 10_000]], isUnified: true) { _ in "5000 100000" } == ["cpu.max=5000 10000"])
        #expect(try writes(["cpu": ["period": 10_000]], isUnified: true) { _ in nil } == ["cpu.max=max 10000"])
        #expect(try writes(["memory": ["swap": 300]], isUnified: true) { _ in "100" } == ["memory.swap.max=200"])
        #expect(throws: SystemError.self) {
            try writes(["memory": ["limit": 50, "checkBeforeUpdate": true]], isUnified: true) { _ in "51" }
        }
    }

    @Test func `what v2 has no word for is refused`() {
        let gone: [JSONValue] = [
            ["memory": ["swappiness": 1]], ["memory": ["kernel": 1]], ["memory": ["kernelTCP": 1]],
            ["memory": ["disableOOMKiller": true]], ["memory": ["useHierarchy": false]],
            ["cpu": ["realtimeRuntime": 1]],
            ["blockIO": ["leafWeight": 10]], ["network": ["classID": 1]], ["memory": ["swap": 5]],
        ]
        for resources in gone {
            #expect(refusal(resources, isUnified: true)?.contains("linux.resources.") == true, "\(resources)")
        }
        for isUnified in [true, false] {
            #expect(
                refusal(["memory": ["limit": 5, "swap": 4]], isUnified: isUnified)?.contains("memory.swap") == true)
            #expect(refusal(["cpu": ["shares": 1]], isUnified: isUnified)?.contains("minimum allowed is 2") == true)
            #expect(refusal(["cpu": ["shares": 262_145]], isUnified: isUnified)?.contains("maximum allowed") == true)
            #expect(refusal(["cpu": ["cpus": "3-1"]], isUnified: isUnified)?.contains("cpu.cpus") == true)
        }
    }

    @Test func `shares become weights on the curve that runtimes share`() {
        let weights: [(UInt64, Int)] = [
            (2, 1), (1024, 100), (262_144, 10_000), (512, 59), (2048, 174), (1_048_576, 10_000),
        ]
        for (shares, weight) in weights { #expect(CPUShares.weight(of: shares) == weight, "\(shares)") }
        var last = 0
        for bit in 1...18 {
            let weight = CPUShares.weight(of: 1 << UInt64(bit))
            #expect(weight > last)
            last = weight
        }
    }
}
