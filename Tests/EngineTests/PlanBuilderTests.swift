import Engine
import Linux
import Sandbox
import Spawn
import TestKit
import Testing

@Suite struct PlanBuilderTests {
    static let machine = MachineFacts(
        capacity: MachineCapacity(cpus: IndexList("0-1")!, memoryNodes: IndexList("0")!, memoryBytes: 1 << 30, processes: 32_768),
        capabilities: .all.subtracting(Capabilities(name: "SYS_RESOURCE")!), uid: 0, gid: 0,
        controllers: [.memory, .pids, .cpu, .cpuset])

    private func build(
        _ spec: ContainerSpec, machine: MachineFacts = machine, path: String = "/usr/bin/ls", real: String? = nil,
        identity: Users.Identity = Users.Identity(uid: 0, gid: 0, home: "/root")
    ) throws -> PlannedLaunch {
        let builder = PlanBuilder(machine: machine) { capabilities in [UInt8(capabilities.rawValue & 0xff), 1] }
        let program = FoundProgram(path: path, realPath: real ?? path)
        return try builder.build(spec, LaunchFindings(program: program, identity: identity))
    }

    private func change(_ body: (inout ContainerSpec) -> Void) -> ContainerSpec {
        var spec = ContainerSpec(program: "ls")
        body(&spec)
        return spec
    }

    @Test func `two programs in the same place share a plan`() throws {
        let one = try build(ContainerSpec(program: "ls", arguments: ["-l"]))
        let two = try build(change { $0.program = "cat"; $0.environment = ["A=1"]; $0.name = "two" }, path: "/usr/bin/cat")
        #expect(one.plan == two.plan)
        #expect(one.call != two.call)
    }

    @Test func `by default a container is isolated, powerless and bounded`() throws {
        let plan = try build(ContainerSpec(program: "ls")).plan
        #expect(plan.namespaces == .standard)
        #expect(plan.root == .host)
        #expect(plan.capabilities == [])
        #expect(plan.noNewPrivileges)
        #expect(plan.systemCallFilter == [0, 1])
        #expect(plan.limits == CgroupLimits(pids: 4096))
        #expect(plan.hostname == "forkless")
        #expect(Set(KernelPaths.machineSecrets).isSubset(of: plan.maskedPaths))
        #expect(plan.mounts.isEmpty)
    }

    @Test func `the environment has defaults, and what was asked for wins`() throws {
        let call = try build(change { $0.environment = ["HOME=/x", "A=1", "A=2"]; $0.hasTerminal = true }).call
        #expect(
            call.environment.strings == [
                "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME=forkless", "HOME=/x",
                "TERM=xterm", "A=2",
            ])
        #expect(call.arguments.strings == ["ls"])
        #expect(call.path == "/usr/bin/ls")
    }

    @Test func `a program that a host root would hide is shown at its own path, read-only`() throws {
        let hidden = try build(ContainerSpec(program: "/home/me/scorer"), path: "/home/me/scorer", real: "/srv/scorer-2")
        #expect(hidden.plan.mounts == [Mount(.bind("/srv/scorer-2"), at: "/home/me/scorer", readOnly: true)])
        let linked = try build(ContainerSpec(program: "x"), path: "/usr/bin/x", real: "/home/me/x")
        #expect(linked.plan.mounts == [Mount(.bind("/home/me/x"), at: "/home/me/x", readOnly: true)])
        let declared = try build(
            change { $0.mounts = [.bind(source: "/home/me", target: "/home/me", isReadOnly: false)] },
            path: "/home/me/scorer")
        #expect(declared.plan.mounts == [Mount(.bind("/home/me"), at: "/home/me", readOnly: false)])
        let other = try build(change { $0.root = .directory("/roots/a") }, path: "/home/me/scorer")
        #expect(other.plan.mounts.isEmpty)
        // "/usr2" is not below "/usr".
        #expect(try build(ContainerSpec(program: "x"), path: "/usr2/x").plan.mounts.count == 1)
    }

    @Test func `roots and mounts become what the keeper builds`() throws {
        let directory = try build(change { $0.root = .directory("/r"); $0.isReadOnly = true }).plan
        #expect(directory.root == .directory("/r", readOnly: true))
        #expect(directory.temporaryBytes == nil)
        let overlay = try build(change { $0.root = .overlay(lower: ["/a", "/b"], upper: "/u", work: "/w") }).plan
        #expect(overlay.root == .overlay(lower: ["/a", "/b"], upper: .directory("/u", work: "/w")))
        let readOnly = try build(change { $0.root = .overlay(lower: ["/a"], upper: nil, work: nil); $0.isReadOnly = true })
        #expect(readOnly.plan.root == .overlay(lower: ["/a"], upper: .readOnly))
        let temporary = try build(change { $0.mounts = [.temporary(target: "/tmp/", bytes: 8192)] }).plan
        #expect(temporary.temporaryBytes == nil)
        #expect(temporary.mounts == [Mount(.temporary(bytes: 8192), at: "/tmp/")])
    }

    @Test func `capabilities are added to nothing and dropped from that`() throws {
        let some = try build(change { $0.addedCapabilities = ["CHOWN", "cap_kill"]; $0.droppedCapabilities = ["KILL"] }).plan
        #expect(some.capabilities == Capabilities(name: "CHOWN")!)
        #expect(try build(change { $0.addedCapabilities = ["ALL"] }).plan.capabilities == Self.machine.capabilities)
        let error = #expect(throws: SpecError.self) {
            try build(change { $0.addedCapabilities = ["SYS_RESOURCE"] })
        }
        #expect(error?.flag == "--cap-add")
    }

    @Test func `the process rung isolates nothing and takes nothing away`() throws {
        let plan = try build(change { $0.rung = .process }).plan
        #expect(plan.namespaces == [])
        #expect(plan.root == .unchanged)
        #expect(plan.capabilities == Self.machine.capabilities)
        #expect(!plan.noNewPrivileges)
        #expect(plan.systemCallFilter.isEmpty)
        #expect(plan.maskedPaths.isEmpty && plan.readOnlyPaths.isEmpty && plan.temporaryBytes == nil)
        #expect(plan.hostname == nil)
        let other = try build(
            change { $0.rung = .process; $0.user = "7" }, identity: Users.Identity(uid: 7, gid: 0)
        ).plan
        #expect(other.capabilities == [])
    }

    @Test func `restrictions are lifted only by name`() throws {
        let plan = try build(change { $0.hasSystemCallFilter = false; $0.noNewPrivileges = false; $0.network = .host }).plan
        #expect(plan.systemCallFilter.isEmpty)
        #expect(!plan.noNewPrivileges)
        #expect(plan.namespaces == Namespaces.standard.subtracting(.network))
    }

    @Test func `limits reach the plan`() throws {
        let plan = try build(
            change {
                $0.memoryBytes = 64 << 20
                $0.milliCPUs = 1500
                $0.cpus = "1"
                $0.pidsLimit = 0
                $0.limits = [ContainerLimit(name: "nofile", soft: 10, hard: 20)]
            }
        ).plan
        #expect(plan.limits == CgroupLimits(memoryBytes: 64 << 20, cpuMillis: 1500, cpus: "1"))
        #expect(plan.resourceLimits == [ResourceLimit(.openFiles, soft: 10, hard: 20)])
    }

    static let tooMuch: [(flag: String, change: @Sendable (inout ContainerSpec) -> Void)] = [
        ("--memory", { $0.memoryBytes = 2 << 30 }), ("--memory", { $0.memoryBytes = 4096 }),
        ("--cpus", { $0.milliCPUs = 2001 }), ("--cpuset-cpus", { $0.cpus = "2" }),
        ("--pids-limit", { $0.pidsLimit = 40_000 }),
    ]

    @Test(arguments: tooMuch.indices) func `a limit above what the machine has is refused by its flag`(index: Int) {
        let (flag, change) = Self.tooMuch[index]
        let error = #expect(throws: SpecError.self) { try build(self.change(change)) }
        #expect(error?.flag == flag)
    }

    @Test func `a limit without its controller is refused, the default goes without`() throws {
        var machine = Self.machine
        machine.controllers = []
        #expect(try build(ContainerSpec(program: "ls"), machine: machine).plan.limits == .none)
        let error = #expect(throws: SpecError.self) {
            try build(change { $0.pidsLimit = 10 }, machine: machine)
        }
        #expect(error?.flag == "--pids-limit")
    }

    @Test func `without root the starter is the only user inside`() throws {
        var machine = Self.machine
        machine.uid = 1000
        machine.gid = 1001
        let plan = try build(ContainerSpec(program: "ls"), machine: machine).plan
        #expect(plan.namespaces.contains(.user))
        #expect(plan.identityMap == IdentityMap(firstUserOutside: 1000, firstGroupOutside: 1001, count: 1))
        let error = #expect(throws: SpecError.self) {
            try build(change { $0.user = "7" }, machine: machine, identity: Users.Identity(uid: 7, gid: 0))
        }
        #expect(error?.flag == "-u")
    }
}
