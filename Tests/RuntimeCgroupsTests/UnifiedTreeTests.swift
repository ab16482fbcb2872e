import JSON
import Linux
import OCI
import TestKit
import Testing

@testable import RuntimeCgroups

/// A host with v2 alone and all of its controllers, of plain files: the test plays the kernel.
@Suite struct UnifiedTreeTests {
    private let root: TemporaryDirectory
    private let layout: RuntimeCgroupLayout
    private let leaf: String

    init() throws {
        root = try TemporaryDirectory("unified")
        layout = RuntimeCgroupLayout(
            unified: .init(
                path: root.path, controllers: ["cpuset", "cpu", "io", "memory", "hugetlb", "pids", "rdma", "misc"]))
        leaf = root.path + "/pods/c1"
    }

    /// Makes the group with these control files, empty or with a text.
    private func populate(_ files: [String: String]) throws {
        try Files.makeDirectories(leaf)
        for (file, text) in files { try Files.replace("\(leaf)/\(file)", with: Array(text.utf8)) }
    }

    private func plan(_ resources: JSONValue) throws -> (RuntimeCgroup, Resources) {
        let resources = try Resources(JSONWriter.bytes(resources))
        return (try RuntimeCgroup.plan(path: "/pods/c1", id: "c1", resources: resources, layout: layout), resources)
    }

    private func text(_ file: String) throws -> String { try Files.readText("\(leaf)/\(file)") }

    @Test func `every controller is handed down to the group and to those above it`() throws {
        try Files.replace(root.path + "/cgroup.subtree_control", with: Array("cpu memory\n".utf8))
        try Files.makeDirectories(root.path + "/pods")
        try Files.replace(root.path + "/pods/cgroup.subtree_control", with: [])
        var (cgroup, _) = try plan([:])
        try cgroup.make()
        // What was there before is not asked for again.
        #expect(try Files.readText(root.path + "/cgroup.subtree_control") == "+cpuset +io +hugetlb +pids +rdma +misc")
        #expect(
            try Files.readText(root.path + "/pods/cgroup.subtree_control")
                == "+cpuset +cpu +io +memory +hugetlb +pids +rdma +misc")
        #expect(cgroup.birth != nil && cgroup.joins.isEmpty)
        try cgroup.remove()
        #expect(!Files.exists(leaf) && Files.exists(root.path + "/pods"))
    }

    @Test func `limits are written to the files of v2`() throws {
        try populate([
            "memory.max": "", "memory.swap.max": "", "memory.low": "", "cpu.weight": "", "cpu.max": "max 100000",
            "cpuset.cpus": "", "cpuset.mems": "", "pids.max": "", "io.weight": "", "io.max": "", "hugetlb.2MB.max": "",
            "rdma.max": "", "memory.high": "", "cgroup.controllers": "cpu memory",
        ])
        var (cgroup, resources) = try plan([
            "memory": ["limit": 1000, "swap": 3000, "reservation": 500],
            "cpu": ["shares": 1024, "quota": 7000, "cpus": "0", "mems": "0"], "pids": ["limit": 9],
            "blockIO": ["weight": 500, "throttleReadBpsDevice": [["major": 8, "minor": 0, "rate": 77]]],
            "hugepageLimits": [["pageSize": "2MB", "limit": 4096]], "rdma": ["mlx": ["hcaHandles": 2]],
            "unified": ["memory.high": "900"],
        ])
        try cgroup.apply(resources)
        #expect(try text("memory.max") == "1000" && text("memory.swap.max") == "2000" && text("memory.low") == "500")
        #expect(try text("cpu.weight") == "100" && text("cpu.max").hasPrefix("7000"))
        #expect(try text("cpuset.cpus") == "0" && text("cpuset.mems") == "0" && text("pids.max") == "9")
        #expect(try text("io.weight") == "default 4950" && text("io.max") == "8:0 rbps=77")
        #expect(
            try text("hugetlb.2MB.max") == "4096" && text("rdma.max") == "mlx hca_handle=2"
                && text("memory.high") == "900")
    }

    @Test func `a control that the kernel does not have is named`() throws {
        try populate(["memory.max": ""])
        var (cgroup, resources) = try plan(["memory": ["limit": 1000, "swap": 3000]])
        let error = #expect(throws: SystemError.self) { try cgroup.apply(resources) }
        #expect(error?.description.contains("memory.swap.max") == true && error?.code == .notSupported)
        // No limit on swap is what it has without, and no swap as well.
        for swap: JSONValue in [-1, 1000] {
            let (_, other) = try plan(["memory": ["limit": 1000, "swap": swap]])
            try cgroup.apply(other)
        }
    }

    @Test func `a limit on swap alone goes by the memory limit in force`() throws {
        try populate(["cgroup.controllers": "memory", "memory.max": "1000\n", "memory.swap.max": ""])
        var cgroup = RuntimeCgroup(recorded: ["": leaf])
        let resources = try Resources(Array(#"{"memory":{"swap":3000}}"#.utf8))
        #expect(cgroup.completed(resources).memory.limit == 1000)
        try cgroup.check(resources)
        try cgroup.apply(resources)
        #expect(try text("memory.swap.max") == "2000" && text("memory.max") == "1000")
        // Without one nobody can tell what swap's own part is.
        try populate(["memory.max": "max\n"])
        #expect(cgroup.completed(resources) == resources)
        #expect(throws: SystemError.self) { try cgroup.check(resources) }
    }

    @Test func `memory that was not to be had is news once, on v2 and on v1`() throws {
        try populate(["cgroup.controllers": "memory", "memory.events": "low 0\nmax 3\noom 0\noom_kill 0\n"])
        let cgroup = RuntimeCgroup(recorded: ["": leaf])
        let before = cgroup.memoryShortage
        try populate(["memory.events": "low 0\nmax 4\noom 1\noom_kill 1\n"])
        let after = cgroup.memoryShortage
        #expect(after.isNews(after: before) && !after.isNews(after: after))
        let legacy = RuntimeCgroup(recorded: ["memory": leaf])
        // Without a file there is nothing to tell, and neither when it has gone with the container.
        #expect(legacy.memoryShortage == MemoryShortage(kills: 0, isWaitedFor: false))
        #expect(!legacy.memoryShortage.isNews(after: after))
        try populate(["memory.oom_control": "oom_kill_disable 1\nunder_oom 1\noom_kill 0\n"])
        let waiting = legacy.memoryShortage
        #expect(waiting.isNews(after: before) && !waiting.isNews(after: waiting))
        try populate(["memory.oom_control": "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"])
        #expect(legacy.memoryShortage.isNews(after: waiting))
    }

    @Test func `figures are those that managers know`() throws {
        try populate([
            "cgroup.controllers": "cpuset cpu io memory hugetlb pids",
            "cpu.stat":
                "usage_usec 3000\nuser_usec 2000\nsystem_usec 1000\nnr_periods 7\nnr_throttled 2\nthrottled_usec 5\n",
            "cpu.pressure":
                "some avg10=0.50 avg60=0.00 avg300=0.00 total=12\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
            "memory.current": "100\n", "memory.max": "max\n", "memory.peak": "200\n",
            "memory.events": "low 0\nhigh 0\nmax 3\noom 1\n",
            "memory.stat": "anon 10\nfile 20\n", "memory.swap.current": "5\n", "memory.swap.max": "50\n",
            "memory.swap.events": "fail 4\n", "pids.current": "2\n", "pids.max": "8\n", "cpuset.cpus": "0-2,4\n",
            "cpuset.mems": "\n",
            "io.stat": "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0\n",
            "hugetlb.2MB.current": "6\n", "hugetlb.2MB.events": "max 1\n", "hugetlb.2MB.rsvd.current": "9\n",
        ])
        let json = RuntimeCgroup(recorded: ["": leaf]).statistics()
        #expect(json["cpu", "usage"] == ["total": 3_000_000, "kernel": 1_000_000, "user": 2_000_000])
        #expect(json["cpu", "throttling"] == ["periods": 7, "throttledPeriods": 2, "throttledTime": 5000])
        #expect(
            json["cpu", "psi", "some", "total"] == 12
                && json["cpu", "psi", "some", "avg10"] == JSONValue(numberText: "0.50"))
        #expect(json["memory", "usage"] == ["limit": .integer(.max), "usage": 100, "max": 200, "failcnt": 3])
        #expect(json["memory", "swap"] == ["limit": .integer(.max), "usage": 105, "failcnt": 4])
        #expect(json["memory", "cache"] == 20 && json["memory", "raw"] == ["anon": 10, "file": 20])
        #expect(json["pids"] == ["current": 2, "limit": 8])
        #expect(json["cpuset", "cpus"] == [0, 1, 2, 4] && json["cpuset", "mems"] == nil)
        #expect(
            json["blkio", "ioServiceBytesRecursive"] == [
                ["major": 8, "op": "Read", "value": 1], ["major": 8, "op": "Write", "value": 2],
                ["major": 8, "op": "Discard"],
            ])
        #expect(json["hugetlb"] == ["2MB": ["usage": 6, "failcnt": 1]])
    }

    @Test func `freezing and killing are one word each`() throws {
        try populate([
            "cgroup.freeze": "", "cgroup.events": "populated 1\nfrozen 1\n", "cgroup.kill": "", "cgroup.procs": "",
        ])
        let cgroup = RuntimeCgroup(recorded: ["": leaf])
        try cgroup.freeze(true)
        #expect(try text("cgroup.freeze") == "1" && cgroup.isFrozen)
        try cgroup.kill()
        #expect(try text("cgroup.kill") == "1" && text("cgroup.freeze") == "0")
    }

    @Test func `processes are found in nested groups, and those of foreign namespaces are none`() throws {
        try populate(["cgroup.procs": "12\n0\n13\n"])
        try Files.makeDirectories(leaf + "/inner")
        try Files.replace(leaf + "/inner/cgroup.procs", with: Array("14\n".utf8))
        #expect(try RuntimeCgroup(recorded: ["": leaf]).processes() == [12, 13, 14])
    }
}
