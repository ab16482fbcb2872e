import Comparison
import Glibc
import Linux
import TestKit
import Testing

/// The probe, run for real: where nothing protects the machine, and where an ordinary user's rights do.
@Suite(.enabled(if: isRoot), .serialized) struct ProbeTests {
    /// Runs the probe with everything outside that it can be told of.
    private func probe(_ more: [String: String] = [:]) async throws -> [String: ProbeReport] {
        let directory = try TemporaryDirectory("probe")
        let marker = try directory.write("x", to: "marker")
        let listener = try Listener()
        // Its parent is gone, so that it is nobody's child here: a stranger to the probe on any machine.
        let started = try await CommandRunner.run(["sh", "-c", "sleep 60 >/dev/null 2>&1 & echo $!"])
        let stranger = try #require(Int32(started.text.split(separator: "\n").joined()))
        defer { kill(stranger, SIGKILL) }
        var environment = [
            ProbeSettings.marker: marker, ProbeSettings.port: "\(listener.port)",
            ProbeSettings.outsidePID: "\(stranger)",
        ]
        environment.merge(more) { $1 }
        var reports: [String: ProbeReport] = [:]
        IsolationProbe.run(ProbeSettings(environment: environment)) { reports[$0.name] = $0 }
        return reports
    }

    @Test func `an unprotected machine is open to what root tries`() async throws {
        let reports = try await probe([ProbeSettings.forks: "8", ProbeSettings.memoryMebibytes: "8"])
        for name in [
            "see-processes", "signal-processes", "connect-loopback", "reach-tmp", "read-shadow", "write-usr",
            "capabilities", "any-system-call", "fork-without-end", "exceed-memory", "ptrace",
        ] {
            let report = try #require(reports[name])
            #expect(report.outcome == .possible, "\(name): \(report.detail)")
            #expect(!report.detail.isEmpty)
        }
    }

    @Test func `what is not there is not reached`() async throws {
        let reports = try await probe([
            ProbeSettings.marker: "/tmp/forkless-no-such-marker", ProbeSettings.outsidePID: "4194304",
            ProbeSettings.port: "\(try Listener.closedPort())",
        ])
        #expect(reports["reach-tmp"]?.outcome == .stopped)
        #expect(reports["signal-processes"]?.outcome == .stopped)
        #expect(reports["signal-processes"]?.detail == "ESRCH")
        #expect(reports["connect-loopback"]?.detail == "ECONNREFUSED")
    }

    @Test func `every attempt reports once`() {
        var names: [String] = []
        IsolationProbe.run(ProbeSettings(environment: [:])) { names.append($0.name) }
        #expect(names == IsolationProbe.attempts.map(\.name))
        #expect(Set(names).count == names.count)
        #expect(names.last == "exceed-memory")
    }

    @Test func `an attempt that lacks its setting is unknown and says which`() {
        var outcomes: [String: IsolationFinding.Outcome] = [:]
        IsolationProbe.run(ProbeSettings(environment: [:])) { outcomes[$0.name] = $0.outcome }
        #expect(outcomes["connect-loopback"] == .unknown("FORKLESS_PROBE_PORT is not set"))
        #expect(outcomes["reach-tmp"] == .unknown("FORKLESS_PROBE_MARKER is not set"))
    }

    @Test func `the probe leaves the machine as it was`() async throws {
        let before = await Census.take()
        let name = try Files.readText("/proc/sys/kernel/hostname")
        _ = try await probe([ProbeSettings.forks: "16", ProbeSettings.memoryMebibytes: "4"])
        #expect(await Census.settled(since: before) == [])
        #expect(try Files.readText("/proc/sys/kernel/hostname") == name)
        for directory in ["/usr", "/tmp", "/dev", "/dev/shm", "/run"] {
            #expect(try Files.list(directory).filter { $0.hasPrefix(".forkless-probe") } == [])
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
                "signal-processes", "write-usr", "read-shadow", "list-root-home", "write-kernel-settings",
                "make-devices", "capabilities", "mount", "set-host-name", "set-clock", "load-modules",
                "kernel-memory", "exceed-memory",
            ]
            let missing = expected.subtracting(stopped)
            if !missing.isEmpty { fatalError("not stopped: \(missing.sorted())") }
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

/// A TCP socket that listens on a port of 127.0.0.1 of the kernel's choice.
private struct Listener: ~Copyable {
    let fd: OwnedFD
    let port: UInt16

    init() throws {
        fd = OwnedFD(adopting: socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let raw = fd.raw
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(raw, $0, length) | listen(raw, 8) | getsockname(raw, $0, &length)
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        try #require(result == 0)
    }

    /// A port on which nothing listens: one that did a moment ago.
    static func closedPort() throws -> UInt16 { try Listener().port }
}
