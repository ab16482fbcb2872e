import Linux
import Sandbox
import Testing

/// Mount tables of the kinds of hosts there are, shortened to the lines that matter.
@Suite struct CgroupLayoutTests {
    private static let root = "23 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
    private static let tmpfs = "31 23 0:28 / /sys/fs/cgroup ro,nosuid - tmpfs tmpfs ro,mode=755\n"

    private static let legacyMounts =
        root + tmpfs + """
            32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
            33 31 0:30 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset
            34 31 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory
            35 31 0:32 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer
            36 31 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids
            37 31 0:34 / /sys/fs/cgroup/blkio rw - cgroup cgroup rw,blkio
            38 31 0:35 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd

            """
    private static let legacyMembership = """
        7:name=systemd:/init.scope
        6:blkio:/
        5:pids:/a:b
        4:freezer:/
        3:memory:/
        2:cpuset:/
        1:cpu,cpuacct:/
        """
    private static let unifiedLine = "39 31 0:36 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate\n"

    @Test func `a pure v1 host with cpu and cpuacct mounted together`() throws {
        let layout = try CgroupLayout.parse(mountinfo: Self.legacyMounts, cgroup: Self.legacyMembership)
        #expect(layout.kind == .legacy)
        #expect(layout.unified == nil)
        #expect(layout.legacy.count == 5)
        #expect(
            layout.legacy.first
                == CgroupLayout.Mount(path: "/sys/fs/cgroup/cpu,cpuacct", controllers: [.cpu, .cpuAccounting]))
        #expect(layout.legacy.contains(CgroupLayout.Mount(path: "/sys/fs/cgroup/pids", controllers: .pids)))
        #expect(layout.unmounted == [])
    }

    @Test func `a hybrid host whose v2 hierarchy has no controller that is used`() throws {
        let layout = try CgroupLayout.parse(
            mountinfo: Self.legacyMounts + Self.unifiedLine, cgroup: Self.legacyMembership + "\n0::/\n"
        ).offering("hugetlb misc\n")
        #expect(layout.kind == .hybrid)
        #expect(layout.unified == CgroupLayout.Mount(path: "/sys/fs/cgroup/unified", controllers: []))
        #expect(layout.legacy.count == 5)
    }

    @Test func `a pure v2 host`() throws {
        let layout = try CgroupLayout.parse(
            mountinfo: Self.root + "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n",
            cgroup: "0::/user.slice/session.scope\n"
        ).offering("cpuset cpu io memory hugetlb pids rdma\n")
        #expect(layout.kind == .unified)
        #expect(
            layout.unified
                == CgroupLayout.Mount(path: "/sys/fs/cgroup", controllers: [.cpuset, .cpu, .memory, .pids]))
        #expect(layout.legacy == [])
    }

    @Test func `a v2 host without some controllers offers only the others`() throws {
        let layout = try CgroupLayout.parse(
            mountinfo: Self.root + "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 none rw\n", cgroup: "0::/\n"
        ).offering("cpu pids")
        #expect(layout.unified?.controllers == [.cpu, .pids])
    }

    @Test func `a host without any cgroup mount`() throws {
        let layout = try CgroupLayout.parse(mountinfo: Self.root, cgroup: "")
        #expect(layout.kind == .none)
        #expect(layout == CgroupLayout())
    }

    @Test func `a v1 controller that is not mounted here is known to be elsewhere`() throws {
        let layout = try CgroupLayout.parse(mountinfo: Self.root, cgroup: Self.legacyMembership)
        #expect(layout.kind == .none)
        #expect(layout.unmounted == [.cpu, .cpuAccounting, .cpuset, .memory, .freezer, .pids])
    }

    @Test func `a hierarchy covered by another mount is not used`() throws {
        let allCovered = Self.legacyMounts + Self.unifiedLine + "50 31 0:50 / /sys/fs/cgroup rw - tmpfs none rw\n"
        #expect(try CgroupLayout.parse(mountinfo: allCovered, cgroup: "").kind == .none)
        let oneCovered = Self.legacyMounts + "51 36 0:51 / /sys/fs/cgroup/pids rw - tmpfs none rw\n"
        let layout = try CgroupLayout.parse(mountinfo: oneCovered, cgroup: Self.legacyMembership)
        #expect(layout.legacy.count == 4)
        #expect(layout.unmounted == .pids)
    }

    @Test func `of several mounts of a hierarchy the writable and whole one is used`() throws {
        let layout = try CgroupLayout.parse(
            mountinfo: Self.root + """
                40 23 0:31 / /readonly rw - cgroup cgroup ro,memory
                41 23 0:31 / /bound-readonly ro - cgroup cgroup rw,memory
                42 23 0:31 /part /part rw - cgroup cgroup rw,memory
                43 23 0:31 / /whole rw - cgroup cgroup rw,memory
                44 23 0:36 /docker/1 /v2-part rw - cgroup2 none rw
                45 23 0:36 / /v2 rw - cgroup2 none rw

                """, cgroup: "")
        #expect(layout.legacy == [CgroupLayout.Mount(path: "/whole", controllers: .memory)])
        #expect(layout.unified?.path == "/v2")
    }

    @Test(arguments: ["nonsense", "1:memory", "x:memory:/"])
    func `a damaged membership line is refused`(line: String) {
        let error = #expect(throws: SystemError.self) {
            try CgroupLayout.parse(mountinfo: Self.root, cgroup: "0::/\n" + line)
        }
        #expect(error?.subject == line)
    }

    @Test func `this process can read its own layout`() throws {
        #expect(try CgroupLayout.ofThisProcess().kind != .none)
    }
}
