import Testing

@testable import Comparison

@Suite struct ProbeParsingTests {
    @Test(
        arguments: [
            ("7 (sh) S 3 7 7 0", 3), ("7 (a) b) R 1 (x) R 4 4", 4), ("7 (tab) )) S 12 1", 12), ("7 sh S 3", nil),
            ("7 (sh) S", nil), ("", nil),
        ] as [(String, Int32?)])
    func `a parent is found whatever a process calls itself`(_ line: String, _ parent: Int32?) {
        #expect(ProcessTree.parent(inStat: line) == parent)
    }

    @Test func `strangers are those neither above nor below`() {
        //   1 ─┬─ 10 ─── 20 (the probe) ─── 30 ─── 31
        //      └─ 11 ─── 12        2 is a kernel thread's parent, 40 lost its parent
        let tree = ProcessTree(parents: [1: 0, 2: 0, 10: 1, 11: 1, 12: 11, 20: 10, 30: 20, 31: 30, 40: 39])
        #expect(tree.strangers(to: 20) == [2, 11, 12, 40])
        #expect(tree.strangers(to: 1) == [2, 40])
    }

    @Test func `processes that change while they are read may form a circle`() {
        #expect(ProcessTree(parents: [5: 6, 6: 5, 7: 5]).strangers(to: 7) == [])
        #expect(ProcessTree(parents: [5: 6, 6: 5, 7: 1]).strangers(to: 7) == [5, 6])
    }

    @Test func `interfaces are what stands before the last colon`() {
        let table = """
            Inter-|   Receive                                                |  Transmit
             face |bytes    packets errs drop fifo frame compressed multicast|bytes
                lo: 1234       12    0
              eth0:99999       12    0
            eth0:1: 0 0 0
            """
        #expect(ProbeAttempt.interfaces(inTable: table) == ["lo", "eth0", "eth0:1"])
        #expect(ProbeAttempt.interfaces(inTable: "") == [])
    }

    @Test func `disks are the last words of the table of partitions`() {
        let table = "major minor  #blocks  name\n\n 254        0  268435456 vda\n   8        1       1024 sda1\nnonsense\n"
        #expect(ProbeAttempt.disks(inTable: table) == ["vda", "sda1"])
        #expect(ProbeAttempt.disks(inTable: "") == [])
    }

    @Test func `limits are looked for in the own cgroup first and then above, in both versions`() {
        let membership = "9:name=systemd:/a\n4:cpu,cpuacct:/x\n3:memory:/a/b\n0::/u\nnonsense\n"
        #expect(
            ControlGroupMembership.directories(ofController: "memory", in: membership) == [
                "/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/u",
                "/sys/fs/cgroup", "/sys/fs/cgroup/unified/u", "/sys/fs/cgroup/unified",
            ])
        #expect(
            ControlGroupMembership.directories(ofController: "cpuacct", in: "4:cpu,cpuacct:/")
                == ["/sys/fs/cgroup/cpu,cpuacct"])
        let above = ControlGroupMembership.directories(ofController: "pids", in: "0::/../other")
        #expect(above[0] == "/sys/fs/cgroup/../other")
    }

    @Test func `a setting that is missing or wrong says which and what it should be`() {
        let settings = ProbeSettings(environment: [ProbeSettings.port: "http", ProbeSettings.marker: ""])
        let port = #expect(throws: ProbeGap.self) {
            _ = try settings.number(ProbeSettings.port, in: 1...65_535)
        }
        #expect(port?.reason == "FORKLESS_PROBE_PORT is a number from 1 to 65535, not \"http\"")
        let marker = #expect(throws: ProbeGap.self) {
            _ = try settings.text(ProbeSettings.marker)
        }
        #expect(marker?.reason == "FORKLESS_PROBE_MARKER is not set")
    }
}
