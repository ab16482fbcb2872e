import Linux
import Sandbox
import Testing

@Suite struct CgroupLimitsTests {
    private let machine = MachineCapacity(
        cpus: IndexList("0-1,4")!, memoryNodes: IndexList("0")!, memoryBytes: 8 << 30, processes: 32768)

    @Test(arguments: [
        CgroupLimits.none,
        CgroupLimits(memoryBytes: 6 << 20), CgroupLimits(memoryBytes: 8 << 30),
        CgroupLimits(memoryBytes: 1 << 30, swap: .bytes(0)), CgroupLimits(memoryBytes: 1 << 30, swap: .bytes(64 << 30)),
        CgroupLimits(memoryBytes: 1 << 30, swap: .unlimited),
        CgroupLimits(pids: 1), CgroupLimits(pids: 32768),
        CgroupLimits(cpuMillis: 10), CgroupLimits(cpuMillis: 3000),
        CgroupLimits(cpuShares: 2), CgroupLimits(cpuShares: 262_144),
        CgroupLimits(cpus: "0-1,4", memoryNodes: "0"), CgroupLimits(cpus: "4"),
    ])
    func `limits up to what the machine has are taken`(limits: CgroupLimits) throws {
        try limits.validate(machine: machine)
    }

    @Test(arguments: [
        (CgroupLimits(memoryBytes: (6 << 20) - 1), "limit memory to 6291455 bytes", "6291456"),
        (CgroupLimits(memoryBytes: (8 << 30) + 1), "limit memory to 8589934593 bytes", "at most 8589934592"),
        (CgroupLimits(memoryBytes: -1), "limit memory to -1 bytes", "6291456"),
        (CgroupLimits(memoryBytes: 1 << 30, swap: .bytes(-1)), "limit swap to -1 bytes", "on top"),
        (CgroupLimits(memoryBytes: 1 << 30, swap: .bytes(.max)), "limit swap to", "overflow"),
        (CgroupLimits(swap: .bytes(1)), "limit swap", "memory limit"),
        (CgroupLimits(swap: .unlimited), "limit swap", "memory limit"),
        (CgroupLimits(pids: 0), "limit processes to 0", "least is 1"),
        (CgroupLimits(pids: -5), "limit processes to -5", "least is 1"),
        (CgroupLimits(pids: 32769), "limit processes to 32769", "at most 32768"),
        (CgroupLimits(cpuMillis: 9), "limit CPU time to 9", "least is 10"),
        (CgroupLimits(cpuMillis: 3001), "limit CPU time to 3001", "at most 3000"),
        (CgroupLimits(cpuShares: 1), "limit CPU shares to 1", "least is 2"),
        (CgroupLimits(cpuShares: 262_145), "limit CPU shares to 262145", "at most 262144"),
        (CgroupLimits(cpus: "5-3"), "use CPUs \"5-3\"", "ascending"),
        (CgroupLimits(cpus: ""), "use CPUs \"\"", "list"),
        (CgroupLimits(cpus: "99"), "use CPUs \"99\"", "has 0-1,4, not 99"),
        (CgroupLimits(cpus: "0-4"), "use CPUs \"0-4\"", "not 2"),
        (CgroupLimits(memoryNodes: "1"), "use memory nodes \"1\"", "has 0, not 1"),
    ])
    func `a limit beyond the machine or without sense is refused with what would be right`(
        limits: CgroupLimits, what: String, advice: String
    ) {
        let error = #expect(throws: SystemError.self) { try limits.validate(machine: machine) }
        #expect(error?.code == .invalid)
        #expect(error?.description.contains(what) == true, "\(error as Any)")
        #expect(error?.advice.contains(advice) == true, "\(error as Any)")
    }

    @Test func `the controllers needed are those of the limits given and no others`() {
        #expect(CgroupLimits.none.controllers == [])
        #expect(CgroupLimits(memoryBytes: 1).controllers == .memory)
        #expect(CgroupLimits(pids: 1, cpuShares: 2).controllers == [.pids, .cpu])
        #expect(CgroupLimits(cpuMillis: 1, memoryNodes: "0").controllers == [.cpu, .cpuset])
    }

    @Test(arguments: [
        ("0", "0", 1), ("0-3", "0-3", 4), ("7,0-3", "0-3,7", 5), ("1,0", "0-1", 2), ("0-3,2-5", "0-5", 6),
        ("3-3", "3", 1),
        ("0-999999999", "0-999999999", 1_000_000_000),
    ])
    func `a list of CPUs is read and written as the kernel does`(text: String, written: String, count: Int) throws {
        let list = try #require(IndexList(text))
        #expect(list.description == written)
        #expect(list.count == count)
    }

    @Test(arguments: ["", ",", "0,", "-", "1-", "-1", "3-1", "a", "0 1", "+1", "0-1-2", "0x1", "1234567890", "0\n"])
    func `what is no list of CPUs is refused`(text: String) {
        #expect(IndexList(text) == nil)
    }

    @Test func `this machine has CPUs and memory and allows processes`() throws {
        let machine = try MachineCapacity.ofThisMachine()
        #expect(machine.cpus.count >= 1)
        #expect(machine.memoryNodes.count >= 1)
        #expect(machine.memoryBytes > 64 << 20)
        #expect(machine.processes > 100)
        try CgroupLimits(memoryBytes: machine.memoryBytes, cpuMillis: machine.cpus.count * 1000).validate(
            machine: machine)
    }

    @Test(arguments: ["", ".", "..", "a/b", "/", "a\nb", "a\0b", "a\u{7f}", String(repeating: "x", count: 201)])
    func `a name that would be another directory is refused`(name: String) {
        let error = #expect(throws: SystemError.self) { try Cgroup.validate(name: name) }
        #expect(error?.code == .invalid)
    }

    @Test(arguments: ["a", "...", ".hidden", "web-1", "Ünïcode", String(repeating: "x", count: 200)])
    func `any other name up to 200 bytes is taken`(name: String) throws {
        try Cgroup.validate(name: name)
    }
}
