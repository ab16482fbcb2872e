import Linux
import OCI
import TestKit
import Testing

@testable import RuntimeCgroups

@Suite struct CgroupPathTests {
    private let hierarchy = RuntimeCgroupLayout.Hierarchy(
        path: "/sys/fs/cgroup/pids", controllers: ["pids"], own: "/user/me")

    private func directory(_ path: String?, isUnified: Bool = false) throws -> String {
        try CgroupPath(path, id: "c1").directory(in: hierarchy, isUnified: isUnified)
    }

    @Test func `paths are absolute, relative to the runtime's own group, or the container's name`() throws {
        #expect(try directory(nil) == "/sys/fs/cgroup/pids/c1")
        #expect(try directory("/pods/a//b/./c/") == "/sys/fs/cgroup/pids/pods/a/b/c")
        #expect(try directory("sub/x") == "/sys/fs/cgroup/pids/user/me/sub/x")
        #expect(try directory("sub/x", isUnified: true) == "/sys/fs/cgroup/pids/user/sub/x")
        let part = RuntimeCgroupLayout.Hierarchy(path: "/c", controllers: [], root: "/user", own: "/user/me")
        #expect(try CgroupPath("x", id: "").directory(in: part, isUnified: false) == "/c/me/x")
    }

    @Test func `a path that leads elsewhere is refused`() {
        for bad in ["/", ".", "..", "/a/../../b", "a/..", "/a/b\nc", String(repeating: "a", count: 256), "//"] {
            #expect(throws: SystemError.self, "\(bad)") { try CgroupPath(bad, id: "c1") }
        }
        #expect(throws: SystemError.self) { try CgroupPath(nil, id: "..") }
    }

    private let mounts = """
        30 20 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
        31 30 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw
        32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct
        33 30 0:29 / /sys/fs/cgroup/devices rw - cgroup cgroup rw,devices
        34 30 0:30 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
        35 30 0:29 /part /mnt/devices ro - cgroup cgroup rw,devices

        """
    private let membership = "12:cpu,cpuacct:/a\n11:devices:/b\n1:name=systemd:/c\n0::/d\n"

    @Test func `every controller is found, and of several mounts the whole and writable one`() throws {
        let layout = try RuntimeCgroupLayout.parse(mountinfo: mounts, cgroup: membership).offering("hugetlb rdma\n")
        #expect(layout.unified == .init(path: "/sys/fs/cgroup/unified", controllers: ["hugetlb", "rdma"], own: "/d"))
        #expect(
            layout.legacy == [
                .init(path: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpu", "cpuacct"], own: "/a"),
                .init(path: "/sys/fs/cgroup/devices", controllers: ["devices"], own: "/b"),
                .init(path: "/sys/fs/cgroup/systemd", controllers: ["name=systemd"], own: "/c"),
            ])
        #expect(!layout.isUnified)
        let covered = mounts + "36 31 0:40 / /sys/fs/cgroup/unified rw - tmpfs tmpfs rw\n"
        #expect(try RuntimeCgroupLayout.parse(mountinfo: covered, cgroup: membership).unified == nil)
        #expect(throws: SystemError.self) { try RuntimeCgroupLayout.parse(mountinfo: mounts, cgroup: "x") }
    }

    @Test func `what is recorded is found again`() throws {
        let layout = try RuntimeCgroupLayout.parse(mountinfo: mounts, cgroup: membership)
        let cgroup = try RuntimeCgroup.plan(path: "/p/c", id: "c", resources: nil, layout: layout)
        #expect(
            cgroup.recorded == [
                "": "/sys/fs/cgroup/unified/p/c", "cpu": "/sys/fs/cgroup/cpu,cpuacct/p/c",
                "cpuacct": "/sys/fs/cgroup/cpu,cpuacct/p/c", "devices": "/sys/fs/cgroup/devices/p/c",
                "name=systemd": "/sys/fs/cgroup/systemd/p/c",
            ])
        #expect(RuntimeCgroup(recorded: cgroup.recorded).recorded == cgroup.recorded)
    }

    @Test func `a limit that nothing on the machine can enforce is refused before anything is made`() throws {
        let layout = try RuntimeCgroupLayout.parse(mountinfo: mounts, cgroup: membership).offering("hugetlb")
        func refusal(_ json: String) -> String? {
            do {
                let resources = try Resources(Array(json.utf8))
                _ = try RuntimeCgroup.plan(path: nil, id: "c", resources: resources, layout: layout)
                return nil
            } catch { return "\(error)" }
        }
        #expect(refusal(#"{"memory":{"limit":1}}"#)?.contains("has the controller memory") == true)
        #expect(refusal(#"{"rdma":{"a":{"hcaHandles":1}}}"#)?.contains("controller rdma") == true)
        #expect(refusal(#"{"unified":{"memory.high":"1"}}"#)?.contains("no controller \"memory\"") == true)
        #expect(refusal(#"{"unified":{"cgroup.kill":"1"}}"#)?.contains("runtime's own") == true)
        #expect(
            refusal(
                #"{"cpu":{"shares":2},"hugepageLimits":[{"pageSize":"2MB","limit":0}],"unified":{"hugetlb.2MB.max":"0"}}"#
            ) == nil)
        #expect(throws: SystemError.self) {
            try RuntimeCgroup.plan(path: nil, id: "c", resources: nil, layout: RuntimeCgroupLayout())
        }
    }
}
