import Comparison
import Glibc
import Linux
import TestKit
import Testing

/// The probe, run for real: where nothing protects the machine, and where an ordinary user's rights do.
@Suite(.enabled(if: isRoot), .serialized) struct ProbeTests {
    /// Runs the probe with everything outside that it can be told of.
    private func probe(_ more: [String: String] = [:]) async throws -> [String: ProbeReport] {
        // Its parent is gone, so that it is nobody's child here: a stranger to the probe on any machine.
        let started = try await CommandRunner.run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"])
        let stranger = try #require(Int32(started.text.split(separator: "\n").joined()))
        defer { kill(stranger, SIGKILL) }
        let surroundings = try ProbeSurroundings(outside: stranger)
        defer { withExtendedLifetime(surroundings) {} }
        var environment = surroundings.settings.environment
        environment.merge(more) { $1 }
        var reports: [String: ProbeReport] = [:]
        IsolationProbe.run(ProbeSettings(environment: environment)) { reports[$0.name] = $0 }
        return reports
    }

    @Test func `an unprotected machine is open to what root tries`() async throws {
        let reports = try await probe([ProbeSettings.forks: "8", ProbeSettings.memoryMebibytes: "8"])
        for name in [
            "see-processes", "signal-processes", "read-process", "take-descriptors", "join-namespaces", "shared-memory",
            "connect-loopback", "take-ports", "raw-packets", "daemon-sockets", "reach-tmp", "read-secrets", "write-usr",
            "replace-runtime", "capabilities", "kernel-helpers", "reboot", "fork-without-end", "exceed-memory",
            "ptrace",
            "go-first", "change-limits",
        ] {
            let report = try #require(reports[name])
            #expect(report.outcome == .possible, "\(name): \(report.detail)")
            #expect(!report.detail.isEmpty)
        }
    }

    @Test func `what is not there is not reached`() async throws {
        let reports = try await probe([
            ProbeSettings.marker: "/tmp/forkless-no-such-marker", ProbeSettings.outsidePID: "4194304",
            ProbeSettings.port: "\(try Loopback.listen().port)", ProbeSettings.socket: "/run/forkless-no-such-socket",
            ProbeSettings.abstractSocket: "@forkless-no-such-socket", ProbeSettings.sharedSegment: "2147483647",
            ProbeSettings.sharedFile: "/dev/shm/forkless-no-such-file",
        ])
        #expect(reports["reach-tmp"]?.outcome == .stopped)
        #expect(reports["signal-processes"]?.outcome == .stopped)
        #expect(reports["signal-processes"]?.detail == "ESRCH")
        #expect(reports["connect-loopback"]?.detail == "ECONNREFUSED")
        #expect(reports["read-process"]?.outcome == .stopped)
        #expect(reports["read-process"]?.detail.hasSuffix("process_vm_readv: ESRCH, ptrace: ESRCH") == true)
        #expect(reports["take-descriptors"]?.detail == "pidfd_getfd: ESRCH")
        #expect(reports["shared-memory"]?.outcome == .stopped)
        #expect(reports["shared-memory"]?.detail.hasSuffix("shmat: EINVAL") == true)
        #expect(reports["daemon-sockets"]?.detail.contains("@forkless-no-such-socket: ECONNREFUSED") == true)
    }

    @Test func `every attempt reports once`() {
        var names: [String] = []
        IsolationProbe.run(ProbeSettings(environment: [:])) { names.append($0.name) }
        #expect(names == IsolationProbe.attempts.map(\.name))
        #expect(Set(names).count == names.count)
        #expect(names.count == 40)
        #expect(names.last == "exceed-memory")
    }

    @Test func `an attempt that lacks its setting is unknown and says which`() {
        var outcomes: [String: IsolationFinding.Outcome] = [:]
        IsolationProbe.run(ProbeSettings(environment: [:])) { outcomes[$0.name] = $0.outcome }
        #expect(outcomes["connect-loopback"] == .unknown("FORKLESS_PROBE_PORT is not set"))
        #expect(outcomes["reach-tmp"] == .unknown("FORKLESS_PROBE_MARKER is not set"))
        #expect(outcomes["read-process"] == .unknown("FORKLESS_PROBE_OUTSIDE_PID is not set"))
        #expect(outcomes["daemon-sockets"] == .unknown("FORKLESS_PROBE_SOCKET is not set"))
        #expect(outcomes["shared-memory"] == .unknown("FORKLESS_PROBE_SHARED_SEGMENT is not set"))
    }

    @Test func `the probe leaves the machine as it was`() async throws {
        func state() throws -> [String] {
            let settings = [
                "/proc/sys/kernel/hostname", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/sysrq",
                "/proc/sys/vm/overcommit_memory", "/proc/sysvipc/shm", "/proc/sys/kernel/random/boot_id",
            ]
            // By their names: how often a module is used changes with what the kernel still cleans up after others.
            let modules = ((try? Files.readText("/proc/modules")) ?? "").split(separator: "\n")
            return try settings.filter(Files.exists).map { try Files.readText($0) } + [
                Files.link("/proc/self/ns/mnt"), Files.link("/proc/self/ns/net"),
                modules.map { String($0.prefix { $0 != " " }) }.sorted().joined(separator: " "),
            ]
        }
        let before = await Census.take()
        let known = try state()
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        _ = try await probe([
            ProbeSettings.forks: "16", ProbeSettings.memoryMebibytes: "4", ProbeSettings.diskMebibytes: "1",
        ])
        #expect(await Census.settled(since: before) == [])
        #expect(try state() == known)
        var limitAfter = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limitAfter)
        #expect(limit.rlim_cur == limitAfter.rlim_cur)
        // SCHED_OTHER and no priority: the trial of going first was a child's.
        #expect(sched_getscheduler(0) == 0)
        for directory in ["/usr", "/tmp", "/dev", "/dev/shm", "/run", "/var/tmp", "/root"] {
            let names = try Files.list(directory)
            // Other comparisons may run beside this one: ours have our number in their names.
            #expect(names.filter { $0.contains("forkless-probe-") && $0.contains("-\(getpid())") } == [])
        }
    }

    @Test func `what a killed comparison left is removed`() throws {
        // A number that no process has, and one that this process has.
        let abandoned = "/tmp/forkless-probe-4194304-x"
        let living = "/tmp/forkless-probe-\(getpid())-x"
        for path in [abandoned, living] { try Files.replace(path, with: [1]) }
        defer { try? Files.remove(living) }
        withExtendedLifetime(try ProbeSurroundings()) {
            #expect(!Files.exists(abandoned))
            #expect(Files.exists(living))
        }
    }

    @Test func `an ordinary user with limits is stopped`() async {
        await #expect(processExitsWith: .success) {
            var memory = rlimit(rlim_cur: 64 << 30, rlim_max: 64 << 30)
            guard becomeNobody(), setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &memory) == 0 else { exit(101) }
            let settings = ProbeSettings(environment: [
                ProbeSettings.memoryMebibytes: "65536", ProbeSettings.outsidePID: "1",
            ])
            var stopped: Set<String> = []
            IsolationProbe.run(settings) { if $0.outcome == .stopped { stopped.insert($0.name) } }
            let expected: Set = [
                "signal-processes", "read-process", "take-descriptors", "join-namespaces", "write-usr", "read-secrets",
                "replace-runtime", "write-kernel-settings", "make-devices", "capabilities", "mount", "set-clock",
                "load-modules",
                "kernel-helpers", "reboot", "raw-packets", "read-disks", "change-limits", "go-first", "kernel-memory",
                "exceed-memory",
            ]
            let missing = expected.subtracting(stopped)
            // An exit test shows no output: the status says which one it was, 110 for the first by name.
            if let name = missing.sorted().first { exit(110 + Int32(expected.sorted().firstIndex(of: name) ?? 0)) }
            if stopped.contains("ptrace") { fatalError("ptrace is stopped, and nothing here stops it") }
            exit(EXIT_SUCCESS)
        }
    }

    @Test func `what needs a child is unknown where there can be none`() async {
        await #expect(processExitsWith: .success) {
            var one = rlimit(rlim_cur: 1, rlim_max: 1)
            // RLIMIT_NPROC, getrlimit(2): this process has reached it.
            guard becomeNobody(), setrlimit(__rlimit_resource_t(6), &one) == 0 else { exit(101) }
            var outcomes: [String: IsolationFinding.Outcome] = [:]
            let settings = ProbeSettings(environment: [ProbeSettings.forks: "4"])
            IsolationProbe.run(settings) { outcomes[$0.name] = $0.outcome }
            guard outcomes["fork-without-end"] == .stopped else { fatalError("it could start processes") }
            guard outcomes["set-clock"] == .unknown("settimeofday: no child to try it in (EAGAIN)") else {
                fatalError("\(String(describing: outcomes["set-clock"]))")
            }
            exit(EXIT_SUCCESS)
        }
    }
}

/// Gives up root for good, in a process that ends soon.
private func becomeNobody() -> Bool {
    setgroups(0, nil) == 0 && setgid(65_534) == 0 && setuid(65_534) == 0
}
