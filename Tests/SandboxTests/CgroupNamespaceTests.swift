import Linux
import Sandbox
import Spawn
import Testing

/// Other kinds of hosts, shown by this kernel in private mount namespaces: their real mount tables, and programs run
/// by what was read from them. (The hierarchies that stay mounted are where they are outside, too.)
@Suite struct CgroupNamespaceTests {
    private static let whole = (try? CgroupLayout.ofThisProcess()) ?? CgroupLayout()
    private static let isHybrid = whole.kind == .hybrid

    /// The layout that a process sees after these commands in a mount namespace of its own.
    private func layout(after commands: String) throws -> CgroupLayout {
        var pipe = try Files.pipe()
        let reader = pipe.takeReader()
        let writer = pipe.takeWriter()
        var program = StepProgram()
        let output = program.slot(writer.raw)
        program.add(.unshareFiles(lowest: 3))
        program.add(.duplicate(output, to: 1))
        program.add(.execute(nil))
        let script = "set -e; \(commands); cat /proc/self/mountinfo; echo ====; cat /proc/self/cgroup"
        var launched = try CompiledProgram(program).start(
            ProgramCall(
                path: "/usr/bin/unshare", arguments: ["unshare", "--mount", "sh", "-c", script],
                environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]))
        writer.close()
        let text = String(decoding: try Files.readAll(reader.raw), as: UTF8.self)
        #expect(try ProcessFD(adopting: launched.takePidfd()).reapBlocking().status == .exited(0))
        let halves = text.split(separator: "====\n")
        try #require(halves.count == 2)
        return try CgroupLayout.parse(mountinfo: String(halves[0]), cgroup: String(halves[1]))
    }

    private func unmounting(_ paths: [String]) -> String { "umount " + paths.joined(separator: " ") }

    /// A program is started, found, frozen, thawed and killed, and its cgroup removed.
    private func lifeCycle(in layout: CgroupLayout) throws {
        try withCgroups(layout) { hierarchy in
            let cgroup = try hierarchy.make("a", [])
            let inmate = try CgroupInmate("sleep 300 & wait", in: cgroup, of: hierarchy)
            try eventually("both run") { try hierarchy.processes(of: cgroup).count == 2 }
            try hierarchy.freeze(cgroup)
            try eventually("both are frozen") { try hierarchy.isFrozen(cgroup) }
            try hierarchy.thaw(cgroup)
            try hierarchy.killAll(of: cgroup)
            #expect(try inmate.wait() == .signaled(Signal.kill, coreDumped: false))
            try eventually("it is empty") { try hierarchy.isEmpty(cgroup) }
        }
    }

    @Test(.enabled(if: isHybrid)) func `a host with only v2 mounted`() throws {
        let whole = Self.whole
        let seen = try layout(after: unmounting(whole.legacy.map(\.path)))
        #expect(seen.kind == .unified)
        #expect(seen.unified?.path == whole.unified?.path)
        #expect(seen.unmounted == whole.legacy.reduce(into: []) { $0.formUnion($1.controllers) })
        try lifeCycle(in: seen)
        try withCgroups(seen) { hierarchy throws in
            let error = #expect(throws: SystemError.self) { try hierarchy.make("a", .memory) }
            #expect(error?.advice.contains("on a v1 hierarchy that is not mounted here") == true)
            #expect(try hierarchy.find("a") == nil)
        }
    }

    @Test(.enabled(if: isHybrid)) func `a host with only v1 mounted`() throws {
        let seen = try layout(after: unmounting([try #require(Self.whole.unified).path]))
        #expect(seen.kind == .legacy)
        #expect(seen.legacy == Self.whole.legacy)
        try lifeCycle(in: seen)
    }

    @Test(.enabled(if: isHybrid)) func `a host whose v2 hierarchy is covered counts as v1`() throws {
        let seen = try layout(after: "mount -t tmpfs none \(try #require(Self.whole.unified).path)")
        #expect(seen.kind == .legacy)
        #expect(seen.unified == nil)
    }

    @Test(.enabled(if: isHybrid)) func `a host whose hierarchies are all covered has none`() throws {
        let seen = try layout(after: "mount -t tmpfs none /sys/fs/cgroup")
        #expect(seen.kind == .none)
        #expect(seen.unmounted.contains(.memory))
    }

    @Test(.enabled(if: isHybrid)) func `a second mount of the v2 hierarchy is not a second hierarchy`() throws {
        let seen = try layout(after: "mount -t tmpfs none /mnt; mkdir /mnt/v2; mount -t cgroup2 none /mnt/v2")
        #expect(seen.kind == .hybrid)
        #expect(seen.legacy == Self.whole.legacy)
    }
}
