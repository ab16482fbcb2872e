import Linux
import Testing

@testable import Sandbox

/// Every kind of host on a tree of plain files: which files are written, with what, and what is made of those read.
@Suite struct CgroupFakeTreeTests {
    private static let everything: CgroupControllers = [.memory, .pids, .cpu, .cpuset, .cpuAccounting]

    private func open(_ tree: CgroupFakeTree) throws -> CgroupHierarchy {
        try CgroupHierarchy.open(parent: CgroupFakeTree.parent, layout: tree.layout)
    }

    private func make(
        _ name: String, in tree: CgroupFakeTree, _ controllers: CgroupControllers = everything
    ) throws -> (CgroupHierarchy, Cgroup) {
        let hierarchy = try open(tree)
        let cgroup = try hierarchy.make(name, controllers)
        try tree.populate(name)
        return (hierarchy, cgroup)
    }

    @Test func `v2 controllers are handed down by the root and by the parent, and only those missing`() throws {
        let tree = try CgroupFakeTree(.unified)
        let root = tree.root + "/unified/cgroup.subtree_control"
        try Files.replace(root, with: Array("cpu pids\n".utf8))
        let hierarchy = try open(tree)
        #expect(try Files.readText(root).hasPrefix("+memory +cpuset"))
        #expect(try tree.text("cgroup.subtree_control", of: "") == "+memory +pids +cpu +cpuset")
        #expect(hierarchy.available.isSuperset(of: Self.everything))
    }

    @Test func `a v1 cpuset gets its parent's CPUs and hands them to its children`() throws {
        let tree = try CgroupFakeTree(.legacy)
        _ = try open(tree)
        let cpuset = "\(tree.root)/cpuset/\(CgroupFakeTree.parent)"
        #expect(try Files.readText(cpuset + "/cpuset.cpus") == "0-1")
        #expect(try Files.readText(cpuset + "/cpuset.mems") == "0")
        #expect(try Files.readText(cpuset + "/cgroup.clone_children") == "1")
    }

    @Test(arguments: CgroupFakeTree.Host.allCases)
    func `a limit becomes the text that the host's kernel wants`(host: CgroupFakeTree.Host) throws {
        let tree = try CgroupFakeTree(host)
        let (hierarchy, cgroup) = try make("a", in: tree)
        try hierarchy.setLimits(
            CgroupLimits(
                memoryBytes: 64 << 20, swap: .bytes(1 << 20), pids: 32, cpuMillis: 1500, cpuShares: 512, cpus: "0-1",
                memoryNodes: "0"), of: cgroup)
        let expected: [(String, String)] =
            host == .unified
            ? [
                ("memory.max", "67108864"), ("memory.swap.max", "1048576"), ("memory.oom.group", "1"),
                ("pids.max", "32"),
                ("cpu.max", "150000 100000"), ("cpu.weight", "50"), ("cpuset.cpus", "0-1"), ("cpuset.mems", "0"),
            ]
            : [
                ("memory.limit_in_bytes", "67108864"), ("memory.memsw.limit_in_bytes", "68157440"), ("pids.max", "32"),
                ("cpu.cfs_quota_us", "150000"), ("cpu.shares", "512"), ("cpuset.cpus", "0-1"), ("cpuset.mems", "0"),
            ]
        for (file, text) in expected { #expect(try tree.text(file, of: "a") == text, "\(file)") }
    }

    @Test(arguments: CgroupFakeTree.Host.allCases)
    func `without a word about swap there is none`(host: CgroupFakeTree.Host) throws {
        let tree = try CgroupFakeTree(host)
        let (hierarchy, cgroup) = try make("a", in: tree)
        try hierarchy.setLimits(CgroupLimits(memoryBytes: 64 << 20), of: cgroup)
        let (file, text) = host == .unified ? ("memory.swap.max", "0") : ("memory.memsw.limit_in_bytes", "67108864")
        #expect(try tree.text(file, of: "a") == text)
    }

    @Test(arguments: CgroupFakeTree.Host.allCases)
    func `only what differs from the limits set before is written`(host: CgroupFakeTree.Host) throws {
        let tree = try CgroupFakeTree(host)
        let (hierarchy, cgroup) = try make("a", in: tree)
        let old = CgroupLimits(memoryBytes: 64 << 20, pids: 32, cpuMillis: 500, cpuShares: 512, cpus: "0")
        try hierarchy.setLimits(old, of: cgroup)
        try tree.populate("a")
        var new = old
        new.pids = 64
        try hierarchy.setLimits(new, of: cgroup, replacing: old)
        #expect(try tree.text("pids.max", of: "a") == "64")
        for directory in tree.directories("a") {
            for file in try Files.list(directory) where file != "pids.max" {
                #expect(try Files.readText("\(directory)/\(file)") == "", "\(file)")
            }
        }
    }

    @Test(arguments: CgroupFakeTree.Host.allCases)
    func `a limit that is no longer wanted is lifted`(host: CgroupFakeTree.Host) throws {
        let tree = try CgroupFakeTree(host)
        let (hierarchy, cgroup) = try make("a", in: tree)
        let old = CgroupLimits(
            memoryBytes: 64 << 20, pids: 32, cpuMillis: 500, cpuShares: 512, cpus: "0", memoryNodes: "0")
        try hierarchy.setLimits(old, of: cgroup)
        try tree.populate("a")
        try hierarchy.setLimits(.none, of: cgroup, replacing: old)
        let expected: [(String, String)] =
            host == .unified
            ? [
                ("memory.max", "max"), ("memory.swap.max", "max"), ("memory.oom.group", "0"), ("pids.max", "max"),
                ("cpu.max", "max 100000"), ("cpu.weight", "100"), ("cpuset.cpus", ""),
            ]
            : [
                ("memory.limit_in_bytes", "-1"), ("memory.memsw.limit_in_bytes", "-1"), ("pids.max", "max"),
                ("cpu.cfs_quota_us", "-1"), ("cpu.shares", "1024"), ("cpuset.cpus", "0-1"), ("cpuset.mems", "0"),
            ]
        for (file, text) in expected { #expect(try tree.text(file, of: "a") == text, "\(file)") }
    }

    @Test(arguments: [(2, 1), (1024, 100), (512, 50), (2048, 200), (262_144, 10_000)])
    func `v1 shares keep their ratios as v2 weights`(shares: Int, weight: Int) {
        #expect(CgroupHierarchy.weight(ofShares: shares) == weight)
    }

    @Test(arguments: CgroupFakeTree.Host.allCases)
    func `a limit on a controller that the cgroup was made without is refused`(host: CgroupFakeTree.Host) throws {
        let tree = try CgroupFakeTree(host)
        let (hierarchy, cgroup) = try make("a", in: tree, .pids)
        let error = #expect(throws: SystemError.self) {
            try hierarchy.setLimits(CgroupLimits(memoryBytes: 64 << 20, pids: 3), of: cgroup)
        }
        #expect(error?.code == .notSupported)
        #expect(error?.advice.contains("memory") == true)
        #expect(try tree.text("pids.max", of: "a") == "")
    }

    @Test func `a kernel without the account of swap refuses a swap limit and keeps the others`() throws {
        let tree = try CgroupFakeTree(.hybrid)
        try Files.removeTree("\(tree.root)/memory/\(CgroupFakeTree.parent)/memory.memsw.limit_in_bytes")
        let (hierarchy, cgroup) = try make("a", in: tree)
        let error = #expect(throws: SystemError.self) {
            try hierarchy.setLimits(CgroupLimits(memoryBytes: 64 << 20, swap: .bytes(1)), of: cgroup)
        }
        #expect(error?.advice.contains("swapaccount=1") == true)
        try Files.replace("\(tree.root)/memory/\(CgroupFakeTree.parent)/a/memory.swappiness", with: [])
        try hierarchy.setLimits(CgroupLimits(memoryBytes: 64 << 20), of: cgroup)
        #expect(try tree.text("memory.limit_in_bytes", of: "a") == "67108864")
        #expect(try tree.text("memory.swappiness", of: "a") == "0")
    }

    @Test(arguments: CgroupFakeTree.Host.allCases)
    func `only hierarchies that were asked for get a directory`(host: CgroupFakeTree.Host) throws {
        let tree = try CgroupFakeTree(host)
        let (hierarchy, cgroup) = try make("a", in: tree, .pids)
        let home = host == .legacy ? "freezer" : "unified"
        let expected = Set(host == .unified ? [home] : [home, "pids"])
        let have = tree.directories("a").map { $0.dropFirst(tree.root.count + 1).prefix { $0 != "/" } }
        #expect(Set(have.map(String.init)) == expected)
        #expect(try hierarchy.joinDescriptors(of: cgroup).raws.count == (host == .legacy ? 2 : expected.count - 1))
        #expect(try hierarchy.joinDescriptors(of: cgroup, placedAtBirth: false).raws.count == expected.count)
        #expect((try hierarchy.placement(of: cgroup) != nil) == (host != .legacy))
        try tree.strip("a")
        try hierarchy.remove(cgroup)
        #expect(tree.directories("a") == [])
        try hierarchy.remove(cgroup)
    }

    @Test func `a make that fails half way leaves nothing`() throws {
        let tree = try CgroupFakeTree(.hybrid)
        let hierarchy = try open(tree)
        try Files.makeDirectories("\(tree.root)/pids/\(CgroupFakeTree.parent)/a/in-the-way")
        let error = #expect(throws: SystemError.self) { try hierarchy.make("a", Self.everything) }
        #expect(error?.code == .exists)
        #expect(error?.subject == "\(tree.root)/pids/\(CgroupFakeTree.parent)/a")
        #expect(tree.directories("a") == ["\(tree.root)/pids/\(CgroupFakeTree.parent)/a"])
    }

    @Test func `an open that fails half way leaves nothing`() throws {
        let root = "/tmp/forkless-open-\(UInt64.random(in: 0 ... .max))"
        try Files.makeDirectories(root + "/freezer")
        defer { try? Files.removeTree(root) }
        let layout = CgroupLayout(legacy: [
            .init(path: root + "/freezer", controllers: .freezer), .init(path: root + "/missing", controllers: .pids),
        ])
        let error = #expect(throws: SystemError.self) { try CgroupHierarchy.open(parent: "forkless-x", layout: layout) }
        #expect(error?.subject == root + "/missing/forkless-x")
        #expect(try Files.list(root + "/freezer") == [])
    }

    @Test func `a cgroup is found by its directories`() throws {
        let tree = try CgroupFakeTree(.hybrid)
        let (hierarchy, cgroup) = try make("a", in: tree, [.pids, .memory, .cpuAccounting])
        #expect(try hierarchy.find("a") == cgroup)
        #expect(try hierarchy.find("b") == nil)
    }

    @Test func `v1 figures are read from the files of each controller`() throws {
        let tree = try CgroupFakeTree(.legacy)
        let (hierarchy, cgroup) = try make("a", in: tree)
        for (file, text) in [
            ("cpuacct.usage", "2500000\n"), ("cpuacct.stat", "user 3\nsystem 1\n"),
            ("cpu.stat", "nr_periods 5\nnr_throttled 2\nthrottled_time 7000000\n"),
            ("memory.usage_in_bytes", "4096\n"), ("memory.max_usage_in_bytes", "8192\n"), ("memory.failcnt", "3\n"),
            ("memory.memsw.failcnt", "1\n"),
            ("memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 6\n"), ("pids.current", "9\n"),
        ] { try tree.set(file, of: "a", to: text) }
        var expected = CgroupUsage()
        expected.cpuMicroseconds = 2500
        expected.cpuUserMicroseconds = 30_000
        expected.cpuSystemMicroseconds = 10_000
        expected.cpuThrottledMicroseconds = 7000
        expected.memoryBytes = 4096
        expected.memoryPeakBytes = 8192
        expected.memoryLimitHits = 4
        expected.outOfMemoryKills = 6
        expected.pids = 9
        #expect(try hierarchy.usage(of: cgroup) == expected)
        #expect(try hierarchy.outOfMemoryKills(of: cgroup) == 6)
    }

    @Test func `v2 figures are read from the one directory`() throws {
        let tree = try CgroupFakeTree(.unified)
        let (hierarchy, cgroup) = try make("a", in: tree)
        for (file, text) in [
            ("cpu.stat", "usage_usec 2500\nuser_usec 2000\nsystem_usec 500\nnr_throttled 2\nthrottled_usec 7\n"),
            ("memory.current", "4096\n"), ("memory.peak", "8192\n"),
            ("memory.events", "low 0\nhigh 0\nmax 4\noom 7\noom_kill 6\noom_group_kill 1\n"), ("pids.current", "9\n"),
        ] { try tree.set(file, of: "a", to: text) }
        var expected = CgroupUsage()
        expected.cpuMicroseconds = 2500
        expected.cpuUserMicroseconds = 2000
        expected.cpuSystemMicroseconds = 500
        expected.cpuThrottledMicroseconds = 7
        expected.memoryBytes = 4096
        expected.memoryPeakBytes = 8192
        expected.memoryLimitHits = 4
        expected.outOfMemoryKills = 6
        expected.pids = 9
        #expect(try hierarchy.usage(of: cgroup) == expected)
        #expect(try hierarchy.outOfMemoryKills(of: cgroup) == 6)
    }

    @Test func `what is not counted is nil and not nought`() throws {
        let legacy = try CgroupFakeTree(.legacy)
        let (plain, cgroup) = try make("a", in: legacy, [])
        #expect(try plain.usage(of: cgroup) == CgroupUsage())
        #expect(try plain.outOfMemoryKills(of: cgroup) == nil)

        let old = try CgroupFakeTree(.unified)
        let (hierarchy, aged) = try make("a", in: old)
        try Files.removeTree(old.root + "/unified/\(CgroupFakeTree.parent)/a/memory.peak")
        try old.set("memory.current", of: "a", to: "0\n")
        try old.set("memory.events", of: "a", to: "max 0\n")
        let usage = try hierarchy.usage(of: aged)
        #expect(usage.memoryBytes == 0)
        #expect(usage.memoryPeakBytes == nil)
        #expect(usage.outOfMemoryKills == nil)
        #expect(usage.cpuThrottledMicroseconds == nil)
    }

    @Test func `v1 limit hits of nought are unknown where swap shares the limit`() throws {
        let tree = try CgroupFakeTree(.legacy)
        let (hierarchy, cgroup) = try make("a", in: tree)
        for file in ["memory.failcnt", "memory.memsw.failcnt"] { try tree.set(file, of: "a", to: "0\n") }
        #expect(try hierarchy.usage(of: cgroup).memoryLimitHits == nil)
        try tree.set("memory.failcnt", of: "a", to: "2\n")
        #expect(try hierarchy.usage(of: cgroup).memoryLimitHits == 2)
    }

    @Test func `counters are reset where the kernel can and subtracted where not`() throws {
        let legacy = try CgroupFakeTree(.legacy)
        let (hierarchy, cgroup) = try make("a", in: legacy)
        try legacy.set("memory.oom_control", of: "a", to: "oom_kill 6\n")
        let baseline = try hierarchy.resetCounters(of: cgroup)
        for file in ["memory.max_usage_in_bytes", "memory.failcnt", "memory.memsw.failcnt", "cpuacct.usage"] {
            #expect(try legacy.text(file, of: "a") == "0", "\(file)")
        }
        #expect(baseline.outOfMemoryKills == 6)
        try legacy.set("memory.oom_control", of: "a", to: "oom_kill 8\n")
        try legacy.set("memory.max_usage_in_bytes", of: "a", to: "0\n")
        let usage = try hierarchy.usage(of: cgroup).since(baseline)
        #expect(usage.outOfMemoryKills == 2)
        #expect(usage.memoryPeakBytes == 0)
    }

    @Test func `a peak from before hides a smaller one and not a larger one`() {
        var before = CgroupUsage()
        before.memoryPeakBytes = 100
        before.cpuMicroseconds = 7
        var now = before
        now.memoryBytes = 3
        now.cpuMicroseconds = 9
        #expect(now.since(before).memoryPeakBytes == nil)
        #expect(now.since(before).memoryBytes == 3)
        #expect(now.since(before).cpuMicroseconds == 2)
        now.memoryPeakBytes = 101
        #expect(now.since(before).memoryPeakBytes == 101)
    }

    @Test func `v1 without a kill file freezes, and freezing and thawing are words there`() throws {
        let tree = try CgroupFakeTree(.legacy)
        let (hierarchy, cgroup) = try make("a", in: tree)
        try hierarchy.freeze(cgroup)
        #expect(try tree.text("freezer.state", of: "a") == "FROZEN")
        #expect(try hierarchy.isFrozen(cgroup))
        try tree.set("freezer.state", of: "a", to: "FREEZING\n")
        #expect(try !hierarchy.isFrozen(cgroup))
        try tree.set("freezer.state", of: "a", to: "")
        try hierarchy.thaw(cgroup)
        #expect(try tree.text("freezer.state", of: "a") == "THAWED")
    }

    @Test func `on v2 one write kills and one freezes`() throws {
        let tree = try CgroupFakeTree(.hybrid)
        let (hierarchy, cgroup) = try make("a", in: tree)
        try hierarchy.killAll(of: cgroup)
        #expect(try tree.text("cgroup.kill", of: "a") == "1")
        try hierarchy.freeze(cgroup)
        #expect(try tree.text("cgroup.freeze", of: "a") == "1")
        try tree.set("cgroup.events", of: "a", to: "populated 1\nfrozen 1\n")
        #expect(try hierarchy.isFrozen(cgroup))
        #expect(try !hierarchy.isEmpty(cgroup))
        try tree.set("cgroup.events", of: "a", to: "populated 0\nfrozen 0\n")
        #expect(try hierarchy.isEmpty(cgroup))
    }

    @Test func `processes of a pid namespace that is not ours are not listed`() throws {
        let tree = try CgroupFakeTree(.legacy)
        let (hierarchy, cgroup) = try make("a", in: tree)
        try tree.set("cgroup.procs", of: "a", to: "17\n0\n4194304\n")
        #expect(try hierarchy.processes(of: cgroup) == [17, 4_194_304])
    }
}

/// Hosts on which something is missing.
@Suite struct CgroupMissingTests {
    @Test func `a host without cgroups is refused with what to do`() {
        let error = #expect(throws: SystemError.self) {
            try CgroupHierarchy.open(parent: "forkless-x", layout: CgroupLayout())
        }
        #expect(error?.code == .noSuchDevice)
        #expect(error?.advice.contains("mount -t cgroup2") == true)
    }

    @Test(arguments: ["", "..", "a/b"])
    func `a parent that would be another directory is refused`(parent: String) {
        let error = #expect(throws: SystemError.self) {
            try CgroupHierarchy.open(
                parent: parent, layout: CgroupLayout(unified: .init(path: "/nowhere", controllers: [])))
        }
        #expect(error?.code == .invalid)
    }

    @Test(arguments: [
        (
            CgroupLayout(unified: .init(path: "/u", controllers: .pids)),
            "The only hierarchy is v2 at /u, which offers pids"
        ),
        (
            CgroupLayout(
                unified: .init(path: "/u", controllers: []), legacy: [.init(path: "/p", controllers: .pids)]),
            "hybrid host: v2 at /u offers none, and no v1 hierarchy has it"
        ),
        (CgroupLayout(legacy: [.init(path: "/p", controllers: .pids)]), "v1 host and no hierarchy has it"),
        (
            CgroupLayout(legacy: [.init(path: "/p", controllers: .pids)], unmounted: .memory),
            "on a v1 hierarchy that is not mounted here: mount -t cgroup -o memory none /sys/fs/cgroup/memory"
        ),
    ])
    func `a controller that no hierarchy has is refused with what to do`(layout: CgroupLayout, advice: String) {
        let refusal = layout.refusal(of: .memory)
        #expect(refusal.code == .notSupported)
        #expect(refusal.description.hasPrefix("use cgroup controller memory: "))
        #expect(refusal.advice.contains(advice), "\(refusal)")
    }

    @Test func `a cgroup with a missing controller is not made in part`() throws {
        let tree = try CgroupFakeTree(.hybrid)
        var layout = tree.layout
        layout.legacy.removeAll { $0.controllers.contains(.memory) }
        let hierarchy = try CgroupHierarchy.open(parent: CgroupFakeTree.parent, layout: layout)
        let error = #expect(throws: SystemError.self) { try hierarchy.make("a", [.pids, .memory]) }
        #expect(error?.code == .notSupported)
        #expect(error?.subject == "memory")
        #expect(tree.directories("a") == [])
    }

    @Test func `a v2 controller that cannot be handed down is refused with the kernel's reason`() throws {
        let tree = try CgroupFakeTree(.unified)
        let file = tree.root + "/unified/cgroup.subtree_control"
        try Files.removeTree(file)
        let hierarchy = try CgroupHierarchy.open(parent: CgroupFakeTree.parent, layout: tree.layout)
        #expect(hierarchy.available.isDisjoint(with: [.memory, .pids, .cpu, .cpuset]))
        let error = #expect(throws: SystemError.self) { try hierarchy.make("a", .memory) }
        #expect(error?.subject == file)
        #expect(error?.code == .noEntry)
    }

    @Test func `v1 without the freezer cannot freeze and says so`() throws {
        let tree = try CgroupFakeTree(.legacy)
        var layout = tree.layout
        layout.legacy.removeAll { $0.controllers.contains(.freezer) }
        let hierarchy = try CgroupHierarchy.open(parent: CgroupFakeTree.parent, layout: layout)
        let cgroup = try hierarchy.make("a", .pids)
        let error = #expect(throws: SystemError.self) { try hierarchy.freeze(cgroup) }
        #expect(error?.code == .notSupported)
        #expect(error?.subject == "freezer")
    }
}
