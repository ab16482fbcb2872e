import Comparison
import Linux
import Networking
import Sandbox
import Testing

@testable import CommandLine

@Suite struct DoctorTests {
    /// A machine with everything.
    private func healthy() -> DoctorFacts {
        DoctorFacts(
            kernelRelease: "6.12.0", processors: 8, memoryBytes: 16 << 30, isRoot: true,
            calls: Dictionary(uniqueKeysWithValues: KernelCall.allCases.map { ($0, .available) }),
            cgroups: .success(
                .init(
                    layout: CgroupLayout(
                        unified: .init(path: "/sys/fs/cgroup", controllers: [.memory, .pids, .cpu, .cpuset])),
                    writable: ["/sys/fs/cgroup"])),
            namespaces: ["mount", "pid", "network", "ipc", "uts", "cgroup", "user"].map { .init(name: $0) },
            fileSystems: ["ext4", "overlay", "tmpfs"], capabilities: .all, openFiles: .init(soft: 1024, hard: 524_288),
            processes: .init(soft: 60_000, hard: 60_000), largestPid: 4_194_304, keeper: "/usr/bin/forkless-keeper",
            keeperPlaces: ["/usr/bin/forkless-keeper"],
            directories: [.init(purpose: "state", path: "/s", state: .writable), .init(purpose: "run", path: "/r", state: .absent)],
            node: .success("0.1.0"))
    }

    private func worst(_ name: String, _ change: (inout DoctorFacts) -> Void) -> DoctorReport.Check? {
        var facts = healthy()
        change(&facts)
        return DoctorReport(facts).checks.first { $0.name == name }
    }

    @Test func `a machine with everything is fine in every point`() {
        let report = DoctorReport(healthy())
        #expect(report.checks.filter { $0.outcome != .ok } == [])
        #expect(report.checks.filter { !$0.advice.isEmpty } == [])
        #expect(report.isUsable)
    }

    @Test(arguments: KernelCall.allCases)
    func `a missing system call is named with the kernel that has it`(call: KernelCall) {
        let check = worst(call.rawValue) { $0.calls[call] = .missing }
        #expect(check?.outcome == (call == .cloneIntoCgroup ? .limited : .missing))
        #expect(check?.advice.hasPrefix("Use Linux ") == true)
    }

    @Test func `a system call that is refused is told from one that is missing`() {
        let check = worst("clone3") { $0.calls[.clone3] = .refused(.notPermitted) }
        #expect(check?.finding.contains("EPERM") == true)
        #expect(check?.advice.contains("seccomp") == true)
    }

    @Test func `namespaces that are refused are named with the error and the limit to raise`() {
        let check = worst("namespaces") { $0.namespaces[2].refusal = .noSpace }
        #expect(check?.outcome == .missing)
        #expect(check?.finding == "refused: network (ENOSPC)")
        #expect(check?.advice.contains("/proc/sys/user/max_network_namespaces") == true)
    }

    @Test func `what networks need is named with how to get it`() {
        let rules = worst("networks") {
            $0.networks.rules = NetworkFailure(.system, "networks need the nft program: install nftables")
        }
        #expect(rules?.outcome == .limited)
        #expect(rules?.advice.hasPrefix("Install nftables") == true)
        let links = worst("networks") { $0.networks.links = SystemError("make bridge", "fktrial", code: .notSupported) }
        #expect(links?.finding.contains("make bridge") == true)
        #expect(links?.advice.contains("bridge and veth") == true)
        #expect(worst("networks") { $0.networks.links = SystemError("x", code: .notPermitted) }?.advice.contains("as root") == true)
    }

    @Test func `root does without user namespaces, others do not`() {
        #expect(worst("namespaces") { $0.namespaces[6].refusal = .notPermitted }?.outcome == .limited)
        let ofUser = worst("namespaces") {
            $0.isRoot = false
            $0.namespaces[6].refusal = .notPermitted
        }
        #expect(ofUser?.outcome == .missing)
    }

    @Test func `cgroups may be absent, closed or without controllers`() {
        let absent = worst("cgroups") { $0.cgroups = .success(.init(layout: CgroupLayout(), writable: [])) }
        #expect(absent?.outcome == .missing)
        let closed = worst("cgroups") {
            $0.cgroups = $0.cgroups.map { .init(layout: $0.layout, writable: []) }
        }
        #expect(closed?.finding.contains("/sys/fs/cgroup") == true)
        let poor = worst("controllers") {
            $0.cgroups = .success(
                .init(
                    layout: CgroupLayout(unified: .init(path: "/c", controllers: [.pids, .cpu])), writable: ["/c"]))
        }
        #expect(poor?.outcome == .limited)
        #expect(poor?.finding.contains("memory, cpuset") == true)
    }

    @Test func `a hybrid machine counts the controllers of both versions`() {
        let check = worst("controllers") {
            $0.cgroups = .success(
                .init(
                    layout: CgroupLayout(
                        unified: .init(path: "/u", controllers: [.cpu]),
                        legacy: [.init(path: "/m", controllers: [.memory, .pids]), .init(path: "/s", controllers: [.cpuset])]),
                    writable: ["/u", "/m", "/s"]))
        }
        #expect(check?.outcome == .ok)
    }

    @Test func `privileges are those of root, less, or a user's`() {
        #expect(worst("privileges") { $0.isRoot = false }?.outcome == .limited)
        let weak = worst("privileges") { $0.capabilities.subtract(Capabilities(names: ["SYS_ADMIN", "SETUID"])!) }
        #expect(weak?.outcome == .missing)
        #expect(weak?.finding == "root without SETUID, SYS_ADMIN")
        #expect(worst("privileges") { $0.capabilities.subtract(Capabilities(name: "SYS_RESOURCE")!) }?.outcome == .limited)
    }

    @Test func `only what Forkless cannot do without makes the report fail`() {
        var facts = healthy()
        facts.fileSystems = ["ext4"]
        facts.node = .failure(.init(reason: "no node listens at /r/node.sock"))
        facts.openFiles = .init(soft: 1024, hard: 4096)
        facts.processes = .init(soft: 1000, hard: 1000)
        let limited = DoctorReport(facts)
        #expect(limited.checks.filter { $0.outcome == .limited }.map(\.name) == ["overlayfs", "open files", "processes", "node"])
        #expect(limited.isUsable)
        facts.keeper = nil
        #expect(!DoctorReport(facts).isUsable)
    }

    @Test func `every finding that is not fine has advice`() {
        var facts = healthy()
        facts.calls = [:]
        facts.cgroups = .failure(SystemError("open", "/proc/self/mountinfo", code: .noEntry))
        facts.namespaces = facts.namespaces.map { .init(name: $0.name, refusal: .invalid) }
        facts.fileSystems = []
        facts.capabilities = []
        facts.openFiles = .init(soft: 10, hard: 10)
        facts.processes = .init(soft: 10, hard: 10)
        facts.keeper = nil
        facts.directories[0].state = .blocked("it is no directory")
        facts.node = .failure(.init(reason: "none"))
        let bad = DoctorReport(facts).checks.filter { $0.outcome != .ok }
        #expect(bad.count >= KernelCall.allCases.count + 8)
        #expect(bad.filter { $0.advice.isEmpty } == [])
    }

    @Test func `limits are read as the kernel writes them`() {
        let limits = ProcessLimits(
            """
            Limit                     Soft Limit           Hard Limit           Units     
            Max processes             unlimited            96365                processes 
            Max open files            1024                 524288               files     
            """)
        #expect(limits.limit("Max open files") == .init(soft: 1024, hard: 524_288))
        #expect(limits.limit("Max processes") == .init(soft: nil, hard: 96_365))
    }

    @Test(arguments: [40, 80, 200])
    func `the report fits the terminal`(width: Int) {
        var facts = healthy()
        facts.keeper = nil
        facts.fileSystems = []
        let text = DoctorReport(facts).text(width: width)
        #expect(text.split(separator: "\n").allSatisfy { DisplayWidth.of(String($0)) <= max(width, 45) })
        #expect(text.contains("✗ keeper"))
    }

    @Test func `this machine is looked at without a trace`() async throws {
        let directories = try NodeDirectories(
            state: "/tmp/forkless-doctor-none/s", run: "/tmp/forkless-doctor-none/r", isRoot: true, variable: { _ in nil })
        let facts = try await DoctorFacts.gather(directories)
        #expect(facts.calls[.pidfdOpen] == .available)
        #expect(facts.namespaces.map(\.name) == ["mount", "pid", "network", "ipc", "uts", "cgroup", "user"])
        #expect(facts.directories.map(\.state) == [.absent, .absent])
        guard case .failure(let unanswered) = facts.node else {
            Issue.record("a node answered at a socket that is not there")
            return
        }
        #expect(unanswered.reason.contains("/tmp/forkless-doctor-none/r/node.sock"))
        #expect(!Files.exists("/tmp/forkless-doctor-none"))
    }
}
