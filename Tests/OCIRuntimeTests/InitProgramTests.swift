import Linux
import OCI
import Spawn
import Testing

@testable import OCIRuntime

/// What a container's first process goes through, read without running it.
@Suite struct InitProgramTests {
    private func steps(isEarly: Bool) throws -> [Step] {
        let text = """
            {"ociVersion":"1.2.0","root":{"path":"rootfs"},"process":{"user":{"uid":0,"gid":0},"args":["x"],"cwd":"/","env":[]},
             "mounts":[{"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup"},
                       {"destination":"/dev","type":"tmpfs","source":"tmpfs"}],
             "linux":{"namespaces":[{"type":"mount"},{"type":"network"},{"type":"cgroup"}]}}
            """
        let spec = try RuntimeSpec(Array(text.utf8))
        let process = ProcessSteps(
            process: spec.process!, filter: nil, preserved: 0, isKeyringNew: false, lastCapability: 40)
        let plan = InitProgram.Plan(
            spec: spec, mounts: spec.mounts.map { MountPlan($0, bundle: "/b", isUnified: true) }, legacyHierarchies: [],
            joinCount: 1, awaitsStart: false, stopsForHooks: false, isRootChanged: true,
            ownNamespaces: isEarly ? [.mount, .network] : [])
        return InitProgram(plan, process).steps.steps
    }

    private func position(_ steps: [Step], _ matches: (Step) -> Bool) throws -> Int {
        let position = steps.firstIndex(where: matches)
        return try #require(position)
    }

    @Test(arguments: [true, false]) func `cgroups are joined before what shows them is mounted`(isEarly: Bool) throws {
        let steps = try steps(isEarly: isEarly)
        func mounts(_ type: String) throws -> Int {
            try position(steps) { if case .newFileSystem(type, _) = $0 { true } else { false } }
        }
        let join = try position(steps) { if case .write(_, _, "itself into its cgroup") = $0 { true } else { false } }
        let namespace = try position(steps) { $0 == .unshare(flags: InitProgram.bits(.cgroup)) }
        let shown = try mounts("cgroup2")
        #expect(join < namespace && namespace < shown)
        #expect(steps.contains(.awaitGo) == isEarly)
        guard isEarly else { return }
        // What needs no cgroup is done while the parent makes them.
        let go = try position(steps) { $0 == .awaitGo }
        let temporary = try mounts("tmpfs")
        #expect(temporary < go && go < join)
    }

    @Test func `a child that makes its own namespaces ends with its parent until it goes on`() throws {
        let steps = try steps(isEarly: true)
        let tied = try position(steps) { $0 == .deathSignal(Signal.kill, parent: 0) }
        let free = try position(steps) { $0 == .deathSignal(0, parent: 0) }
        let go = try position(steps) { $0 == .awaitGo }
        #expect(tied == 0 && go + 1 == free)
    }
}
